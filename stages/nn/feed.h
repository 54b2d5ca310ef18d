/*
 * nn/feed.h - batches of values that are ready when they are wanted: threads fetch ahead into a ring.
 *
 *     struct feed *feed = feed_open(&samples, &(struct feed_shape){ .batch = 256, .ahead = 8, .threads = 1 });
 *     feed_begin(feed, order, count, 0);                  order[0, 256), order[256, 512), ... will be asked for
 *     feed_take(feed, order + first, n, &batch);           ...in that order; or any rows at all
 *     ...batch.values by batch.rows, until the next call... feed_waited(feed)
 *     feed_close(feed);
 *
 * A batch that comes next is taken from the ring, and waited for if it is not ready; what else is
 * asked for is fetched there and then. So what comes out is the same for any number of threads and
 * any length of the ring. Without threads values that lie in memory as the device wants them are
 * used where they are, and others are fetched when they are asked for.
 *
 * `order` is read until the last batch was taken, or feed_begin() or feed_end() is called. Values
 * that the disk must be asked for are asked for early, all rows of a batch at once; in order of the
 * file, a window ahead, when feed_begin() is told that rows come in windows. One caller.
 */
#ifndef FLOW_STAGES_NN_FEED_H
#define FLOW_STAGES_NN_FEED_H

#include <stddef.h>
#include <stdint.h>

struct feed;
struct samples;

#define FEED_THREADS_MAX 64
#define FEED_AHEAD_MAX   1024

struct feed_shape {
	size_t batch;     /* rows */
	size_t ahead;     /* batches in the ring, at least 2 */
	unsigned threads; /* that fetch; 0: none */
};

struct feed_batch {
	const void *values; /* as nn_gather takes them: row rows[i] of them is the i-th */
	const int64_t *rows;
};

struct feed *feed_open(const struct samples *samples, const struct feed_shape *shape);
void feed_close(struct feed *feed); /* NULL: nothing */

/* window: so many rows, from the start of order, are drawn from one stretch of the data; 0: all. */
void feed_begin(struct feed *feed, const int64_t *order, size_t count, size_t window);
void feed_end(struct feed *feed); /* nobody reads `order` any more */
/* count <= shape.batch. */
void feed_take(struct feed *feed, const int64_t *rows, size_t count, struct feed_batch *batch);

/* Seconds in feed_take() so far: what the step had to wait for its data. */
double feed_waited(const struct feed *feed);

/* How many of an attempt's cores fetch when nobody has said: of texts, of what is used where it lies,
 * or is small and shared by few cores, none. */
unsigned feed_threads(const struct samples *samples, unsigned cores);

#endif
