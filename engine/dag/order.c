#include "dag/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "dag/build.h"
#include "dag/diag.h"

#define SHOWN_MAX 50 /* tasks of a circle that are named */
#define DONE      UINT32_MAX

static const uint32_t *links(const struct build *b, struct span span)
{
	return b->links.items + span.first;
}

/* Give every node its depth, sources first. waits[n] becomes DONE; what is left waits for a
 * circle. */
static uint32_t walk(struct build *b, uint32_t *waits, uint32_t *queue)
{
	uint32_t count = (uint32_t)b->nodes.count, head, tail = 0, n, i;

	for (n = 0; n < count; n++) {
		waits[n] = b->nodes.items[n].before.count;
		if (waits[n] == 0)
			queue[tail++] = n;
	}
	for (head = 0; head < tail; head++) {
		const struct node *node = &b->nodes.items[queue[head]];

		waits[queue[head]] = DONE;
		for (i = 0; i < node->after.count; i++) {
			uint32_t to = links(b, node->after)[i];
			struct node *next = &b->nodes.items[to];

			if (next->depth < node->depth + 1)
				next->depth = node->depth + 1;
			if (--waits[to] == 0)
				queue[tail++] = to;
		}
	}
	return tail;
}

static const char *name_of(const struct build *b, uint32_t node)
{
	return text_pool_text(&b->text, b->nodes.items[node].name);
}

/* circle[0..count) stands in running order. */
static void report(struct build *b, const uint32_t *circle, uint32_t count)
{
	struct buf names = { 0 }, places = { 0 };
	uint32_t first = 0, i;
	const struct stage *stage;
	struct diag *diag;

	for (i = 1; i < count; i++)
		if (circle[i] < circle[first])
			first = i;
	for (i = 0; i <= count; i++) {
		uint32_t node = circle[(first + i) % count];
		const struct stage *s = &b->stages.items[b->nodes.items[node].stage];

		if (i >= SHOWN_MAX && i < count)
			continue;
		if (i == count && count > SHOWN_MAX)
			buf_printf(&names, " -> (%u more)", count - SHOWN_MAX);
		buf_printf(&names, "%s%s", i > 0 ? " -> " : "", name_of(b, node));
		if (i < count)
			buf_printf(&places, "%s`%s` at %s:%u", i > 0 ? ", " : "", name_of(b, node),
				text_pool_text(&b->text, s->at.file), s->at.line);
	}
	stage = &b->stages.items[b->nodes.items[circle[first]].stage];
	diag = diag_add(b->diags, "E0207",
		(struct place){ .file = text_pool_text(&b->text, stage->at.file),
			.line = stage->at.line,
			.col = stage->at.col,
			.width = (uint32_t)strlen(text_pool_text(&b->text, stage->name)) },
		"tasks wait for each other: %s", buf_text(&names));
	diag_note(b->diags, diag, "%s", buf_text(&places));
	buf_release(&names);
	buf_release(&places);
}

/* A node that waits still has somebody before it that waits: go back until a node comes again. */
static void find_circles(struct build *b, const uint32_t *waits, uint32_t *trail)
{
	uint32_t *seen = mem_zalloc((b->nodes.count + 1) * sizeof *seen); /* 1 + place in trail */
	uint32_t n, i, length, start, at;

	for (n = 0; n < b->nodes.count; n++) {
		if (waits[n] == DONE || seen[n] != 0)
			continue;
		start = length = 0;
		for (at = n; seen[at] == 0; at = links(b, b->nodes.items[at].before)[i]) {
			trail[length++] = at;
			seen[at] = length;
			for (i = 0; waits[links(b, b->nodes.items[at].before)[i]] == DONE;)
				i++;
		}
		start = seen[at] - 1;
		if (start < length && trail[start] == at) {
			uint32_t low = start, high = length - 1;

			for (; low < high; low++, high--) {
				uint32_t other = trail[low];

				trail[low] = trail[high];
				trail[high] = other;
			}
			report(b, trail + start, length - start);
		}
		for (i = 0; i < length; i++)
			seen[trail[i]] = UINT32_MAX; /* another walk that comes here ends */
	}
	free(seen);
}

int order_make(struct build *b)
{
	size_t size = (b->nodes.count + 1) * sizeof(uint32_t);
	uint32_t *waits = mem_alloc(size), *queue = mem_alloc(size);
	uint32_t done = walk(b, waits, queue);

	if (done < b->nodes.count)
		find_circles(b, waits, queue);
	free(waits);
	free(queue);
	return done < b->nodes.count ? ERR_INPUT : 0;
}
