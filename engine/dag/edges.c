#include "dag/edges.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "base/near.h"
#include "base/vec.h"
#include "dag/build.h"
#include "dag/diag.h"
#include "dag/paths.h"

#define NONE UINT32_MAX

struct edge {
	uint32_t from, to;
};

struct edge_table {
	struct edge *items;
	size_t count, cap;
};

/* A dep that no out is, nor holds: perhaps a folder that holds outs. */
struct wish {
	uint32_t found; /* first in chain, or NONE */
	uint32_t last;
};

struct wish_table {
	struct wish *items;
	size_t count, cap;
};

struct link {
	uint32_t out, next;
};

struct link_table {
	struct link *items;
	size_t count, cap;
};

struct joiner {
	struct build *build;
	struct paths outs;   /* path -> out */
	struct paths wishes; /* path -> index into wish */
	struct wish_table wish;
	struct link_table links;
	struct edge_table edges;
	uint32_t *owner;   /* out -> node */
	uint32_t *wish_of; /* dep -> wish, or NONE */
};

static const char *text(const struct joiner *j, uint32_t at)
{
	return text_pool_text(&j->build->text, at);
}

static struct place place_of(const struct joiner *j, const struct pos *at, uint32_t path)
{
	return (struct place){ .file = text(j, at->file),
		.line = at->line,
		.col = at->col,
		.width = (uint32_t)strlen(text(j, path)) };
}

static const char *owner_name(const struct joiner *j, uint32_t out)
{
	return text(j, j->build->nodes.items[j->owner[out]].name);
}

static void note_other(struct joiner *j, struct diag *diag, uint32_t other)
{
	const struct out *out = &j->build->outs.items[other];

	diag_note(j->build->diags, diag, "`%s` has `%s` at %s:%u:%u", owner_name(j, other),
		text(j, out->path), text(j, out->at.file), out->at.line, out->at.col);
}

static void index_outs(struct joiner *j)
{
	struct build *b = j->build;
	uint32_t n, i;

	j->owner = mem_alloc((b->outs.count + 1) * sizeof *j->owner);
	paths_reserve(&j->outs, (uint32_t)b->outs.count);
	for (n = 0; n < b->nodes.count; n++) {
		struct span span = b->nodes.items[n].outs;

		for (i = span.first; i < span.first + span.count; i++) {
			const struct out *out = &b->outs.items[i];
			uint32_t *other = paths_put(&j->outs, text(j, out->path), i);
			struct diag *diag;

			j->owner[i] = n;
			if (other == NULL)
				continue;
			diag = diag_add(b->diags, "E0201", place_of(j, &out->at, out->path),
				"`%s` is an out of both `%s` and `%s`", text(j, out->path),
				owner_name(j, *other), owner_name(j, i));
			if (j->owner[*other] == n)
				diag_label(b->diags, diag, "listed twice");
			note_other(j, diag, *other);
		}
	}
}

/* The out that holds a path as a folder above it, or NONE. */
static uint32_t out_above(const struct joiner *j, const char *path)
{
	size_t len = strlen(path);
	const uint32_t *at;

	while ((len = paths_parent(path, len)) > 0) {
		at = paths_get(&j->outs, path, len);
		if (at != NULL)
			return *at;
	}
	return NONE;
}

static void check_nesting(struct joiner *j)
{
	struct build *b = j->build;
	uint32_t i;

	for (i = 0; i < b->outs.count; i++) {
		const struct out *out = &b->outs.items[i];
		uint32_t above = out_above(j, text(j, out->path));
		struct diag *diag;

		if (above == NONE)
			continue;
		diag = diag_add(b->diags, "E0202", place_of(j, &out->at, out->path),
			"the out `%s` of `%s` lies inside another out, `%s`", text(j, out->path),
			owner_name(j, i), text(j, b->outs.items[above].path));
		note_other(j, diag, above);
	}
}

static void add_edge(struct joiner *j, uint32_t from, uint32_t to)
{
	struct edge edge = { .from = from, .to = to };

	vec_push(&j->edges, edge);
}

static void own_out(struct joiner *j, uint32_t node, const struct dep *dep, uint32_t out)
{
	const struct build *b = j->build;
	struct diag *diag = diag_add(b->diags, "E0203", place_of(j, &dep->at, dep->path),
		"`%s` reads `%s`, which it makes itself", text(j, b->nodes.items[node].name),
		text(j, dep->path));

	if (dep->path != b->outs.items[out].path)
		note_other(j, diag, out);
}

/* Join a dep with the out it is or lies in, or write it down as a wish. */
static void join_dep(struct joiner *j, uint32_t node, uint32_t index)
{
	struct dep *dep = &j->build->deps.items[index];
	const char *path = text(j, dep->path);
	const uint32_t *at = paths_get(&j->outs, path, strlen(path));
	uint32_t out = at != NULL ? *at : out_above(j, path), *known;
	struct wish wish = { .found = NONE, .last = NONE };

	j->wish_of[index] = NONE;
	if (out != NONE && j->owner[out] == node) {
		own_out(j, node, dep, out);
	} else if (out != NONE) {
		dep->producer = j->owner[out];
		dep->out = at != NULL ? out : NO_OUT;
		add_edge(j, dep->producer, node);
	} else {
		known = paths_put(&j->wishes, path, (uint32_t)j->wish.count);
		j->wish_of[index] = known != NULL ? *known : (uint32_t)j->wish.count;
		if (known == NULL)
			vec_push(&j->wish, wish);
	}
}

static void join_deps(struct joiner *j)
{
	struct build *b = j->build;
	uint32_t n, i;

	j->wish_of = mem_alloc((b->deps.count + 1) * sizeof *j->wish_of);
	for (n = 0; n < b->nodes.count; n++) {
		struct span span = b->nodes.items[n].deps;

		for (i = span.first; i < span.first + span.count; i++)
			join_dep(j, n, i);
	}
}

static void grant(struct joiner *j, uint32_t index, uint32_t out)
{
	struct wish *wish = &j->wish.items[index];
	struct link link = { .out = out, .next = NONE };

	if (wish->last == NONE)
		wish->found = (uint32_t)j->links.count;
	else
		j->links.items[wish->last].next = (uint32_t)j->links.count;
	wish->last = (uint32_t)j->links.count;
	vec_push(&j->links, link);
}

/* Every out asks the folders above it whether somebody wishes for them. */
static void grant_wishes(struct joiner *j)
{
	const struct build *b = j->build;
	uint32_t *top = paths_get(&j->wishes, ".", 1), i;

	for (i = 0; i < b->outs.count && j->wish.count > 0; i++) {
		const char *path = text(j, b->outs.items[i].path);
		size_t len = strlen(path);
		const uint32_t *at;

		while ((len = paths_parent(path, len)) > 0) {
			at = paths_get(&j->wishes, path, len);
			if (at != NULL)
				grant(j, *at, i);
		}
		if (top != NULL)
			grant(j, *top, i);
	}
}

static int too_many(struct joiner *j, uint32_t node)
{
	const struct build *b = j->build;
	const struct stage *stage = &b->stages.items[b->nodes.items[node].stage];

	diag_add(b->diags, "E0211", place_of(j, &stage->at, stage->name),
		"the pipeline is too large: at `%s` it has over 20000000 edges",
		text(j, stage->name));
	return -1;
}

/* Edges from every producer inside a folder that is a dep. */
static int join_folder(struct joiner *j, uint32_t node, uint32_t index)
{
	struct dep *dep = &j->build->deps.items[index];
	uint32_t wish = j->wish_of[index], at;

	if (wish == NONE)
		return 0;
	for (at = j->wish.items[wish].found; at != NONE; at = j->links.items[at].next) {
		uint32_t out = j->links.items[at].out;

		if (j->owner[out] == node) {
			own_out(j, node, dep, out);
			return 0;
		}
		if (dep->producer == NO_NODE)
			dep->producer = j->owner[out];
		add_edge(j, j->owner[out], node);
		if (j->edges.count > BUILD_PORTS_MAX)
			return too_many(j, node);
	}
	return 0;
}

static int join_folders(struct joiner *j)
{
	const struct build *b = j->build;
	uint32_t n, i;

	if (j->links.count == 0)
		return 0;
	for (n = 0; n < b->nodes.count; n++) {
		struct span span = b->nodes.items[n].deps;

		for (i = span.first; i < span.first + span.count; i++)
			if (join_folder(j, n, i) < 0)
				return -1;
	}
	return 0;
}

/* Names of stages, and those of tasks with an `@` when some need has one. */
static void index_names(struct joiner *j, struct map *stages, struct map *tasks)
{
	const struct build *b = j->build;
	bool has_task = false;
	uint32_t i;

	for (i = 0; i < b->needs.count; i++)
		has_task = has_task || strchr(text(j, b->needs.items[i].name), '@') != NULL;
	map_reserve(stages, (uint32_t)b->stages.count);
	for (i = 0; i < b->stages.count; i++)
		(void)map_put(stages, text(j, b->stages.items[i].name), i);
	for (i = 0; has_task && i < b->nodes.count; i++)
		(void)map_put(tasks, text(j, b->nodes.items[i].name), i);
}

static void unknown_need(struct joiner *j, const struct need *need)
{
	const struct build *b = j->build;
	const char *name = text(j, need->name);
	struct place at = place_of(j, &need->at, need->name);
	size_t known = b->diags->count, i;
	struct diag *diag;
	struct near near;

	at.width = need->width;
	diag = diag_add(b->diags, "E0206", at, "`%s` needs `%.200s`, and there is no such stage",
		text(j, b->nodes.items[need->node].name), name);
	if (b->diags->count == known) /* told before: looking for a like name takes time */
		return;
	near_start(&near, name);
	for (i = 0; i < b->stages.count; i++)
		near_offer(&near, text(j, b->stages.items[i].name));
	for (i = 0; strchr(name, '@') != NULL && i < b->nodes.count; i++)
		near_offer(&near, text(j, b->nodes.items[i].name));
	if (near.best != NULL)
		diag_label(b->diags, diag, "did you mean `%s`?", near.best);
}

static int join_need(struct joiner *j, const struct need *need, const struct map *stages,
	const struct map *tasks)
{
	const char *name = text(j, need->name);
	const uint32_t *at = map_get(stages, name);
	struct span span;
	uint32_t i;

	if (at != NULL) {
		span = j->build->stages.items[*at].nodes;
	} else if ((at = map_get(tasks, name)) != NULL) {
		span = (struct span){ .first = *at, .count = 1 };
	} else {
		unknown_need(j, need);
		return 0;
	}
	for (i = span.first; i < span.first + span.count; i++)
		add_edge(j, i, need->node);
	return j->edges.count > BUILD_PORTS_MAX ? too_many(j, need->node) : 0;
}

static int join_needs(struct joiner *j)
{
	struct map stages = { 0 }, tasks = { 0 };
	int rc = 0;
	size_t i;

	if (j->build->needs.count == 0)
		return 0;
	index_names(j, &stages, &tasks);
	for (i = 0; i < j->build->needs.count && rc == 0; i++)
		rc = join_need(j, &j->build->needs.items[i], &stages, &tasks);
	map_release(&stages);
	map_release(&tasks);
	return rc;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Sort one list and drop what is there twice. Lists are short: mostly they are sorted as they
 * come. */
static uint32_t tidy(uint32_t *list, uint32_t count)
{
	uint32_t i, kept = 0;

	for (i = 1; i < count; i++)
		if (list[i] <= list[i - 1])
			break;
	if (i >= count)
		return count;
	qsort(list, count, sizeof *list, by_number);
	for (i = 0; i < count; i++)
		if (kept == 0 || list[i] != list[kept - 1])
			list[kept++] = list[i];
	return kept;
}

/* Edges sorted by their end: `before` of every node, in `links`. */
static void put_before(struct joiner *j)
{
	struct build *b = j->build;
	uint32_t *at = mem_zalloc((b->nodes.count + 2) * sizeof *at), *sorted, used = 0;
	size_t i;

	sorted = mem_alloc((j->edges.count + 1) * sizeof *sorted);
	for (i = 0; i < j->edges.count; i++)
		at[j->edges.items[i].to + 2]++;
	for (i = 2; i < b->nodes.count + 2; i++)
		at[i] += at[i - 1];
	for (i = 0; i < j->edges.count; i++)
		sorted[at[j->edges.items[i].to + 1]++] = j->edges.items[i].from;
	vec_reserve(&b->links, j->edges.count * 2);
	for (i = 0; i < b->nodes.count; i++) {
		uint32_t count = tidy(sorted + at[i], at[i + 1] - at[i]);

		b->nodes.items[i].before = (struct span){ .first = used, .count = count };
		if (count > 0)
			memcpy(b->links.items + used, sorted + at[i], count * sizeof *sorted);
		used += count;
	}
	b->links.count = used;
	free(sorted);
	free(at);
}

/* The reverse. Nodes are walked in order, so every list comes out sorted. */
static void put_after(struct build *b)
{
	uint32_t edges = (uint32_t)b->links.count, n, i, used = edges;

	for (i = 0; i < edges; i++)
		b->nodes.items[b->links.items[i]].after.count++;
	for (n = 0; n < b->nodes.count; n++) {
		b->nodes.items[n].after.first = used;
		used += b->nodes.items[n].after.count;
		b->nodes.items[n].after.count = 0;
	}
	b->links.count = used;
	for (n = 0; n < b->nodes.count; n++) {
		struct span before = b->nodes.items[n].before;

		for (i = before.first; i < before.first + before.count; i++) {
			struct span *after = &b->nodes.items[b->links.items[i]].after;

			b->links.items[after->first + after->count++] = n;
		}
	}
}

int edges_make(struct build *b)
{
	struct joiner j = { .build = b };

	index_outs(&j);
	check_nesting(&j);
	join_deps(&j);
	grant_wishes(&j);
	if (join_folders(&j) == 0 && join_needs(&j) == 0 && b->diags->count == 0) {
		put_before(&j);
		put_after(b);
	}
	paths_release(&j.outs);
	paths_release(&j.wishes);
	vec_release(&j.wish);
	vec_release(&j.links);
	vec_release(&j.edges);
	free(j.owner);
	free(j.wish_of);
	return b->diags->count > 0 ? ERR_INPUT : 0;
}
