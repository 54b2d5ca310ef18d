#include "nn/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/text.h"

#define LINE  16   /* floats of a line of the cache */
#define SPINS 10000 /* looks at the door before going to sleep: the next operation is near */

struct hand {
	struct pool *pool;
	pthread_t thread;
	float *memory, *scratch; /* scratch begins where a line of the cache does */
	size_t room;
};

struct pool {
	unsigned threads;
	struct hand *hand; /* [threads]; the first is the caller */
	/* The work at hand, written before `round` goes up. */
	pool_part *part;
	const void *given;
	size_t count, grain, scratch;
	atomic_size_t next;  /* part to take */
	atomic_uint working; /* hands that have not finished the round */
	atomic_uint round;   /* goes up with each pool_run() */
	atomic_int is_ending;
	pthread_mutex_t lock; /* for sleeping only */
	pthread_cond_t begin, end;
};

static void prepare(struct hand *hand, size_t floats)
{
	if (floats <= hand->room)
		return;
	free(hand->memory);
	hand->memory = array_new(floats + LINE, sizeof(float));
	hand->scratch = hand->memory + (LINE - (uintptr_t)hand->memory / sizeof(float) % LINE);
	hand->room = floats;
}

static void work(struct hand *hand)
{
	struct pool *pool = hand->pool;
	size_t parts = (pool->count + pool->grain - 1) / pool->grain, i;

	prepare(hand, pool->scratch);
	while ((i = atomic_fetch_add(&pool->next, 1)) < parts) {
		size_t begin = i * pool->grain, end = begin + pool->grain;

		pool->part(
			pool->given, begin, end < pool->count ? end : pool->count, hand->scratch);
	}
}

static void wait_for_round(struct pool *pool, unsigned seen)
{
	for (int i = 0; i < SPINS; i++)
		if (atomic_load(&pool->round) != seen)
			return;
	(void)pthread_mutex_lock(&pool->lock);
	while (atomic_load(&pool->round) == seen)
		(void)pthread_cond_wait(&pool->begin, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
}

static void *run_hand(void *given)
{
	struct hand *hand = given;
	struct pool *pool = hand->pool;

	for (unsigned seen = 0;; seen++) {
		wait_for_round(pool, seen);
		if (atomic_load(&pool->is_ending))
			return NULL;
		work(hand);
		if (atomic_fetch_sub(&pool->working, 1) == 1) {
			(void)pthread_mutex_lock(&pool->lock);
			(void)pthread_cond_signal(&pool->end);
			(void)pthread_mutex_unlock(&pool->lock);
		}
	}
}

static void open_round(struct pool *pool)
{
	atomic_store(&pool->next, 0);
	atomic_store(&pool->working, pool->threads - 1);
	(void)pthread_mutex_lock(&pool->lock);
	atomic_fetch_add(&pool->round, 1);
	(void)pthread_cond_broadcast(&pool->begin);
	(void)pthread_mutex_unlock(&pool->lock);
}

static void close_round(struct pool *pool)
{
	for (int i = 0; i < SPINS; i++)
		if (atomic_load(&pool->working) == 0)
			return;
	(void)pthread_mutex_lock(&pool->lock);
	while (atomic_load(&pool->working) != 0)
		(void)pthread_cond_wait(&pool->end, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
}

struct pool *pool_new(unsigned threads)
{
	struct pool *pool = array_new(1, sizeof *pool);

	pool->hand = array_new(threads, sizeof *pool->hand);
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->begin, NULL);
	(void)pthread_cond_init(&pool->end, NULL);
	pool->hand[0].pool = pool;
	pool->threads = 1;
	/* A thread that cannot be had is done without: the bits are the same. */
	for (; pool->threads < threads; pool->threads++) {
		struct hand *hand = &pool->hand[pool->threads];

		hand->pool = pool;
		if (pthread_create(&hand->thread, NULL, run_hand, hand) != 0)
			break;
	}
	return pool;
}

void pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	atomic_store(&pool->is_ending, 1);
	open_round(pool);
	for (unsigned i = 1; i < pool->threads; i++)
		(void)pthread_join(pool->hand[i].thread, NULL);
	for (unsigned i = 0; i < pool->threads; i++)
		free(pool->hand[i].memory);
	(void)pthread_mutex_destroy(&pool->lock);
	(void)pthread_cond_destroy(&pool->begin);
	(void)pthread_cond_destroy(&pool->end);
	free(pool->hand);
	free(pool);
}

void pool_run(struct pool *pool, size_t count, size_t grain, size_t scratch_floats, pool_part *part,
	const void *given)
{
	assert(grain > 0);
	pool->part = part;
	pool->given = given;
	pool->count = count;
	pool->grain = grain;
	pool->scratch = scratch_floats;
	if (pool->threads == 1 || count <= grain) {
		atomic_store(&pool->next, 0);
		work(&pool->hand[0]);
		return;
	}
	open_round(pool);
	work(&pool->hand[0]);
	close_round(pool);
}
