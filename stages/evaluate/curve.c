#include "evaluate/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define DIGIT_BITS 11
#define DIGITS     ((size_t)1 << DIGIT_BITS)

/* A score and its truth in one number, whose order from low to high is that of scores from high to
 * low: the score's bits, above bit 0. */
static uint64_t key_of(float score, uint8_t truth)
{
	uint32_t bits;

	score += 0.0f; /* -0 is 0 */
	memcpy(&bits, &score, sizeof bits);
	bits ^= bits >> 31 != 0 ? 0 : 0x7fffffffu;
	return (uint64_t)bits << 1 | truth;
}

static float score_of(uint64_t key)
{
	uint32_t bits = (uint32_t)(key >> 1);
	float score;

	bits ^= bits >> 31 != 0 ? 0 : 0x7fffffffu;
	memcpy(&score, &bits, sizeof score);
	return score;
}

/* By scores; where equal ones stand does not matter. */
static void sort(uint64_t *key, uint64_t *room, size_t count)
{
	uint64_t *from = key, *to = room;

	for (unsigned shift = 1; shift < 33; shift += DIGIT_BITS) {
		size_t start[DIGITS + 1] = { 0 };
		uint64_t *swap = from;

		for (size_t i = 0; i < count; i++)
			start[(from[i] >> shift & (DIGITS - 1)) + 1]++;
		for (size_t d = 0; d < DIGITS; d++)
			start[d + 1] += start[d];
		for (size_t i = 0; i < count; i++)
			to[start[from[i] >> shift & (DIGITS - 1)]++] = from[i];
		from = to;
		to = swap;
	}
	memcpy(key, from, count * sizeof *key); /* three walks end in `room` */
}

/* A threshold at each score that occurs, from the highest on. */
static void walk(struct curve *c, const uint64_t *key, size_t count, double positives)
{
	double hits = 0, pairs = 0, best = -1;

	c->average_precision = 0;
	for (size_t i = 0; i < count;) {
		double found = 0, passed = 0, f1;
		uint64_t score = key[i] >> 1;

		for (; i < count && key[i] >> 1 == score; i++) {
			found += (double)(key[i] & 1);
			passed += (double)(1 - (key[i] & 1));
		}
		pairs += passed * (hits + found / 2);
		hits += found;
		c->average_precision += found / positives * (hits / (double)i);
		f1 = 2 * hits / (positives + (double)i);
		if (f1 > best) {
			best = c->best_f1 = f1;
			c->best_threshold = (double)score_of(key[i - 1]);
		}
	}
	if ((double)count > positives)
		c->roc_auc = pairs / (positives * ((double)count - positives));
}

void curve_measure(struct curve *c, const float *probability, size_t stride, const uint8_t *truth,
	size_t count)
{
	uint64_t *key = array_new(2 * count, sizeof *key);
	double positives = 0;

	*c = (struct curve){ (double)NAN, (double)NAN, (double)NAN, (double)NAN };
	for (size_t i = 0; i < count; i++) {
		key[i] = key_of(probability[i * stride], truth[i]);
		positives += truth[i];
	}
	if (positives > 0) {
		sort(key, key + count, count);
		walk(c, key, count, positives);
	}
	free(key);
}
