#include "evaluate/binary.h"

#include <math.h>
#include <stdlib.h>

#include "common/text.h"

void binary_init(struct binary *b, size_t rows, size_t positive, double threshold)
{
	*b = (struct binary){ .positive = positive, .threshold = threshold };
	b->probability = array_new(rows, sizeof *b->probability);
	b->truth = array_new(rows, sizeof *b->truth);
}

void binary_release(struct binary *b)
{
	free(b->probability);
	free(b->truth);
	*b = (struct binary){ .rows = 0 };
}

size_t binary_add(struct binary *b, size_t truth, const float *probabilities)
{
	float probability = probabilities[b->positive];

	b->probability[b->rows] = probability;
	b->truth[b->rows++] = truth == b->positive;
	return (double)probability >= b->threshold ? b->positive : 1 - b->positive;
}

static void trust(struct binary *b)
{
	double off[BINARY_BINS] = { 0 }; /* probabilities less truths of a bin's rows */

	for (size_t i = 0; i < b->rows; i++) {
		double probability = (double)b->probability[i], by = probability - b->truth[i];
		size_t bin = (size_t)(probability * BINARY_BINS);

		off[bin < BINARY_BINS ? bin : BINARY_BINS - 1] += by;
		b->brier += by * by;
	}
	for (size_t bin = 0; bin < BINARY_BINS; bin++)
		b->ece += fabs(off[bin]);
	b->brier /= (double)b->rows;
	b->ece /= (double)b->rows;
}

void binary_finish(struct binary *b)
{
	trust(b);
	curve_measure(&b->curve, b->probability, 1, b->truth, b->rows);
}
