#include "cli/shown.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "cli/cmd.h"
#include "store/runs.h"
#include "store/tasks.h"

const char *shown(struct cli *c, const char *foreign)
{
	struct screen part = c->out;
	const char *text;

	part.text = (struct buf){ 0 };
	screen_foreign(&part, foreign);
	text = buf_in(&part.text, &c->arena);
	buf_release(&part.text);
	return text;
}

const char *shown_cut(struct cli *c, const char *foreign, unsigned columns)
{
	struct screen part = c->out;
	const char *text;

	part.text = (struct buf){ 0 };
	screen_cut(&part, shown(c, foreign), columns);
	text = buf_in(&part.text, &c->arena);
	buf_release(&part.text);
	return text;
}

const char *shown_digest(struct cli *c, const struct digest *d)
{
	char hex[DIGEST_HEX];

	return digest_is_zero(d) ? "-" : arena_strndup(&c->arena, digest_hex(d, hex), 12);
}

const char *shown_number(struct cli *c, double x)
{
	char text[32];

	return isnan(x) ? "-" : arena_strdup(&c->arena, short_number(x, 6, text));
}

/* The first characters of an id. */
static const char *shown_short(struct cli *c, const char *id, size_t len)
{
	return shown(c, arena_strndup(&c->arena, id, strnlen(id, len)));
}

const char *shown_commit(struct cli *c, const struct run_record *r)
{
	if (r->commit_id[0] == '\0')
		return "-";
	return arena_printf(&c->arena, "%s%s",
		shown_cut(c, arena_strndup(&c->arena, r->commit_id, strnlen(r->commit_id, 7)), 7),
		r->dirty > 0 ? "*" : "");
}

const char *shown_source(struct cli *c, const struct run_record *r)
{
	struct arena *a = &c->arena;
	const char *branch = "", *dirty = ", clean", *patch = "";

	if (r->commit_id[0] == '\0')
		return arena_printf(a, "%s",
			r->note[0] != '\0' ? arena_printf(a, "no commit: %s", shown(c, r->note))
					   : "no commit is recorded");
	if (r->branch[0] != '\0')
		branch = arena_printf(a, " (%s)", shown(c, r->branch));
	if (r->dirty > 0)
		dirty = arena_printf(
			a, ", dirty: %lld file%s", (long long)r->dirty, r->dirty == 1 ? "" : "s");
	if (!digest_is_zero(&r->patch))
		patch = arena_printf(a, ", patch %s", shown_digest(c, &r->patch));
	return arena_printf(
		a, "commit %s%s%s%s", shown_short(c, r->commit_id, 12), branch, dirty, patch);
}

const char *shown_changed(struct cli *c, const struct run_record *r)
{
	char *line = arena_strdup(&c->arena, r->changed);
	size_t len = strlen(line), i;

	while (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	for (i = 0; i < len; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	return shown(c, line);
}

const char *attempt_fate(struct cli *c, const struct attempt_record *a)
{
	const char *word = task_word(a->state);

	if (a->error[0] != '\0')
		return shown(c, a->error);
	if (a->signal > 0)
		return arena_printf(&c->arena, "killed by signal %lld", (long long)a->signal);
	if (a->exit_code > 0)
		return arena_printf(&c->arena, "exit %lld", (long long)a->exit_code);
	return word;
}

enum paint run_paint(const char *word)
{
	if (strcmp(word, "ok") == 0)
		return PAINT_GREEN;
	if (strcmp(word, "FAILED") == 0)
		return PAINT_RED;
	if (strcmp(word, "running") == 0)
		return PAINT_CYAN;
	return strcmp(word, "cached") == 0 || strcmp(word, "waiting") == 0 ? PAINT_DIM
									   : PAINT_YELLOW;
}

const char *task_word(const char *state)
{
	static const char *const words[][2] = { { "SUCCEEDED", "ok" }, { "REUSED", "cached" },
		{ "FAILED", "FAILED" }, { "RUNNING", "running" }, { "BACKOFF", "tries again" },
		{ "PENDING", "waiting" }, { "READY", "waiting" }, { "SKIPPED", "skipped" },
		{ "BLOCKED", "blocked" }, { "TIMEOUT", "timed out" }, { "LOST", "lost" },
		{ "CANCELLED", "cancelled" }, { "STARTING", "running" } };
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(state, words[i][0]) == 0)
			return words[i][1];
	return state;
}

size_t list_most(const struct cli *c, size_t count)
{
	return c->all || count <= LIST_MOST ? count : LIST_MOST;
}

void list_rest(struct cli *c, size_t count)
{
	size_t most = list_most(c, count);

	if (most < count)
		screen_printf(&c->out, "  and %zu more: --all shows them\n", count - most);
}

const char *shown_count(struct cli *c, int64_t n, bool known)
{
	return known ? arena_printf(&c->arena, "%lld", (long long)n) : "-";
}

const char *shown_took(struct cli *c, int64_t ms)
{
	char text[32];

	return arena_strdup(&c->arena, took_text(ms, text));
}
