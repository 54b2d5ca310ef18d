#include "base/axis.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Values nearer to each other than this part of themselves are one value and its roundings. */
#define SAME  1e-12L
#define SLACK 1e-9L /* of a unit: what may be missing from a whole number of them */

/* Numbers are written plainly up to so many digits before the point and behind it, then with an exponent; but not where that would need
 * nearly as many digits. */
#define PLAIN_MOST    7
#define DECIMALS_MOST 5
#define DIGITS_SHOWN  6
#define DIGITS_MAX    17

static_assert(LDBL_MIN_EXP < DBL_MIN_EXP - DBL_MANT_DIG - 8 && LDBL_MAX_EXP > DBL_MAX_EXP + 8,
	"the difference of two doubles, or a part of one, is out of range");

/* The first and the last multiple of the unit between the ends. */
static long double first_of(const struct axis *x)
{
	return ceill(x->low / x->unit - SLACK);
}

static long double last_of(const struct axis *x)
{
	return floorl(x->high / x->unit + SLACK);
}

/* The smallest 1, 2 or 5 times a power of ten, not below `least`, of which at most `most` multiples are between the ends. */
static void choose_unit(struct axis *x, unsigned most, long double least)
{
	static const long double digits[] = { 1, 2, 5 };
	long double exponent = floorl(log10l((x->high - x->low) / most));
	unsigned i = 0;

	do {
		x->unit = digits[i % 3] * powl(10, exponent + (long double)(i / 3));
		i++;
	} while (x->unit < least || last_of(x) - first_of(x) + 1 > most);
}

static void put_multiples(struct axis *x)
{
	long double n, last = last_of(x);

	x->count = 0;
	/* No -0: it would be written so. */
	for (n = first_of(x); n <= last && x->count < AXIS_TICKS_MAX; n++)
		x->ticks[x->count++] = n * x->unit + 0.0L;
}

static void widen_to_three(struct axis *x)
{
	while (last_of(x) - first_of(x) + 1 < 3) {
		long double below = (first_of(x) - 1) * x->unit, above = (last_of(x) + 1) * x->unit;

		if (x->low - below <= above - x->high)
			x->low = below;
		else
			x->high = above;
	}
}

/* Values that are all the same: that value is the only number. */
static void keep_one(struct axis *x, long double low, long double high)
{
	x->ticks[0] = x->low;
	x->count = 1;
	x->low = low;
	x->high = high;
}

static void make_linear(struct axis *x, unsigned most)
{
	long double largest = fmaxl(fabsl(x->low), fabsl(x->high));
	long double around = largest > 0 ? largest / 2 : 1;

	if (x->high - x->low <= SAME * largest) {
		keep_one(x, x->low - around, x->low + around);
		return;
	}
	choose_unit(x, most, 0);
	widen_to_three(x);
	put_multiples(x);
}

/* `digits` times each power of ten whose exponent is a multiple of `every`. Returns how many there are. */
static unsigned put_decades(struct axis *x, const char *digits, int every)
{
	int exponent = (int)floorl(log10l(x->low)), last = (int)ceill(log10l(x->high));
	unsigned count = 0;
	size_t i;

	for (; exponent <= last; exponent++)
		for (i = 0; digits[i] != '\0' && exponent % every == 0; i++) {
			long double value = (long double)(digits[i] - '0') * powl(10, exponent);

			if (value < x->low * (1 - SAME) || value > x->high * (1 + SAME))
				continue;
			if (count < AXIS_TICKS_MAX)
				x->ticks[count] = value;
			count++;
		}
	return count;
}

static void make_log(struct axis *x, unsigned most)
{
	static const struct {
		const char *digits;
		int every;
	} rows[] = { { "125", 1 }, { "15", 1 }, { "1", 1 }, { "1", 2 }, { "1", 5 }, { "1", 10 },
		{ "1", 20 }, { "1", 50 }, { "1", 100 }, { "1", 200 } };
	size_t i;

	if (x->high <= x->low * (1 + SAME)) {
		keep_one(x, x->low / 3, x->low * 3);
		return;
	}
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		x->count = put_decades(x, rows[i].digits, rows[i].every);
		if (x->count <= most)
			break;
	}
	if (x->count >= 2)
		return;
	choose_unit(x, most, 0); /* less than a decade */
	put_multiples(x);
}

void axis_make(
	struct axis *x, enum axis_scale scale, double least, double most_value, unsigned most)
{
	assert(most >= 3 && most <= AXIS_TICKS_MAX && least <= most_value);
	*x = (struct axis){
		.scale = scale, .low = (long double)least, .high = (long double)most_value
	};
	if (scale == AXIS_LOG)
		make_log(x, most);
	else
		make_linear(x, most);
}

void axis_steps(struct axis *x, int64_t first, int64_t last, unsigned most)
{
	assert(most >= 3 && most <= AXIS_TICKS_MAX && first <= last);
	*x = (struct axis){ .low = (long double)first, .high = (long double)last, .unit = 1 };
	if (first < last)
		choose_unit(x, most, 1);
	put_multiples(x);
	if (first == last)
		keep_one(x, x->low - 1, x->low + 1);
}

double axis_place(const struct axis *x, long double value)
{
	long double place;

	if (x->scale == AXIS_LOG)
		place = (logl(value) - logl(x->low)) / (logl(x->high) - logl(x->low));
	else
		place = (value - x->low) / (x->high - x->low);
	return (double)fminl(fmaxl(place, 0), 1);
}

/* Of evenly spaced ones: digits that tell neighbours apart, and how many of them are behind the point. */
static int digits_of(const struct axis *x, int *decimals)
{
	long double largest = fmaxl(fabsl(x->ticks[0]), fabsl(x->ticks[x->count - 1]));
	int digits;

	*decimals = -(int)floorl(log10l(x->unit) + SLACK);
	digits = largest > 0 ? (int)floorl(log10l(largest) + SLACK) + *decimals + 1 : 1;
	return digits > DIGITS_MAX ? DIGITS_MAX : digits < 1 ? 1 : digits;
}

const char *axis_label(const struct axis *x, unsigned tick, char text[32])
{
	int decimals = 0, digits = x->unit > 0 ? digits_of(x, &decimals) : DIGITS_SHOWN;
	bool is_short = digits - decimals <= PLAIN_MOST || digits >= DIGITS_SHOWN;

	if (x->unit > 0 && is_short && decimals <= DECIMALS_MOST && digits - decimals < DIGITS_MAX)
		(void)snprintf(text, 32, "%.*Lf", decimals > 0 ? decimals : 0, x->ticks[tick]);
	else
		(void)snprintf(text, 32, "%.*Lg", digits, x->ticks[tick]);
	return text;
}

unsigned axis_label_length(const struct axis *x)
{
	size_t most = 0;
	char text[32];
	unsigned i;

	for (i = 0; i < x->count; i++) {
		size_t len = strlen(axis_label(x, i, text));

		most = len > most ? len : most;
	}
	return (unsigned)most;
}
