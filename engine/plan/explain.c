#include "plan/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "plan/key.h"
#include "plan/plan.h"

#define SHOWN_MAX 60 /* bytes of a value that are shown */

struct finder {
	struct plan *plan;
	struct choice *choice; /* explain_first */
	struct explanation *all;
	uint32_t changed;
};

static const char *const reason_names[] = { "none", "never-run", "input-changed", "input-added",
	"input-removed", "param-changed", "code-changed", "plugin-changed", "env-changed",
	"with-changed", "outs-changed", "output-missing", "upstream-ran", "failed-before", "forced",
	"volatile", "key-format", "input-missing", "upstream-blocked", "frozen", "same-key" };

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}

static bool is_input(const struct part_view *v, const struct digest *d)
{
	return v != NULL && v->part == PART_INPUT && v->value_len == DIGEST_SIZE &&
	       memcmp(v->value, d->bytes, DIGEST_SIZE) == 0;
}

static bool is_unknown_input(const struct part_view *v)
{
	static const struct digest zero;

	return is_input(v, &zero);
}

/* A value as people read it: digests short, the rest on one line and cut. */
static const char *shown(struct plan *p, const struct part_view *v)
{
	char hex[DIGEST_HEX];
	struct digest d;
	char *text;
	size_t n, i;

	if (v == NULL)
		return "";
	if (is_unknown_input(v))
		return "made by an upstream task that runs";
	if (is_input(v, &key_absent))
		return "absent";
	if ((v->part == PART_INPUT || v->part == PART_CODE) && v->value_len == DIGEST_SIZE) {
		memcpy(&d, v->value, sizeof d);
		return arena_strndup(&p->arena, digest_hex(&d, hex), 12);
	}
	n = v->value_len < SHOWN_MAX ? v->value_len : SHOWN_MAX;
	while (n < v->value_len && n > 0 && ((unsigned char)v->value[n] & 0xc0) == 0x80)
		n--;
	text = arena_alloc(&p->arena, n + 4);
	memcpy(text, v->value, n);
	for (i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
	memcpy(text + n, n < v->value_len ? "..." : "", n < v->value_len ? 4 : 1);
	return text;
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
		return v->name_len > 7 && memcmp(v->name, "plugin ", 7) == 0
			       ? REASON_PLUGIN_CHANGED
			       : REASON_CODE_CHANGED;
	case PART_COMMAND: return REASON_CODE_CHANGED;
	case PART_WITH: return REASON_WITH_CHANGED;
	case PART_ENV: return REASON_ENV_CHANGED;
	case PART_OUT: return REASON_OUT_CHANGED;
	case PART_CWD: return REASON_CODE_CHANGED;
	}
	return REASON_KEY_FORMAT;
}

static const char *kind_of(enum part part)
{
	static const char *const names[] = { "", "format", "param", "input", "code", "command",
		"with", "env", "out", "cwd", "dep" };

	return part >= PART_FORMAT && part <= PART_ROLE ? names[part] : "other";
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

static void first(void *user, enum change change, const struct part_view *was,
	const struct part_view *is)
{
	struct finder *f = user;
	const struct part_view *v = is != NULL ? is : was;
	struct plan *p = f->plan;

	if (f->changed > 0 || (change == CHANGE_VALUE && is_unknown_input(is)))
		return;
	f->changed++;
	f->choice->reason = (uint8_t)reason_of(change, v);
	f->choice->name = arena_strndup(&p->arena, v->name, v->name_len);
	f->choice->was = shown(p, was);
	f->choice->is = shown(p, is);
	f->choice->origin = origin_of(p, is);
}

void explain_first(struct plan *p, struct choice *c, const void *then, size_t len)
{
	struct finder f = { .plan = p, .choice = c };

	parts_diff(then, len, buf_text(&p->parts), p->parts.len, first, &f);
}

static void each(void *user, enum change change, const struct part_view *was,
	const struct part_view *is)
{
	static const char *const words[] = { "added", "removed", "changed" };
	struct finder *f = user;
	const struct part_view *v = is != NULL ? is : was;
	bool is_open = change == CHANGE_VALUE && is_unknown_input(is);
	struct explained row = { .change = is_open ? "unknown" : words[change],
		.kind = kind_of(v->part),
		.name = arena_strndup(&f->plan->arena, v->name, v->name_len),
		.was = shown(f->plan, was),
		.is = shown(f->plan, is),
		.origin = origin_of(f->plan, is) };

	vec_push(f->all, row);
	f->changed += change != CHANGE_REMOVED;
}

void explain_two(struct plan *p, const void *then, size_t then_len, const void *now, size_t now_len,
	struct explanation *out)
{
	struct finder f = { .plan = p, .all = out };
	struct part_view view;
	uint32_t total = 0;
	size_t at = 0;

	parts_diff(then, then_len, now, now_len, each, &f);
	while (parts_next(now, now_len, &at, &view))
		total++;
	out->same = total - f.changed;
}

void explain_all(struct plan *p, const void *then, size_t len, struct explanation *out)
{
	explain_two(p, then, len, buf_text(&p->parts), p->parts.len, out);
}

const char *choice_text(struct plan *p, const struct choice *c)
{
	const char *kind = reason_name((enum reason)c->reason);
	struct arena *a = &p->arena;
	const char *origin =
		c->origin[0] != '\0' ? arena_printf(a, " (%s)", c->origin) : "";

	switch ((enum reason)c->reason) {
	case REASON_NONE: return "";
	case REASON_NEVER_RUN: return "never run before";
	case REASON_FAILED_BEFORE: return "its last attempt failed";
	case REASON_FORCED: return "forced";
	case REASON_VOLATILE: return "always runs (cache: false)";
	case REASON_FROZEN: return "frozen: outs are taken as they are";
	case REASON_SAME_KEY:
		if (c->restored)
			return "same key; outs came back from the store";
		return c->restore ? "same key; outs come back from the store" : "same key";
	case REASON_UPSTREAM_RAN: return arena_printf(a, "runs if what `%s` makes changes", c->name);
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
	if (c->reason == REASON_KEY_FORMAT && c->was[0] != '\0')
		return arena_printf(a, "was `%s`, is `%s`", c->was, c->is);
	if (c->reason == REASON_KEY_FORMAT)
		return "recorded by another version of flow";
	if (c->reason == REASON_OUT_CHANGED && c->name[0] == '\0')
		return "outs stand in another order";
	kind = arena_strndup(a, kind, strcspn(kind, "-"));
	if (c->was[0] == '\0' || c->is[0] == '\0')
		return arena_printf(a, "%s %s %s%s", kind, c->name,
			c->is[0] == '\0' ? "removed" : "added", origin);
	return arena_printf(a, "%s %s%s%s -> %s%s", kind, c->name, c->name[0] != '\0' ? " " : "",
		c->was, c->is, origin);
}
