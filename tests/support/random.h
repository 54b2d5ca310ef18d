/*
 * tests/support/random.h - numbers that are drawn from a seed, the same on every machine.
 *
 *     struct dice d = { seed };  dice_below(&d, 6);  dice_one_in(&d, 10);
 */
#ifndef FLOW_TESTS_RANDOM_H
#define FLOW_TESTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct dice {
	uint64_t state;
};

/* splitmix64 (Steele, Lea, Flood 2014) */
static inline uint64_t dice_next(struct dice *d)
{
	uint64_t x = d->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint32_t dice_below(struct dice *d, uint32_t limit)
{
	return (uint32_t)((dice_next(d) >> 32) * limit >> 32);
}

static inline uint32_t dice_between(struct dice *d, uint32_t low, uint32_t high)
{
	return low + dice_below(d, high - low + 1);
}

static inline bool dice_one_in(struct dice *d, uint32_t n)
{
	return dice_below(d, n) == 0;
}

/* A number from the environment, for a longer run or to repeat one. */
static inline uint64_t dice_setting(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 0) : fallback;
}

#endif
