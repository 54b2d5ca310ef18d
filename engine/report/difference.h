/*
 * report/difference.h - how two files differ: from which byte on, and for files of numbers by how much.
 *
 *     struct difference d;
 *     difference_of(&d, was_fd, is_fd, &arena, e)
 *     if (d.sizes || d.first...)
 *
 * NPY, safetensors and JSON are known by their content. Where both files have the same tensors or keys, `most` is the largest absolute
 * difference of two numbers and `where` its tensor or key; where they have not, `other` says what is not the same. Two
 * NaN are the same. I/O errors of the two files are errors. Nothing is mapped, however large.
 */
#ifndef FLOW_REPORT_DIFFERENCE_H
#define FLOW_REPORT_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct err;

struct difference {
	bool same;              /* byte for byte */
	uint64_t was_size, is_size;
	uint64_t first;         /* first byte that differs; the shorter size when one is the beginning of the other */
	const char *format;     /* "npy", "safetensors", "json", or "" */
	const char *other;      /* what cannot be compared: "key `b` is new"; "" when all can be */
	const char *where;      /* "layer.weight[12]", "loss"; "" when no number differs */
	double most;            /* infinite when one of the two is NaN or infinite */
	double was, is;         /* the two numbers */
	uint64_t numbers, differing;
};

int difference_of(struct difference *out, int was_fd, int is_fd, struct arena *a, struct err *e);
/* Only numbers differ, and none by more than that. Files without a known format are within none. */
bool difference_within(const struct difference *d, double tolerance);

#endif
