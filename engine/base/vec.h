/*
 * base/vec.h - typed arrays that grow.
 *
 *     struct names { const char **items; size_t count, cap; } v = { 0 };
 *     vec_push(&v, "a");  for (i = 0; i < v.count; i++) ...v.items[i]...  vec_release(&v);
 * Any struct with `items`, `count` and `cap` will do.
 */
#ifndef FLOW_BASE_VEC_H
#define FLOW_BASE_VEC_H

#include <stdlib.h>

#include "base/mem.h"

#define vec_reserve(v, n)                                                                          \
	do {                                                                                       \
		if ((v)->cap < (n)) {                                                              \
			(v)->cap = (v)->cap * 2 > (n) ? (v)->cap * 2 : (n);                        \
			if ((v)->cap < 8)                                                          \
				(v)->cap = 8;                                                      \
			(v)->items = mem_grow((v)->items, (v)->cap, sizeof *(v)->items);           \
		}                                                                                  \
	} while (0)

#define vec_push(v, item)                                                                          \
	do {                                                                                       \
		vec_reserve(v, (v)->count + 1);                                                    \
		(v)->items[(v)->count++] = (item);                                                 \
	} while (0)

#define vec_release(v)                                                                             \
	do {                                                                                       \
		free((v)->items);                                                                  \
		(v)->items = NULL;                                                                 \
		(v)->count = (v)->cap = 0;                                                         \
	} while (0)

#endif
