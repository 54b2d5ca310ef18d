/*
 * train/order.h - in which order an epoch takes its rows.
 *
 * A function of (seed, epoch, rows, window) and nothing else. window 0, or as many as there are: all
 * rows in the order of their random numbers. Else rows are cut into blocks of a sixteenth of the
 * window, as they come in `rows`; the blocks are shuffled, and so is each window of them: what is
 * read at one time lies in sixteen places, and neighbours in the data still meet others each epoch.
 */
#ifndef FLOW_STAGES_TRAIN_ORDER_H
#define FLOW_STAGES_TRAIN_ORDER_H

#include <stddef.h>
#include <stdint.h>

void order_epoch(int64_t *order, const int64_t *rows, size_t count, size_t window, uint64_t seed,
	uint32_t epoch);

#endif
