#define _GNU_SOURCE /* RUSAGE_THREAD */

#include "nn/feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/seconds.h"
#include "common/text.h"
#include "nn/samples.h"

/* Values of less are likely in memory, once they were read. */
#define LARGE_BYTES ((uint64_t)1 << 30)
#define MANY_CORES  4

/* After a wait for the disk so many batches are asked for early. */
#define EARLY_BATCHES 256

enum state { FREE, BUSY, READY };

struct slot {
	enum state state;
	size_t batch; /* which of the order, when not free */
	void *values;
};

struct feed {
	const struct samples *samples;
	struct feed_shape shape;
	int64_t *own_rows; /* 0, 1, 2, ...: the rows of a slot */
	void *aside;       /* a batch that was not foreseen */
	double waited;
	size_t at; /* batch that comes next; the caller's */
	/* The lock guards the rest. A slot's values belong to who made it BUSY, then to the caller. */
	pthread_mutex_t lock;
	pthread_cond_t room, ready;
	struct slot *slot; /* batch i is in slot i % ahead */
	const int64_t *order;
	size_t count, window;  /* rows */
	size_t claimed, taken; /* batches */
	size_t busy;           /* slots */
	size_t expected;       /* windows that were asked for */
	int is_closing;
	pthread_t thread[FEED_THREADS_MAX];
	unsigned threads;
};

static size_t batches(const struct feed *f)
{
	return (f->count + f->shape.batch - 1) / f->shape.batch;
}

static size_t rows_of(const struct feed *f, size_t batch)
{
	size_t left = f->count - batch * f->shape.batch;

	return left < f->shape.batch ? left : f->shape.batch;
}

static int compare(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

/* The rows in the order of the file, so that neighbours are asked for together. */
static void expect(const struct samples *s, const int64_t *rows, size_t count)
{
	int64_t *sorted = array_new(count, sizeof *sorted);

	memcpy(sorted, rows, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare);
	samples_expect(s, sorted, count);
	free(sorted);
}

/* The window that follows the one of this batch, once. The first batch is not kept waiting for it. */
static void expect_window(struct feed *f, size_t batch)
{
	size_t wanted = batch == 0 ? 1 : batch * f->shape.batch / f->window + 2;

	while (f->expected < wanted && f->expected * f->window < f->count) {
		size_t first = f->expected++ * f->window, left = f->count - first;
		const int64_t *rows = f->order + first;

		(void)pthread_mutex_unlock(&f->lock);
		expect(f->samples, rows, left < f->window ? left : f->window);
		(void)pthread_mutex_lock(&f->lock);
	}
}

static long disk_waits(void)
{
	struct rusage use;

	return getrusage(RUSAGE_THREAD, &use) == 0 ? use.ru_majflt : 0;
}

/* With the lock held, which is let go meanwhile. *early: batches that are asked for at once. */
static void fetch(struct feed *f, unsigned *early)
{
	size_t batch = f->claimed++, count = rows_of(f, batch);
	struct slot *slot = &f->slot[batch % f->shape.ahead];
	const int64_t *rows = f->order + batch * f->shape.batch;
	long before = disk_waits();

	*slot = (struct slot){ BUSY, batch, slot->values };
	f->busy++;
	if (f->window != 0)
		expect_window(f, batch);
	(void)pthread_mutex_unlock(&f->lock);
	if (*early > 0 && f->window == 0) {
		expect(f->samples, rows, count);
		--*early;
	}
	samples_fetch(f->samples, rows, count, slot->values);
	if (disk_waits() != before)
		*early = EARLY_BATCHES;
	(void)pthread_mutex_lock(&f->lock);
	slot->state = READY;
	f->busy--;
	(void)pthread_cond_broadcast(&f->ready);
}

static void *run_thread(void *given)
{
	struct feed *f = given;
	unsigned early = 0;

	(void)pthread_mutex_lock(&f->lock);
	while (!f->is_closing) {
		if (f->claimed < batches(f) && f->claimed < f->taken + f->shape.ahead)
			fetch(f, &early);
		else
			(void)pthread_cond_wait(&f->room, &f->lock);
	}
	(void)pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void make_ring(struct feed *f)
{
	size_t size = f->shape.batch * samples_row_size(f->samples);

	f->slot = array_new(f->shape.ahead, sizeof *f->slot);
	for (size_t i = 0; i < f->shape.ahead; i++)
		f->slot[i].values = array_new(size, 1);
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->room, NULL);
	(void)pthread_cond_init(&f->ready, NULL);
	/* A thread that cannot be made is done without. */
	while (f->threads < f->shape.threads && f->threads < FEED_THREADS_MAX &&
		pthread_create(&f->thread[f->threads], NULL, run_thread, f) == 0)
		f->threads++;
}

struct feed *feed_open(const struct samples *samples, const struct feed_shape *shape)
{
	struct feed *f = array_new(1, sizeof *f);

	f->samples = samples;
	f->shape = *shape;
	f->own_rows = array_new(shape->batch, sizeof *f->own_rows);
	for (size_t i = 0; i < shape->batch; i++)
		f->own_rows[i] = (int64_t)i;
	if (samples->values == NULL)
		f->aside = array_new(shape->batch * samples_row_size(samples), 1);
	if (shape->threads > 0)
		make_ring(f);
	return f;
}

void feed_close(struct feed *f)
{
	if (f == NULL)
		return;
	if (f->slot != NULL) {
		(void)pthread_mutex_lock(&f->lock);
		f->is_closing = 1;
		(void)pthread_cond_broadcast(&f->room);
		(void)pthread_mutex_unlock(&f->lock);
		for (unsigned i = 0; i < f->threads; i++)
			(void)pthread_join(f->thread[i], NULL);
		for (size_t i = 0; i < f->shape.ahead; i++)
			free(f->slot[i].values);
		(void)pthread_mutex_destroy(&f->lock);
		(void)pthread_cond_destroy(&f->room);
		(void)pthread_cond_destroy(&f->ready);
	}
	free(f->slot);
	free(f->aside);
	free(f->own_rows);
	free(f);
}

void feed_begin(struct feed *f, const int64_t *order, size_t count, size_t window)
{
	if (f->threads == 0)
		return;
	feed_end(f);
	(void)pthread_mutex_lock(&f->lock);
	f->order = order;
	f->count = count;
	f->window = window < count ? window : 0;
	(void)pthread_cond_broadcast(&f->room);
	(void)pthread_mutex_unlock(&f->lock);
}

void feed_end(struct feed *f)
{
	if (f->threads == 0)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->count = 0;
	while (f->busy > 0)
		(void)pthread_cond_wait(&f->ready, &f->lock);
	for (size_t i = 0; i < f->shape.ahead; i++)
		f->slot[i].state = FREE;
	f->claimed = f->taken = f->expected = f->at = 0;
	f->order = NULL;
	(void)pthread_mutex_unlock(&f->lock);
}

/* The values of batch `at`. The slot of the one before is free from now on. */
static const void *take_next(struct feed *f)
{
	struct slot *slot = &f->slot[f->at % f->shape.ahead];

	(void)pthread_mutex_lock(&f->lock);
	f->taken = f->at++;
	/* Not for each batch: to wake a thread costs more than a small step. */
	if (f->claimed - f->taken <= f->shape.ahead / 2)
		(void)pthread_cond_broadcast(&f->room);
	while (slot->state != READY || slot->batch != f->at - 1)
		(void)pthread_cond_wait(&f->ready, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
	return slot->values;
}

static int is_next(const struct feed *f, const int64_t *rows, size_t count)
{
	return f->order != NULL && f->at < batches(f) &&
	       rows == f->order + f->at * f->shape.batch && count == rows_of(f, f->at);
}

void feed_take(struct feed *f, const int64_t *rows, size_t count, struct feed_batch *batch)
{
	double began = seconds();

	batch->rows = f->own_rows;
	if (f->threads > 0 && is_next(f, rows, count)) {
		batch->values = take_next(f);
	} else if (f->samples->values != NULL) {
		*batch = (struct feed_batch){ f->samples->values, rows };
	} else {
		samples_fetch(f->samples, rows, count, f->aside);
		batch->values = f->aside;
	}
	f->waited += seconds() - began;
}

double feed_waited(const struct feed *f)
{
	return f->waited;
}

unsigned feed_threads(const struct samples *s, unsigned cores)
{
	uint64_t bytes = (uint64_t)s->rows * samples_row_size(s);

	if (s->is_texts)
		return 0;
	return bytes >= LARGE_BYTES || (s->values == NULL && cores >= MANY_CORES);
}
