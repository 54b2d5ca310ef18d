#include "cli/curve_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/near.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "store/runs.h"

#define KEYS_TOLD 280u /* bytes of a list of metrics */

/* -- which curves --------------------------------------------------------------------------------------------------- */

static int add_run(struct curve_choice *x, const char *ref, struct err *e)
{
	struct run_record *run = &x->runs[x->run_count];
	size_t i;

	if (run_find(x->db, ref, &x->cli->arena, run, e) < 0)
		return e->code;
	for (i = 0; i < x->run_count; i++)
		if (x->runs[i].id == run->id)
			return 0;
	x->run_count++;
	return curves_of_run(x->db, run, &x->cli->arena, &x->curves, e);
}

static int add_runs(struct curve_choice *x, const char *const *refs, size_t count, struct err *e)
{
	static const char *const last[] = { "@last" };
	size_t i;

	if (count == 0)
		refs = last;
	count += count == 0;
	x->runs = arena_alloc(&x->cli->arena, count * sizeof *x->runs);
	x->run_count = x->curves.count = 0;
	for (i = 0; i < count; i++)
		if (add_run(x, refs[i], e) < 0)
			return e->code;
	return 0;
}

static bool is_of_task(const struct curve_choice *x, const struct curve *curve)
{
	return x->cli->task == NULL || task_is_of(curve->task, x->cli->task);
}

/* Steps of a metric, as far as --task lets one see it; -1: there is none. */
static int64_t steps_of(const struct curve_choice *x, const char *key)
{
	int64_t steps = -1;
	size_t i;

	for (i = 0; i < x->curves.count; i++) {
		const struct curve *curve = &x->curves.items[i];

		if (is_of_task(x, curve) && strcmp(curve->key, key) == 0 && curve->steps > steps)
			steps = curve->steps;
	}
	return steps;
}

static bool has_key(const struct curve_choice *x, const char *key)
{
	size_t i;

	for (i = 0; i < x->curves.count; i++)
		if (strcmp(x->curves.items[i].key, key) == 0)
			return true;
	return false;
}

/* "loss,lr"; a metric may have a comma in its own name. */
static void take_keys(struct curve_choice *x, const char *word)
{
	if (has_key(x, word)) {
		vec_push(&x->keys, word);
		return;
	}
	while (*word != '\0') {
		size_t len = strcspn(word, ",");

		if (len > 0)
			vec_push(&x->keys, arena_strndup(&x->cli->arena, word, len));
		word += len + (word[len] == ',');
	}
}

static bool is_asked_for(const struct curve_choice *x, const char *key)
{
	size_t i;

	for (i = 0; i < x->keys.count; i++)
		if (strcmp(x->keys.items[i], key) == 0)
			return true;
	return x->keys.count == 0;
}

/* -- what is not there ---------------------------------------------------------------------------------------------- */

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Each name once. */
static size_t sort_names(const char **names, size_t count)
{
	size_t i, kept = 0;

	if (count > 1)
		qsort(names, count, sizeof *names, by_text);
	for (i = 0; i < count; i++)
		if (kept == 0 || strcmp(names[i], names[kept - 1]) != 0)
			names[kept++] = names[i];
	return kept;
}

/* "did you mean `loss`? there are: loss, lr" */
static int hint_names(
	struct curve_choice *x, const char *word, const char **names, size_t count, struct err *e)
{
	struct cli *c = x->cli;
	const char *best = near_find(word, names, count), *list = "";
	size_t i;

	if (count == 0)
		return err_hint(e, "`flow metrics %s` shows what was measured", x->runs[0].name);
	for (i = 0; i < count && strlen(list) < KEYS_TOLD; i++)
		list = arena_printf(&c->arena, "%s%s%s", list, i > 0 ? ", " : "", names[i]);
	return err_hint(e, "%s%s%sthere %s: %s%s", best != NULL ? "did you mean `" : "",
		best != NULL ? best : "", best != NULL ? "`? " : "", count == 1 ? "is" : "are",
		list, i < count ? ", ..." : "");
}

static const char *runs_named(struct curve_choice *x)
{
	return x->run_count == 1 ? arena_printf(&x->cli->arena, "run %s", x->runs[0].name)
				 : arena_printf(&x->cli->arena, "any of %zu runs", x->run_count);
}

/* word: it may have been meant as a run. */
static int no_key(struct curve_choice *x, const char *key, bool word, struct err *e)
{
	const char **names = arena_alloc(&x->cli->arena, (x->curves.count + 1) * sizeof *names);
	const char *task = x->cli->task, *of = runs_named(x);
	size_t count = 0, i;

	if (steps_of(x, key) == 0) {
		err_set(e, ERR_NOTFOUND,
			"`%.80s` is one value for a task as a whole: without steps there is no "
			"curve",
			key);
		return err_hint(e, "`flow metrics %s` shows it", x->runs[0].name);
	}
	for (i = 0; i < x->curves.count; i++)
		if (x->curves.items[i].steps > 0 && is_of_task(x, &x->curves.items[i]))
			names[count++] = x->curves.items[i].key;
	if (task != NULL)
		of = arena_printf(&x->cli->arena, "`%.80s` in %s", task, of);
	if (word)
		err_set(e, ERR_NOTFOUND, "`%.80s` is neither a metric of %s nor a run", key, of);
	else
		err_set(e, ERR_NOTFOUND, "no metric `%.80s` of %s", key, of);
	return hint_names(x, key, names, sort_names(names, count), e);
}

static int no_task(struct curve_choice *x, struct err *e)
{
	const char **names = arena_alloc(&x->cli->arena, (x->curves.count + 1) * sizeof *names);
	size_t count = 0, i;

	for (i = 0; i < x->curves.count; i++)
		if (x->curves.items[i].steps > 0)
			names[count++] = x->curves.items[i].task;
	err_set(e, ERR_NOTFOUND, "no task `%.80s` with curves in %s", x->cli->task, runs_named(x));
	return hint_names(x, x->cli->task, names, sort_names(names, count), e);
}

static int check_task(struct curve_choice *x, struct err *e)
{
	size_t i;

	for (i = 0; i < x->curves.count; i++)
		if (x->curves.items[i].steps > 0 && is_of_task(x, &x->curves.items[i]))
			return 0;
	return x->cli->task != NULL ? no_task(x, e) : 0;
}

/* No task measured the first word: then all words are runs. */
static int take_as_run(struct curve_choice *x, struct err *e)
{
	struct texts *args = &x->cli->args;
	const char *word = args->items[0];
	struct run_record run;
	int rc = run_find(x->db, word, &x->cli->arena, &run, e);

	if (rc == ERR_NOTFOUND && check_task(x, e) < 0)
		return e->code;
	if (rc == ERR_NOTFOUND)
		return no_key(x, word, args->count == 1 && strchr(word, ',') == NULL, e);
	vec_release(&x->keys);
	return rc < 0 ? rc : add_runs(x, args->items, args->count, e);
}

/* [KEY[,KEY...]] [RUN...] */
static int read_arguments(struct curve_choice *x, struct err *e)
{
	struct texts *args = &x->cli->args;
	size_t keys = args->count > 0 && args->items[0][0] != '@', i, known = 0;

	if (add_runs(x, keys > 0 ? args->items + 1 : args->items, args->count - keys, e) < 0) {
		if (keys > 0 && e->code == ERR_NOTFOUND)
			err_hint(e,
				"metrics that share a plot are joined by commas; `flow runs` lists "
				"the runs");
		return e->code;
	}
	if (keys > 0)
		take_keys(x, args->items[0]);
	for (i = 0; i < x->keys.count; i++)
		known += has_key(x, x->keys.items[i]);
	if (keys > 0 && known == 0 && take_as_run(x, e) < 0)
		return e->code;
	if (check_task(x, e) < 0)
		return e->code;
	for (i = 0; i < x->keys.count; i++)
		if (steps_of(x, x->keys.items[i]) <= 0)
			return no_key(x, x->keys.items[i], false, e);
	return 0;
}

/* -- which share a panel -------------------------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y)
{
	const struct curve *a = ((const struct curve_member *)x)->curve,
			   *b = ((const struct curve_member *)y)->curve;
	int order = strcmp(a->task, b->task);

	if (order == 0)
		order = strcmp(a->key, b->key);
	return order != 0 ? order : a < b ? -1 : a > b;
}

static int by_leader(const void *x, const void *y)
{
	const struct curve_member *a = x, *b = y;

	if (a->leader != b->leader)
		return a->leader < b->leader ? -1 : 1;
	return a->curve < b->curve ? -1 : a->curve > b->curve;
}

/* Without KEY: those of the same task and name, in the order of the first of them. */
static void group_members(struct curve_choice *x)
{
	struct curve_member *m = x->members.items;
	size_t i;

	qsort(m, x->members.count, sizeof *m, by_name);
	for (i = 0; i < x->members.count; i++) {
		bool same = i > 0 && strcmp(m[i].curve->task, m[i - 1].curve->task) == 0 &&
			    strcmp(m[i].curve->key, m[i - 1].curve->key) == 0;

		m[i].leader = same ? m[i - 1].leader : m[i].curve;
	}
	qsort(m, x->members.count, sizeof *m, by_leader);
}

static void choose_members(struct curve_choice *x)
{
	size_t i;

	for (i = 0; i < x->curves.count; i++) {
		struct curve_member m = { &x->curves.items[i], x->curves.items };
		int64_t least = x->keys.count > 0 ? 1 : 2;

		if (is_of_task(x, m.curve) && m.curve->steps >= least &&
			is_asked_for(x, m.curve->key))
			vec_push(&x->members, m);
	}
	if (x->keys.count == 0 && x->members.count > 0)
		group_members(x);
}

size_t curve_choice_panel(const struct curve_choice *x, size_t first)
{
	size_t n = 1;

	while (first + n < x->members.count &&
		x->members.items[first + n].leader == x->members.items[first].leader)
		n++;
	return n;
}

int curve_choice_make(struct curve_choice *out, struct cli *c, struct db *db, struct err *e)
{
	*out = (struct curve_choice){ .cli = c, .db = db };
	if (read_arguments(out, e) < 0)
		return e->code;
	choose_members(out);
	return 0;
}

void curve_choice_release(struct curve_choice *x)
{
	vec_release(&x->curves);
	vec_release(&x->keys);
	vec_release(&x->members);
}
