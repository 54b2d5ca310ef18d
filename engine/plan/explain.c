#include "plan/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "plan/key.h"
#include "plan/part_text.h"
#include "plan/plan.h"

struct finder {
	struct plan *plan;
	struct choice *choice; /* explain_first */
	struct explanation *all;
	uint32_t changed;
};

static const char *const reason_names[] = { "none", "never-run", "input-changed", "input-added",
	"input-removed", "param-changed", "code-changed", "plugin-changed", "env-changed",
	"with-changed", "outs-changed", "output-missing", "upstream-ran", "failed-before",
	"not-trusted", "forced", "volatile", "key-format", "input-missing", "upstream-blocked",
	"frozen", "same-key" };

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}

/* Its producer has not run yet. */
static bool is_unknown_input(const struct part_view *v)
{
	static const struct digest zero;

	return v != NULL && v->part == PART_INPUT && v->value_len == DIGEST_SIZE &&
	       memcmp(v->value, zero.bytes, DIGEST_SIZE) == 0;
}

static enum reason reason_of(enum change change, const struct part_view *v)
{
	switch (v->part) {
	case PART_FORMAT: return REASON_KEY_FORMAT;
	case PART_PARAM: return REASON_PARAM_CHANGED;
	case PART_INPUT:
	case PART_ROLE:
		return change == CHANGE_ADDED     ? REASON_INPUT_ADDED
		       : change == CHANGE_REMOVED ? REASON_INPUT_REMOVED
						  : REASON_INPUT_CHANGED;
	case PART_CODE:
		return v->name_len > 7 && memcmp(v->name, "plugin ", 7) == 0 ? REASON_PLUGIN_CHANGED
									     : REASON_CODE_CHANGED;
	case PART_COMMAND: return REASON_CODE_CHANGED;
	case PART_WITH: return REASON_WITH_CHANGED;
	case PART_ENV: return REASON_ENV_CHANGED;
	case PART_OUT: return REASON_OUT_CHANGED;
	case PART_CWD: return REASON_CODE_CHANGED;
	}
	return REASON_KEY_FORMAT;
}

/* Where a parameter's value of today was written. */
static const char *origin_of(const struct plan *p, const struct part_view *v)
{
	const struct graph *g = p->graph;
	uint32_t i;

	if (v == NULL || v->part != PART_PARAM || g == NULL)
		return "";
	for (i = 0; i < g->param_count; i++) {
		const char *name = graph_text(g, g->params[i].name);

		if (strlen(name) == v->name_len && memcmp(name, v->name, v->name_len) == 0)
			return graph_text(g, g->params[i].origin);
	}
	return "";
}

static void first(
	void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	struct finder *f = user;
	const struct part_view *v = is != NULL ? is : was;
	struct plan *p = f->plan;
	struct part_texts texts;

	if (f->changed > 0 || (change == CHANGE_VALUE && is_unknown_input(is)))
		return;
	f->changed++;
	f->choice->reason = (uint8_t)reason_of(change, v);
	f->choice->name = arena_strndup(&p->arena, v->name, v->name_len);
	part_texts(&texts, &p->arena, was, is);
	f->choice->was = texts.was;
	f->choice->is = texts.is;
	f->choice->origin = origin_of(p, is);
}

void explain_first(struct plan *p, struct choice *c, const void *then, size_t len)
{
	struct finder f = { .plan = p, .choice = c };

	parts_diff(then, len, buf_text(&p->parts), p->parts.len, first, &f);
}

static void add_row(struct finder *f, const char *change, const struct part_view *was,
	const struct part_view *is)
{
	const struct part_view *v = is != NULL ? is : was;
	struct arena *a = &f->plan->arena;
	struct part_texts texts;

	part_texts(&texts, a, was, is);
	vec_push(f->all, ((struct explained){ change, part_kind(v->part),
				 arena_strndup(a, v->name, v->name_len), texts.was, texts.is,
				 origin_of(f->plan, is) }));
}

static void each_change(
	void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	static const char *const words[] = { "added", "removed", "changed" };
	struct finder *f = user;

	if (change == CHANGE_NONE)
		f->all->same++;
	else if (change == CHANGE_VALUE && is_unknown_input(is))
		add_row(f, "unknown", was, is);
	else
		add_row(f, words[change], was, is);
}

static void each_same(
	void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	if (change == CHANGE_NONE)
		add_row(user, "same", was, is);
}

void explain_two(struct plan *p, const void *then, size_t then_len, const void *now, size_t now_len,
	struct explanation *out)
{
	struct finder f = { .plan = p, .all = out };

	out->same = 0;
	parts_compare(then, then_len, now, now_len, each_change, &f);
	if (out->lists_same)
		parts_compare(then, then_len, now, now_len, each_same, &f);
}

void explain_all(struct plan *p, const void *then, size_t len, struct explanation *out)
{
	explain_two(p, then, len, buf_text(&p->parts), p->parts.len, out);
}

/* "param train.lr 0.01 -> 0.1 (params.yaml:6)" */
static const char *change_text(struct arena *a, const struct choice *c)
{
	const char *origin = c->origin[0] != '\0' ? arena_printf(a, " (%s)", c->origin) : "";
	const char *reason = reason_name((enum reason)c->reason), *kind;

	if (c->reason == REASON_KEY_FORMAT && c->was[0] != '\0')
		return arena_printf(a, "was `%s`, is `%s`", c->was, c->is);
	if (c->reason == REASON_KEY_FORMAT)
		return "recorded by another version of flow";
	if (c->reason == REASON_OUT_CHANGED && c->name[0] == '\0')
		return "outs stand in another order";
	/* A plugin's name begins with that word. */
	kind = c->reason == REASON_PLUGIN_CHANGED
		       ? ""
		       : arena_printf(a, "%.*s ", (int)strcspn(reason, "-"), reason);
	if (c->was[0] == '\0' || c->is[0] == '\0')
		return arena_printf(a, "%s%s %s%s", kind, c->name,
			c->is[0] == '\0' ? "removed" : "added", origin);
	return arena_printf(a, "%s%s%s%s -> %s%s", kind, c->name, c->name[0] != '\0' ? " " : "",
		c->was, c->is, origin);
}

const char *choice_text(struct plan *p, const struct choice *c)
{
	struct arena *a = &p->arena;

	switch ((enum reason)c->reason) {
	case REASON_NONE: return "";
	case REASON_NEVER_RUN: return "never run before";
	case REASON_FAILED_BEFORE: return "its last attempt failed";
	case REASON_FORCED: return "forced";
	case REASON_VOLATILE: return "always runs (cache: false)";
	case REASON_NOT_TRUSTED: return arena_printf(a, "its result is not trusted: %s", c->name);
	case REASON_FROZEN:
		if (c->verdict != VERDICT_BLOCKED)
			return "frozen: outs are taken as they are";
		return arena_printf(a,
			"%s is not there, and the stage is frozen: put it there, or take "
			"`frozen` away",
			c->name);
	case REASON_SAME_KEY:
		if (c->restored)
			return "same key; outs came back from the store";
		return c->restore ? "same key; outs come back from the store" : "same key";
	case REASON_UPSTREAM_RAN:
		return arena_printf(a, "runs if what `%s` makes changes", c->name);
	case REASON_UPSTREAM_BLOCKED: return arena_printf(a, "`%s` is blocked", c->name);
	case REASON_INPUT_MISSING: return arena_printf(a, "input %s is not there", c->name);
	case REASON_OUTPUT_MISSING:
		return arena_printf(a, "output %s is gone, and not in the store", c->name);
	case REASON_PARAM_CHANGED:
	case REASON_WITH_CHANGED:
	case REASON_ENV_CHANGED:
	case REASON_INPUT_CHANGED:
	case REASON_PLUGIN_CHANGED:
	case REASON_INPUT_ADDED:
	case REASON_INPUT_REMOVED:
	case REASON_CODE_CHANGED:
	case REASON_OUT_CHANGED:
	case REASON_KEY_FORMAT: break;
	}
	return change_text(a, c);
}
