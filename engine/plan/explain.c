#include "plan/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "plan/follow.h"
#include "plan/key.h"
#include "plan/lines_diff.h"
#include "plan/nearest.h"
#include "plan/origin.h"
#include "plan/part_text.h"
#include "plan/plan.h"

#define OTHERS_MAX 8 /* further changes that a choice names */

struct replacements {
	struct replaced *items;
	size_t count, cap;
};

struct finder {
	struct plan *plan;
	struct explanation *all;
	struct replacements params; /* that changed so far: they come first */
};

static const char *const reason_names[] = { "none", "never-run", "input-changed", "input-added",
	"input-removed", "param-changed", "code-changed", "plugin-changed", "env-changed",
	"with-changed", "outs-changed", "output-missing", "output-damaged", "upstream-ran", "failed-before",
	"not-trusted", "forced", "volatile", "key-format", "input-missing", "upstream-blocked",
	"frozen", "same-key", "temp-needed" };

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
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
	case PART_ENV:
	case PART_SECRET: return REASON_ENV_CHANGED;
	case PART_OUT: return REASON_OUT_CHANGED;
	case PART_CWD: return REASON_CODE_CHANGED;
	}
	return REASON_KEY_FORMAT;
}

static void add_row(struct finder *f, const char *change, const struct part_view *was,
	const struct part_view *is)
{
	const struct part_view *v = is != NULL ? is : was;
	struct arena *a = &f->plan->arena;
	struct explained row = { .change = change,
		.kind = part_kind(v->part),
		.name = arena_strndup(a, v->name, v->name_len),
		.origin = part_is_unknown(is) ? "" : origin_of(f->plan, is),
		.diff = "" };
	struct part_texts texts;

	part_texts(&texts, a, was, is);
	row.was = texts.was;
	row.is = texts.is;
	vec_push(f->all, row);
}

static struct explained *last_row(struct finder *f)
{
	return &f->all->items[f->all->count - 1];
}

/* A component with another value. */
static void add_changed(struct finder *f, const struct part_view *was, const struct part_view *is)
{
	struct explained *row;

	add_row(f, "changed", was, is);
	row = last_row(f);
	if (is->part == PART_PARAM)
		vec_push(&f->params, replaced_of(was, is));
	else if (is->part != PART_INPUT && is->part != PART_CODE)
		row->follows = text_follows(was, is, f->params.items, f->params.count);
	if (f->all->wants_diff && is->part == PART_COMMAND)
		row->diff = lines_diff(&f->plan->arena, was, is);
}

static void each_change(
	void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	struct finder *f = user;

	switch (change) {
	case CHANGE_NONE: f->all->same++; return;
	case CHANGE_ADDED: add_row(f, "added", NULL, is); break;
	case CHANGE_REMOVED: add_row(f, "removed", was, NULL); break;
	case CHANGE_VALUE:
		if (part_is_unknown(is))
			add_row(f, "unknown", was, is);
		else
			add_changed(f, was, is);
		break;
	}
	last_row(f)->reason = (uint8_t)reason_of(change, is != NULL ? is : was);
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
	vec_release(&f.params);
}

void explain_all(struct plan *p, const void *then, size_t len, struct explanation *out)
{
	explain_two(p, then, len, buf_text(&p->parts), p->parts.len, out);
}

/* A change on one line: "param train.lr 0.01 -> 0.1 (params.yaml:6)". */
static const char *change_text(struct arena *a, enum reason code, const char *name, const char *was,
	const char *is, const char *from)
{
	const char *origin = from[0] != '\0' ? arena_printf(a, " (%s)", from) : "";
	const char *reason = reason_name(code), *kind;

	if (code == REASON_KEY_FORMAT && was[0] != '\0')
		return arena_printf(a, "was `%s`, is `%s`", was, is);
	if (code == REASON_KEY_FORMAT)
		return "recorded by another version of flow";
	if (code == REASON_OUT_CHANGED && name[0] == '\0')
		return "outs stand in another order";
	/* A plugin's name begins with that word. */
	kind = code == REASON_PLUGIN_CHANGED
		       ? ""
		       : arena_printf(a, "%.*s ", (int)strcspn(reason, "-"), reason);
	if (name[0] != '\0')
		kind = arena_printf(a, "%s%s ", kind, name);
	if (was[0] == '\0' || is[0] == '\0')
		return arena_printf(a, "%s%s%s", kind, is[0] == '\0' ? "removed" : "added", origin);
	return arena_printf(a, "%s%s -> %s%s", kind, was, is, origin);
}

/* On one line the path of an input says enough. */
static const char *origin_on_line(const struct explained *row)
{
	return strcmp(row->kind, "input") == 0 ? "" : row->origin;
}

static const char *row_text(struct arena *a, const struct explained *row)
{
	return change_text(a, (enum reason)row->reason, row->name, row->was, row->is,
		origin_on_line(row));
}

/* Is it a change that would do to run the task, and not one that follows from another? */
static bool is_own_change(const struct explained *row)
{
	return strcmp(row->change, "unknown") != 0 && !row->follows;
}

static void lead(struct choice *c, const struct explained *row)
{
	c->reason = row->reason;
	c->name = row->name;
	c->was = row->was;
	c->is = row->is;
	c->origin = origin_on_line(row);
}

void explain_choice(struct plan *p, struct choice *c, const void *then, size_t len)
{
	const char **others = arena_alloc(&p->arena, OTHERS_MAX * sizeof *others);
	struct explanation all = { 0 };
	uint32_t changes = 0;
	size_t i;

	explain_all(p, then, len, &all);
	for (i = 0; i < all.count; i++) {
		const struct explained *row = &all.items[i];

		if (!is_own_change(row))
			continue;
		if (changes == 0)
			lead(c, row);
		else if (changes <= OTHERS_MAX)
			others[c->other_count++] = row_text(&p->arena, row);
		changes++;
	}
	if (changes > OTHERS_MAX + 1)
		others[OTHERS_MAX - 1] =
			arena_printf(&p->arena, "and %u more", changes - OTHERS_MAX);
	c->others = others;
	free(all.items);
}

const char *choice_line(struct plan *p, const struct choice *c)
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
		if (c->lacks)
			return "same key; its temp outs are made again when they are needed";
		return c->restore ? "same key; outs come back from the store" : "same key";
	case REASON_TEMP_NEEDED:
		return arena_printf(a, "its temp outs were dropped, and `%s` reads them", c->name);
	case REASON_UPSTREAM_RAN:
		return arena_printf(a, "runs if what `%s` makes changes", c->name);
	case REASON_UPSTREAM_BLOCKED: return arena_printf(a, "`%s` is blocked", c->name);
	case REASON_INPUT_MISSING: return arena_printf(a, "input %s is not there", c->name);
	case REASON_OUTPUT_MISSING:
		return arena_printf(a, "output %s is gone, and not in the store", c->name);
	case REASON_OUTPUT_DAMAGED:
		if (c->name[0] == '\0')
			return "what the store had of its outs was damaged, and put aside";
		return arena_printf(a, "output %s was edited in place, and its object with it",
			c->name);
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
	return change_text(a, (enum reason)c->reason, c->name, c->was, c->is, c->origin);
}

const char *choice_text(struct plan *p, const struct choice *c)
{
	const char *text = choice_line(p, c);
	uint32_t i;

	for (i = 0; i < c->other_count; i++)
		text = arena_printf(&p->arena, "%s; %s", text, c->others[i]);
	return text;
}
