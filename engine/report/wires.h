/*
 * report/wires.h - the lines between two columns of a drawing.
 *
 *     struct wires w;  wires_make(&w, sources, count)  ...w.nets, w.columns...  wires_release(&w);
 * What leads to the same targets shares a net: one vertical line that its sources and targets hang
 * on. Each net gets a column so that no line can be taken for part of another; where that is
 * impossible wires_make returns -1.
 */
#ifndef FLOW_REPORT_WIRES_H
#define FLOW_REPORT_WIRES_H

#include <stdbool.h>
#include <stdint.h>

#define WIRE_ROWS 128 /* rows a drawing may have */

/* Rows as bits. */
struct rows {
	uint64_t bits[WIRE_ROWS / 64];
};

/* One end on the left: its row, and the rows on the right that it leads to. */
struct wire {
	uint32_t row;
	struct rows targets;
};

struct net {
	struct rows sources, targets;
	uint32_t low, high; /* rows its vertical line spans */
	uint32_t column;
	bool is_straight; /* one source and one target in one row: no vertical line */
};

struct wires {
	struct net *nets;
	uint32_t count, columns;
};

int wires_make(struct wires *w, const struct wire *list, uint32_t count);
void wires_release(struct wires *w);

static inline void rows_set(struct rows *r, uint32_t row)
{
	r->bits[row / 64] |= UINT64_C(1) << (row % 64);
}

static inline bool rows_has(const struct rows *r, uint32_t row)
{
	return (r->bits[row / 64] >> (row % 64) & 1) != 0;
}

#endif
