/*
 * One decision procedure, decide(), serves the plan before a run and the settling during it. It looks at the tasks in an
 * order in which producers come first, so that what is known of a producer's outs is known when its readers are looked at.
 */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "dag/graph.h"
#include "plan/explain.h"
#include "plan/key.h"
#include "plan/temp.h"

/* What is known of the inputs of the node under decision. */
struct inputs {
	const struct digest **digests; /* per dep; &plan_unknown when not known yet */
	uint32_t unknown;              /* a producer that is not done, or NO_NODE */
	uint32_t blocked;              /* a producer that is blocked, or NO_NODE */
	const char *missing;           /* path that nobody makes and that is not there, or NULL */
};

static const struct digest unknown;

static bool is_final(const struct plan *p, uint32_t node)
{
	const struct choice *c = &p->choices[node];

	return c->verdict == VERDICT_LEFT_OUT || (c->verdict == VERDICT_REUSE && !c->restore);
}

static uint32_t first_unfinished(const struct plan *p, const struct node *n)
{
	uint32_t i;

	for (i = 0; i < n->before.count; i++) {
		uint32_t before = p->graph->links[n->before.first + i];

		if (!is_final(p, before))
			return before;
	}
	return NO_NODE;
}

static bool is_optional(const struct plan *p, uint32_t out)
{
	return out != NO_OUT && (p->graph->outs[out].flags & OUT_OPTIONAL) != 0;
}

static int digest_from_disk(struct plan *p, const struct dep *dep, struct inputs *in,
	const struct digest **out, struct err *e)
{
	const char *path = graph_text(p->graph, dep->path);
	struct digest *d = arena_alloc(&p->arena, sizeof *d);
	int rc = p->past->source(p->past->user, path, d, e);

	if (rc == ERR_NOTFOUND && is_optional(p, dep->out)) {
		*out = &key_absent;
		return 0;
	}
	if (rc == ERR_NOTFOUND) {
		in->missing = path;
		return 0;
	}
	*out = d;
	return rc;
}

static int dep_digest(struct plan *p, const struct node *n, const struct dep *dep,
	struct inputs *in, const struct digest **out, struct err *e)
{
	const struct choice *producer =
		dep->producer != NO_NODE ? &p->choices[dep->producer] : NULL;
	uint32_t waits = NO_NODE;

	*out = &unknown;
	if (producer != NULL && producer->verdict == VERDICT_BLOCKED) {
		in->blocked = dep->producer;
		return 0;
	}
	if (producer != NULL && dep->out != NO_OUT && producer->verdict != VERDICT_LEFT_OUT) {
		const struct made *made = &p->made[dep->out];

		if (p->known[dep->out])
			*out = (made->mode & MADE_ABSENT) != 0 ? &key_absent : &made->digest;
		else
			waits = dep->producer;
	} else {
		/* Part of an out, or a folder that outs lie in: read from the work tree once all is there. */
		if (producer != NULL && dep->out == NO_OUT)
			waits = first_unfinished(p, n);
		if (waits == NO_NODE)
			return digest_from_disk(p, dep, in, out, e);
	}
	if (waits != NO_NODE)
		in->unknown = waits;
	return 0;
}

static int gather(struct plan *p, uint32_t node, struct inputs *in, struct err *e)
{
	const struct node *n = &p->graph->nodes[node];
	uint32_t i;
	int rc = 0;

	*in = (struct inputs){ .unknown = NO_NODE, .blocked = NO_NODE };
	in->digests = arena_alloc(&p->arena, n->deps.count * sizeof *in->digests);
	for (i = 0; i < n->deps.count && rc == 0; i++)
		rc = dep_digest(p, n, &p->graph->deps[n->deps.first + i], in, &in->digests[i], e);
	if (rc < 0)
		return err_context(e, "task `%s`", node_name(p->graph, node));
	return 0;
}

static int build_parts(struct plan *p, uint32_t node, const struct inputs *in, struct err *e)
{
	struct key_subject s = { .graph = p->graph, .node = node, .inputs = in->digests };
	uint32_t kind = node_stage(p->graph, node)->kind;

	if (kind != STAGE_CMD) {
		int rc = p->past->code(p->past->user, node, &s.code, &s.code_count, e);

		if (rc < 0)
			return rc;
	}
	buf_clear(&p->parts);
	p->parts_node = node;
	key_parts(&p->parts, &s);
	return 0;
}

static void choose(struct choice *c, enum verdict verdict, enum reason reason, const char *name)
{
	c->verdict = (uint8_t)verdict;
	c->reason = (uint8_t)reason;
	c->name = name != NULL ? name : "";
	c->was = c->is = c->origin = "";
	c->others = NULL;
	c->other_count = 0;
}

/* Are the outs of this record at hand? Sets restore when some must come from the store, and lacks when a temp one is gone that was
 * to go; names what is lost otherwise. */
static bool outs_at_hand(
	struct plan *p, uint32_t node, const struct record *r, bool *restore, const char **lost)
{
	const struct node *n = &p->graph->nodes[node];
	struct choice *c = &p->choices[node];
	enum presence presence;
	uint32_t i;

	*restore = c->lacks = c->spoiled = false;
	if (r->out_count != n->outs.count)
		return false;
	for (i = 0; i < r->out_count; i++) {
		const char *path = graph_text(p->graph, p->graph->outs[n->outs.first + i].path);
		const struct made *want = &r->outs[i];

		if ((want->mode & MADE_ABSENT) != 0)
			continue;
		presence = p->past->presence(p->past->user, path, want);
		if (presence == PRESENT_SAME)
			continue;
		if (temp_is_droppable(p->graph, node, n->outs.first + i)) {
			c->lacks = true;
			continue;
		}
		c->spoiled = presence == PRESENT_SPOILED;
		if (c->spoiled || !p->past->stored(p->past->user, want)) {
			*lost = path;
			return false;
		}
		*restore = true;
	}
	return true;
}

static void reuse(struct plan *p, uint32_t node, const struct record *r, bool restore)
{
	struct choice *c = &p->choices[node];

	choose(c, VERDICT_REUSE, REASON_SAME_KEY, NULL);
	c->past = r;
	c->restore = restore;
	plan_made(p, node, r->outs);
	c->restore = restore;
}

static void blame_last_try(struct plan *p, uint32_t node)
{
	static const enum reason reasons[] = { [LAST_NONE] = REASON_NEVER_RUN,
		[LAST_FAILED] = REASON_FAILED_BEFORE,
		[LAST_DISOWNED] = REASON_NOT_TRUSTED };
	const char *why = NULL;
	enum last_try last = p->past->last_try(p->past->user, node, &why);

	choose(&p->choices[node], VERDICT_RUN, reasons[last], last == LAST_DISOWNED ? why : NULL);
}

/* Its outs are known, and a reader needs the bytes of one that is gone. */
static void make_again(struct plan *p, uint32_t node, const struct record *r)
{
	struct choice *c = &p->choices[node];
	struct span outs = p->graph->nodes[node].outs;

	choose(c, VERDICT_RUN, REASON_TEMP_NEEDED, node_name(p->graph, p->needed_by[node] - 1));
	c->past = r;
	c->lacks = false;
	memset(p->known + outs.first, 0, outs.count);
}

/* Find out why a task whose key has no record must run, by its nearest earlier success. REASON_NONE: no component that is known
 * differs, or the records' details are gone. */
static void find_reason(struct plan *p, uint32_t node)
{
	struct choice *c = &p->choices[node];
	const struct record *nearest;
	const void *then;
	size_t len;

	c->past = p->past->latest(p->past->user, node);
	if (c->past == NULL) {
		blame_last_try(p, node);
		return;
	}
	choose(c, VERDICT_RUN, REASON_NONE, NULL);
	if (c->keyed && p->past->failed_with(p->past->user, node, &c->key)) {
		choose(c, VERDICT_RUN, REASON_FAILED_BEFORE, NULL);
		return;
	}
	nearest = p->past->nearest(
		p->past->user, node, buf_text(&p->parts), p->parts.len, &then, &len);
	if (nearest == NULL)
		return;
	c->past = nearest;
	explain_choice(p, c, then, len);
	/* The same components and yet another key: outs count in their order. */
	if (c->reason == REASON_NONE && c->keyed)
		choose(c, VERDICT_RUN, REASON_OUT_CHANGED, NULL);
}

/* Some inputs are not known yet. RUN if something else has changed already, else MAYBE. */
static void decide_early(struct plan *p, uint32_t node, const struct inputs *in)
{
	struct choice *c = &p->choices[node];

	find_reason(p, node);
	if (c->reason == REASON_NONE)
		choose(c, VERDICT_MAYBE, REASON_UPSTREAM_RAN, node_name(p->graph, in->unknown));
}

static void decide_keyed(struct plan *p, uint32_t node)
{
	struct choice *c = &p->choices[node];
	const struct record *r = p->past->latest(p->past->user, node);
	uint32_t out_count = p->graph->nodes[node].outs.count;
	const char *lost = NULL;
	bool restore;

	if (r == NULL || !digest_same(&r->key, &c->key))
		r = p->past->by_key(p->past->user, &c->key, out_count);
	if (r != NULL && outs_at_hand(p, node, r, &restore, &lost)) {
		if (c->lacks && p->needed_by[node] != 0) {
			make_again(p, node, r);
			return;
		}
		reuse(p, node, r, restore);
		return;
	}
	if (r != NULL) {
		choose(c, VERDICT_RUN, c->spoiled ? REASON_OUTPUT_DAMAGED : REASON_OUTPUT_MISSING,
			lost);
		c->past = r;
		return;
	}
	find_reason(p, node);
	if (c->reason == REASON_NONE)
		c->reason = REASON_KEY_FORMAT;
}

/* `frozen: true`: the outs are taken as they lie in the work tree. */
static int decide_frozen(struct plan *p, uint32_t node, struct err *e)
{
	const struct node *n = &p->graph->nodes[node];
	struct choice *c = &p->choices[node];
	uint32_t i;

	choose(c, VERDICT_REUSE, REASON_FROZEN, NULL);
	for (i = 0; i < n->outs.count; i++) {
		uint32_t out = n->outs.first + i;
		const char *path = graph_text(p->graph, p->graph->outs[out].path);
		int rc = p->past->source(p->past->user, path, &p->made[out].digest, e);

		if (rc == ERR_NOTFOUND && !is_optional(p, out)) {
			choose(c, VERDICT_BLOCKED, REASON_FROZEN, path);
			return 0;
		}
		if (rc < 0 && rc != ERR_NOTFOUND)
			return rc;
		p->made[out].mode = rc == ERR_NOTFOUND ? MADE_ABSENT : 0;
		p->known[out] = true;
	}
	return 0;
}

int plan_decide(struct plan *p, uint32_t node, struct err *e)
{
	const struct stage *stage = node_stage(p->graph, node);
	struct choice *c = &p->choices[node];
	struct inputs in;
	int rc;

	if ((stage->flags & STAGE_FROZEN) != 0)
		return decide_frozen(p, node, e);
	if (gather(p, node, &in, e) < 0)
		return e->code;
	if (in.blocked != NO_NODE) {
		choose(c, VERDICT_BLOCKED, REASON_UPSTREAM_BLOCKED,
			node_name(p->graph, in.blocked));
		return 0;
	}
	if (in.missing != NULL && in.unknown == NO_NODE) {
		choose(c, VERDICT_BLOCKED, REASON_INPUT_MISSING, in.missing);
		return 0;
	}
	rc = build_parts(p, node, &in, e);
	if (rc < 0)
		return err_context(e, "task `%s`", node_name(p->graph, node));
	c->keyed = in.unknown == NO_NODE;
	if (c->keyed)
		key_digest(&c->key, &p->parts);
	if (p->forced != NULL && p->forced[node]) {
		choose(c, VERDICT_RUN, REASON_FORCED, NULL);
		return 0;
	}
	if ((stage->flags & STAGE_NO_CACHE) != 0) {
		choose(c, VERDICT_RUN, REASON_VOLATILE, NULL);
		return 0;
	}
	if (c->keyed)
		decide_keyed(p, node);
	else
		decide_early(p, node, &in);
	return 0;
}

/* Nodes by depth, so that producers come before their readers; a counting sort. */
static uint32_t *order_of(struct plan *p)
{
	const struct graph *g = p->graph;
	uint32_t *order = arena_alloc(&p->arena, (g->node_count + 1) * sizeof *order), *start;
	uint32_t deepest = 0, i, at = 0;

	for (i = 0; i < g->node_count; i++)
		if (g->nodes[i].depth > deepest)
			deepest = g->nodes[i].depth;
	start = arena_zalloc(&p->arena, ((size_t)deepest + 2) * sizeof *start);
	for (i = 0; i < g->node_count; i++)
		start[g->nodes[i].depth]++;
	for (i = 0; i <= deepest; i++) {
		uint32_t count = start[i];

		start[i] = at;
		at += count;
	}
	for (i = 0; i < g->node_count; i++)
		order[start[g->nodes[i].depth]++] = i;
	return order;
}

static int decide_all(struct plan *p, const uint32_t *order, const bool *chosen, struct err *e)
{
	const struct graph *g = p->graph;
	uint32_t i;

	for (i = 0; i < g->node_count; i++) {
		p->choices[i] = (struct choice){ .verdict = VERDICT_RUN };
		choose(&p->choices[i], VERDICT_RUN, REASON_NONE, NULL);
	}
	for (i = 0; i < g->node_count; i++) {
		uint32_t node = order[i];

		if (chosen != NULL && !chosen[node])
			choose(&p->choices[node], VERDICT_LEFT_OUT, REASON_NONE, NULL);
		else if (plan_decide(p, node, e) < 0)
			return e->code;
	}
	return 0;
}

/* What is below a task whose outs come back from the store. */
static void mark_waiting(struct plan *p, const uint32_t *order)
{
	const struct graph *g = p->graph;
	uint32_t i, k;

	for (i = 0; i < g->node_count; i++) {
		struct span before = g->nodes[order[i]].before;
		struct choice *c = &p->choices[order[i]];

		for (k = 0; k < before.count && c->verdict == VERDICT_REUSE && !c->waits; k++) {
			const struct choice *above = &p->choices[g->links[before.first + k]];

			c->waits = above->restore || above->waits;
		}
	}
}

int plan_make(struct plan *p, const struct graph *g, const struct past *past,
	const struct plan_options *options, struct err *e)
{
	uint32_t out_count = 0, i;
	uint32_t *order;

	memset(p, 0, sizeof *p);
	p->graph = g;
	p->past = past;
	p->forced = options->forced;
	for (i = 0; i < g->node_count; i++)
		out_count += g->nodes[i].outs.count;
	p->choices = mem_zalloc((g->node_count + 1) * sizeof *p->choices);
	p->made = mem_zalloc((out_count + 1) * sizeof *p->made);
	p->known = mem_zalloc(out_count + 1);
	p->needed_by = mem_zalloc((g->node_count + 1) * sizeof *p->needed_by);
	order = order_of(p);
	do { /* once, but where temp outs must be made again: each round finds at least one more of them */
		memset(p->known, 0, out_count + 1);
		if (decide_all(p, order, options->chosen, e) < 0)
			return e->code;
	} while (temp_find_needs(p, order));
	mark_waiting(p, order);
	for (i = 0; i < g->node_count; i++)
		p->count[p->choices[i].verdict]++;
	return 0;
}

int plan_settle(struct plan *p, uint32_t node, struct err *e)
{
	struct choice *c = &p->choices[node];

	c->waits = false;
	if (plan_decide(p, node, e) < 0)
		return e->code;
	return c->verdict == VERDICT_REUSE && c->lacks ? temp_settle(p, node, e) : 0;
}

int plan_parts(struct plan *p, uint32_t node, struct err *e)
{
	struct inputs in;

	if (gather(p, node, &in, e) < 0)
		return e->code;
	return build_parts(p, node, &in, e);
}

void plan_made(struct plan *p, uint32_t node, const struct made *outs)
{
	const struct node *n = &p->graph->nodes[node];
	uint32_t i;

	for (i = 0; i < n->outs.count; i++) {
		p->made[n->outs.first + i] = outs[i];
		p->known[n->outs.first + i] = true;
	}
	p->choices[node].verdict = VERDICT_REUSE;
	p->choices[node].restore = false;
}

void plan_release(struct plan *p)
{
	free(p->choices);
	free(p->made);
	free(p->known);
	free(p->needed_by);
	buf_release(&p->parts);
	arena_release(&p->arena);
	memset(p, 0, sizeof *p);
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { "run", "cached", "maybe", "blocked", "left-out" };

	return names[verdict];
}

int64_t plan_estimate_ms(const struct plan *p)
{
	int64_t total = 0;
	uint32_t i;

	for (i = 0; i < p->graph->node_count; i++) {
		const struct choice *c = &p->choices[i];
		const struct record *r;

		if (c->verdict != VERDICT_RUN && c->verdict != VERDICT_MAYBE)
			continue;
		r = c->past != NULL ? c->past : p->past->latest(p->past->user, i);
		if (r == NULL)
			return -1;
		total += r->took_ms;
	}
	return total;
}
