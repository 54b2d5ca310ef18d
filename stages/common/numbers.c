#include "common/numbers.h"

#include "common/digits.h"
#include "common/numbers_eight.h"

#define LENGTH_MAX 22 /* a sign, a point, a zero that leads, 19 digits */

/* 1: it is made. Looks at 16 bytes before the end of the text and at 9 from its beginning. */
static inline int read_float(double *value, const char *at, size_t length)
{
	size_t negative = at[0] == '-', size = length - negative, before, after, tail;
	uint64_t head = digits_load(at + negative), points = head ^ DIGITS_POINTS, wrong, low, mantissa, bits;
	size_t zero_first = (head & 0xff) == 0;

	points = (points - DIGITS_LOW_BITS) & ~points & (DIGITS_LOW_BITS << 7);
	if (points == 0)
		return 0;
	before = (size_t)__builtin_ctzll(points) >> 3;
	after = size - before - 1;
	/* A zero before the point is no digit that counts. A point that lies behind the text makes `after` a huge number. */
	if (before == 0 || after - 1 >= DIGITS_MAX - before + zero_first)
		return 0;
	tail = after < 16 ? after : 16;
	low = digits_last(at + length - 16, tail, &wrong);
	/* The digits before the point, and those behind it that are not in `low` */
	points = ((points & -points) >> 7) - 1;
	head = digits_first((head & points) | (head >> 8 & ~points), before + after - tail);
	if ((wrong | digits_others(head) | ((before > 1) & zero_first)) != 0)
		return 0;
	mantissa = digits_eight(head) * digits_tens[tail] + low;
	bits = digits_nearest(mantissa | (mantissa == 0), -(int64_t)after);
	bits = (mantissa != 0 ? bits : 0) | (uint64_t)negative << 63;
	memcpy(value, &bits, sizeof bits);
	return 1;
}

size_t numbers_floats(double *value, const char *text, const struct span *span, size_t stride, size_t count)
{
	int by_eight = numbers_eight();
	size_t done = 0;

	while (done < count) {
		size_t last = count;

		if (by_eight) {
			done += numbers_eight_floats(value + done, text, span + done * stride, stride, count - done);
			last = count - done < 8 ? count : done + 8;
		}
		for (; done < last; done++) {
			const struct span *s = span + done * stride;

			if (s->length - 1 >= LENGTH_MAX || s->start < 16 ||
				!read_float(&value[done], text + s->start, s->length))
				return done;
		}
	}
	return done;
}

static inline int read_integer(int64_t *value, const char *at, size_t length)
{
	size_t negative = at[0] == '-', size = length - negative;
	uint64_t wrong, made;

	if (size - 1 >= 16)
		return 0;
	made = digits_last(at + length - 16, size, &wrong);
	wrong |= (size > 1) & (at[negative] == '0');
	*value = (int64_t)((made ^ -(uint64_t)negative) + negative);
	return wrong == 0;
}

size_t numbers_integers(int64_t *value, const char *text, const struct span *span, size_t stride, size_t count)
{
	int by_eight = numbers_eight();
	size_t done = 0;

	while (done < count) {
		size_t last = count;

		if (by_eight) {
			done += numbers_eight_integers(value + done, text, span + done * stride, stride, count - done);
			last = count - done < 8 ? count : done + 8;
		}
		for (; done < last; done++) {
			const struct span *s = span + done * stride;

			if (s->length - 1 >= LENGTH_MAX || s->start < 16 ||
				!read_integer(&value[done], text + s->start, s->length))
				return done;
		}
	}
	return done;
}
