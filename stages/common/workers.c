#include "common/workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/text.h"

#define THREADS_MAX 64

enum state { IDLE, READY, BUSY, DONE };

/* The lock guards all of it; jobs themselves belong to who holds them by their state. */
struct queue {
	struct workers *workers;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum state *state;
	size_t first, used; /* the oldest job; how many are not idle */
	int closing;
};

static void *job_at(const struct queue *q, size_t slot)
{
	return (char *)q->workers->jobs + slot * q->workers->job_size;
}

/* The oldest job that nobody has taken, or job_count. */
static size_t take(struct queue *q)
{
	size_t count = q->workers->job_count;

	for (size_t i = 0; i < q->used; i++) {
		size_t slot = (q->first + i) % count;

		if (q->state[slot] == READY) {
			q->state[slot] = BUSY;
			return slot;
		}
	}
	return count;
}

/* With the lock held, which is let go meanwhile. */
static void work(struct queue *q, size_t slot)
{
	(void)pthread_mutex_unlock(&q->lock);
	q->workers->work(q->workers->context, job_at(q, slot));
	(void)pthread_mutex_lock(&q->lock);
	q->state[slot] = DONE;
	(void)pthread_cond_broadcast(&q->changed);
}

static void *run_thread(void *argument)
{
	struct queue *q = argument;

	(void)pthread_mutex_lock(&q->lock);
	while (!q->closing) {
		size_t slot = take(q);

		if (slot != q->workers->job_count)
			work(q, slot);
		else
			(void)pthread_cond_wait(&q->changed, &q->lock);
	}
	(void)pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* Begin as many jobs as there is room for. */
static int fill(struct queue *q, int *more)
{
	struct workers *w = q->workers;

	while (*more && q->used < w->job_count) {
		size_t slot = (q->first + q->used) % w->job_count;
		int rc;

		(void)pthread_mutex_unlock(&q->lock);
		rc = w->begin(w->context, job_at(q, slot));
		(void)pthread_mutex_lock(&q->lock);
		if (rc < 0)
			return -1;
		*more = rc;
		if (rc == 0)
			break;
		q->state[slot] = READY;
		q->used++;
		(void)pthread_cond_broadcast(&q->changed);
		if (w->threads == 1)
			break;
	}
	return 0;
}

/* The oldest job is done, by whoever, and ended. */
static int finish(struct queue *q)
{
	struct workers *w = q->workers;
	size_t slot = q->first;
	int rc;

	if (q->state[slot] == READY) {
		q->state[slot] = BUSY;
		work(q, slot);
	}
	while (q->state[slot] != DONE)
		(void)pthread_cond_wait(&q->changed, &q->lock);
	(void)pthread_mutex_unlock(&q->lock);
	rc = w->end(w->context, job_at(q, slot));
	(void)pthread_mutex_lock(&q->lock);
	q->state[slot] = IDLE;
	q->first = (q->first + 1) % w->job_count;
	q->used--;
	return rc;
}

static int run_jobs(struct queue *q)
{
	int more = 1, rc = 0;

	(void)pthread_mutex_lock(&q->lock);
	while (rc == 0 && (more || q->used > 0)) {
		rc = fill(q, &more);
		if (rc == 0 && q->used > 0)
			rc = finish(q);
	}
	q->closing = 1;
	(void)pthread_cond_broadcast(&q->changed);
	(void)pthread_mutex_unlock(&q->lock);
	return rc;
}

int workers_run(struct workers *workers)
{
	struct queue q = { .workers = workers };
	pthread_t thread[THREADS_MAX];
	unsigned started = 0;
	int rc;

	(void)pthread_mutex_init(&q.lock, NULL);
	(void)pthread_cond_init(&q.changed, NULL);
	q.state = array_new(workers->job_count, sizeof *q.state);
	/* A thread that cannot be made is one fewer, no fault: this one works as well. */
	while (started + 1 < workers->threads && started < THREADS_MAX &&
		pthread_create(&thread[started], NULL, run_thread, &q) == 0)
		started++;
	rc = run_jobs(&q);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(thread[i], NULL);
	free(q.state);
	(void)pthread_cond_destroy(&q.changed);
	(void)pthread_mutex_destroy(&q.lock);
	return rc;
}
