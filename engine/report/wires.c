#include "report/wires.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define UNPLACED UINT32_MAX

static uint32_t size_of(const struct rows *r)
{
	uint32_t i, count = 0;

	for (i = 0; i < WIRE_ROWS; i++)
		count += rows_has(r, i);
	return count;
}

static bool meet(const struct rows *a, const struct rows *b)
{
	return ((a->bits[0] & b->bits[0]) | (a->bits[1] & b->bits[1])) != 0;
}

static void gather(struct wires *w, const struct wire *list, uint32_t count)
{
	uint32_t i, j;

	for (i = 0; i < count; i++) {
		if (size_of(&list[i].targets) == 0)
			continue;
		for (j = 0; j < w->count; j++)
			if (memcmp(&w->nets[j].targets, &list[i].targets, sizeof(struct rows)) == 0)
				break;
		if (j == w->count) {
			w->nets[j] = (struct net){ .targets = list[i].targets };
			w->count++;
		}
		rows_set(&w->nets[j].sources, list[i].row);
	}
}

static void measure(struct net *n)
{
	uint32_t i;

	n->low = WIRE_ROWS;
	n->high = 0;
	for (i = 0; i < WIRE_ROWS; i++) {
		if (!rows_has(&n->sources, i) && !rows_has(&n->targets, i))
			continue;
		if (n->low > i)
			n->low = i;
		n->high = i;
	}
	n->is_straight = n->low == n->high;
}

/* Two nets that end in one target: the right one must have no other, or it could be read as
 * leading there too. */
static bool can_share_target(const struct net *a, const struct net *b)
{
	return size_of(&a->targets) == 1 || size_of(&b->targets) == 1;
}

/* Whether a must stand left of b. */
static bool is_left(const struct net *a, const struct net *b)
{
	if (meet(&a->sources, &b->targets)) /* a's line arrives in the row that b's leaves by */
		return true;
	return meet(&a->targets, &b->targets) && size_of(&a->targets) > 1;
}

static int check(const struct wires *w)
{
	uint32_t i, j;

	for (i = 0; i < w->count; i++) {
		for (j = 0; j < w->count; j++) {
			const struct net *a = &w->nets[i], *b = &w->nets[j];

			if (i == j)
				continue;
			if (meet(&a->targets, &b->targets) && !can_share_target(a, b))
				return -1;
			if (a->is_straight && meet(&a->targets, &b->targets) &&
				size_of(&b->targets) > 1)
				return -1;
		}
	}
	return 0;
}

static bool overlap(const struct net *a, const struct net *b)
{
	return a->low <= b->high && b->low <= a->high;
}

/* Columns in the order that is_left asks for. -1: it asks for a circle. */
static int place(struct wires *w)
{
	uint32_t placed = 0, i, j;
	bool moved = true;

	for (i = 0; i < w->count; i++) {
		w->nets[i].column = w->nets[i].is_straight ? 0 : UNPLACED;
		placed += w->nets[i].is_straight;
	}
	while (placed < w->count && moved) {
		moved = false;
		for (i = 0; i < w->count; i++) {
			struct net *n = &w->nets[i];
			uint32_t column = 0;

			if (n->column != UNPLACED)
				continue;
			for (j = 0; j < w->count; j++) {
				const struct net *other = &w->nets[j];

				if (other == n || other->is_straight)
					continue;
				if (is_left(other, n) && other->column == UNPLACED)
					break;
				if (other->column != UNPLACED && column <= other->column &&
					(is_left(other, n) || overlap(other, n)))
					column = other->column + 1;
			}
			if (j < w->count)
				continue;
			n->column = column;
			if (w->columns <= column)
				w->columns = column + 1;
			placed++;
			moved = true;
		}
	}
	return placed < w->count ? -1 : 0;
}

int wires_make(struct wires *w, const struct wire *list, uint32_t count)
{
	uint32_t i;

	memset(w, 0, sizeof *w);
	w->nets = mem_zalloc((count + 1) * sizeof *w->nets);
	gather(w, list, count);
	for (i = 0; i < w->count; i++)
		measure(&w->nets[i]);
	if (check(w) == 0 && place(w) == 0)
		return 0;
	wires_release(w);
	return -1;
}

void wires_release(struct wires *w)
{
	free(w->nets);
	memset(w, 0, sizeof *w);
}
