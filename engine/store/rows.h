/*
 * store/rows.h - lists of rows: collected on the heap while they grow, kept in an arena.
 *
 *     struct run_list found = { 0 };
 *     ...vec_push(&found, row)...
 *     rows_keep(out, &found, arena);       *out has them now; found is empty again
 *     rows_drop(&found);                   instead, on failure
 *
 *     row.began_ms = row_time(db_int(s, 2));   a damaged time is brought to 1970 ... 9999: reports take differences
 */
#ifndef FLOW_STORE_ROWS_H
#define FLOW_STORE_ROWS_H

#include <stdint.h>

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

#define ROW_TIME_MOST INT64_C(253402300799999)

static inline int64_t row_time(int64_t ms)
{
	return ms < 0 ? 0 : ms > ROW_TIME_MOST ? ROW_TIME_MOST : ms;
}

#endif
