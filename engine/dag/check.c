#include <string.h>

#include "base/near.h"
#include "base/path.h"
#include "dag/diag.h"
#include "dag/graph.h"
#include "dag/load.h"

static const char *owner_of(const struct graph *g, uint32_t out)
{
	uint32_t n;

	for (n = 0; n < g->node_count; n++)
		if (out - g->nodes[n].outs.first < g->nodes[n].outs.count)
			return node_name(g, n);
	return "";
}

/* The stem of a path: its length without the last suffix. */
static size_t stem(const char *path)
{
	const char *base = path_base(path), *dot = strrchr(base, '.');

	return dot != NULL && dot != base ? (size_t)(dot - path) : strlen(path);
}

/* The out most like a path: the same but for its suffix, else the nearest. */
static uint32_t nearest_out(const struct graph *g, uint32_t out_count, const char *path)
{
	size_t len = stem(path);
	uint32_t best = NO_OUT, i;
	struct near near;

	near_start(&near, path);
	for (i = 0; i < out_count; i++) {
		const char *other = graph_text(g, g->outs[i].path), *before = near.best;

		if (stem(other) == len && strncmp(other, path, len) == 0)
			return i;
		near_offer(&near, other);
		if (near.best != before)
			best = i;
	}
	return best;
}

static uint32_t count_outs(const struct graph *g)
{
	uint32_t n, count = 0;

	for (n = 0; n < g->node_count; n++)
		count += g->nodes[n].outs.count;
	return count;
}

static void report(const struct graph *g, const struct dep *dep, struct diags *d)
{
	const char *path = graph_text(g, dep->path);
	struct place at = { .file = graph_text(g, dep->at.file),
		.line = dep->at.line,
		.col = dep->at.col,
		.width = (uint32_t)strlen(path) };
	size_t known = d->count;
	uint32_t out;
	struct diag *diag =
		diag_add(d, "E0204", at, "no stage writes `%s` and it is not there", path);

	if (d->count == known) /* told before: looking for a like path takes time */
		return;
	out = nearest_out(g, count_outs(g), path);
	if (out != NO_OUT)
		diag_note(d, diag, "`%s` writes `%s`", owner_of(g, out),
			graph_text(g, g->outs[out].path));
}

void dag_check_deps(const struct graph *g, bool (*exists)(void *user, uint32_t dep_index),
	void *user, struct diags *d)
{
	uint32_t n, i;

	for (n = 0; n < g->node_count; n++) {
		struct span span = g->nodes[n].deps;

		for (i = span.first; i < span.first + span.count; i++)
			if (g->deps[i].producer == NO_NODE && !exists(user, i))
				report(g, &g->deps[i], d);
	}
	diags_sort(d);
}
