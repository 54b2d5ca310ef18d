/*
 * store/rows.h - lists of rows: collected on the heap while they grow, kept in an arena.
 *
 *     struct run_list found = { 0 };
 *     ...vec_push(&found, row)...
 *     rows_keep(out, &found, arena);       *out has them now; found is empty again
 *     rows_drop(&found);                   instead, on failure
 */
#ifndef FLOW_STORE_ROWS_H
#define FLOW_STORE_ROWS_H

#include "base/arena.h"
#include "base/vec.h"

#define rows_keep(out, found, arena)                                                               \
	do {                                                                                       \
		(out)->items = NULL;                                                               \
		(out)->count = (out)->cap = (found)->count;                                        \
		if ((found)->count > 0)                                                            \
			(out)->items = arena_dup(arena, (found)->items,                            \
				(found)->count * sizeof *(found)->items);                          \
		vec_release(found);                                                                \
	} while (0)

#define rows_drop(found) vec_release(found)

#endif
