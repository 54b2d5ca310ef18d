/*
 * common/numbers.h - columns of numbers from text: what number.h does for one text, for many of one shape.
 *
 *     done = numbers_floats(value, text, span, columns, rows);
 *     ...value[0] to value[done - 1] are made; the text of value[done] is of another shape...
 *
 * The shapes that most have, [-]digits.digits or [-]digits, are read without a jump that goes now this way,
 * now that: it is not guessed wrong, and several are under way at once. The bits are those of number_float() and
 * number_integer(), which the caller asks about the rest: exponents, blanks, leading zeros, nothing at all.
 */
#ifndef FLOW_STAGES_COMMON_NUMBERS_H
#define FLOW_STAGES_COMMON_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#define NUMBERS_MARGIN 16 /* bytes after the text that may be read, whatever they are */

/* Where in a text something is. */
struct span {
	uint32_t start, length;
};

/* The text of value[i] is span[i * stride], which is not looked at when it has no length, or a very large one. Returns how
 * many were made, up to `count`. */
size_t numbers_floats(double *value, const char *text, const struct span *span, size_t stride, size_t count);
size_t numbers_integers(int64_t *value, const char *text, const struct span *span, size_t stride, size_t count);

#endif
