/*
 * nn/pool.h - a loop over parts, shared by threads.
 *
 *     struct pool *pool = pool_new(threads);
 *     pool_run(pool, count, grain, scratch, part, given);   calls part() for [0, grain), [grain, ...
 *     pool_free(pool);
 *
 * Where the parts begin depends on count and grain alone, never on the number of threads, so that a
 * sum kept for each part and added up afterwards has the same bits however many there are. The
 * caller's thread works too; with one thread, or one part, nothing is handed over at all. pool_run()
 * returns when all parts are done. One caller at a time.
 */
#ifndef FLOW_STAGES_NN_POOL_H
#define FLOW_STAGES_NN_POOL_H

#include <stddef.h>

struct pool;

/* Do [begin, end). `scratch` is the thread's own, with room for what pool_run() was told. */
typedef void pool_part(const void *given, size_t begin, size_t end, float *scratch);

struct pool *pool_new(unsigned threads);
void pool_free(struct pool *pool); /* NULL: nothing */
void pool_run(struct pool *pool, size_t count, size_t grain, size_t scratch_floats, pool_part *part,
	const void *given);

#endif
