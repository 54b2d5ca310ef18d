#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/shown.h"
#include "plan/explain.h"
#include "store/runs.h"
#include "store/tasks.h"

#define TASKS_MAX 20
#define KEY_SHOWN 12

static const struct opt opts[] = {
	{ 'a', "all", OPT_FLAG, NULL, "every task of the stage, and components that did not change",
		OPT_AT(all), NULL },
	OPT_END,
};

/* What is said about one task. */
struct subject {
	struct cli *cli;
	struct session *session;
	uint32_t node;
	const struct choice *choice;
	const struct digest *key;      /* of today; NULL: not known yet */
	const struct digest *then_key; /* of the success it is compared with; NULL: none */
	const char *then_run;          /* whose it was, or "" */
	struct explanation rows;
};

static const char *key_text(struct subject *x, const struct digest *key, size_t len)
{
	char hex[DIGEST_HEX];

	return arena_strndup(&x->cli->arena, digest_hex(key, hex), len);
}

/* The run that an attempt belongs to, as it is shown; "" when the journal cannot tell. */
static const char *run_of(struct session *s, int64_t id)
{
	struct attempt_record attempt;
	struct run_record run;
	struct err e;

	if (!s->has_db || attempt_get(&s->db, id, &s->arena, &attempt, &e) < 0 ||
		run_get(&s->db, attempt.run, &s->arena, &run, &e) < 0)
		return "";
	return arena_strdup(&s->arena, run.name);
}

static int look(struct subject *x, struct err *e)
{
	struct session *s = x->session;
	struct plan *p = &s->plan;
	const struct record *past = x->choice->past;
	const void *then = NULL;
	size_t len = 0;

	x->then_run = "";
	if (past == NULL)
		past = p->past->latest(p->past->user, x->node);
	if (plan_parts(p, x->node, e) < 0)
		return e->code;
	if (x->choice->keyed)
		x->key = &x->choice->key;
	if (past != NULL) {
		x->then_key = &past->key;
		x->then_run = run_of(s, past->attempt);
		if (p->past->parts(p->past->user, past->attempt, &then, &len, e) < 0)
			then = NULL;
	}
	explain_all(p, then, len, &x->rows);
	return 0;
}

/* "  key b771... is new; the nearest success had 51ab... (run 019aa3b2-7c1e)" */
static void put_keys(struct subject *x)
{
	struct screen *o = &x->cli->out;

	if (x->key == NULL && x->then_key == NULL)
		return;
	if (x->key != NULL)
		screen_printf(o, "  key %s", key_text(x, x->key, KEY_SHOWN));
	if (x->key == NULL)
		screen_str(o, "  the nearest success had key ");
	else if (x->then_key != NULL && !digest_same(x->key, x->then_key))
		screen_str(o, " is new; the nearest success had ");
	if (x->then_key != NULL && (x->key == NULL || !digest_same(x->key, x->then_key))) {
		screen_str(o, key_text(x, x->then_key, KEY_SHOWN));
		if (x->then_run[0] != '\0')
			screen_printf(o, " (run %s)", x->then_run);
	}
	screen_str(o, "\n");
}

/* "train would run: param train.lr 0.01 -> 0.1" */
static void put_verdict(struct subject *x)
{
	static const char *const words[] = { "would run", "is cached", "may run", "is blocked",
		"is left out" };
	struct screen *o = &x->cli->out;

	screen_paint(o, PAINT_BOLD, node_name(&x->session->graph, x->node));
	screen_printf(o, " %s: ", words[x->choice->verdict]);
	if (x->choice->verdict != VERDICT_REUSE || x->then_key == NULL ||
		x->choice->reason == REASON_FROZEN) {
		screen_foreign(o, choice_line(&x->session->plan, x->choice));
		screen_str(o, "\n");
		if (x->choice->verdict != VERDICT_REUSE)
			put_keys(x);
		return;
	}
	screen_printf(o, "key %s%s%s%s\n", key_text(x, x->then_key, KEY_SHOWN),
		x->then_run[0] != '\0' ? " from run " : "", x->then_run,
		x->choice->restore ? "; outs come back from the store" : "");
}

static void put_row(struct table *t, const struct explained *row)
{
	bool removed = strcmp(row->change, "removed") == 0;
	bool is_same = strcmp(row->change, "same") == 0;
	bool is_one = removed || is_same || strcmp(row->change, "added") == 0;
	const char *origin = is_same ? "" : row->follows ? "by that parameter" : row->origin;

	table_cell(t, PAINT_NONE, "  %s", row->change);
	table_cell(t, PAINT_NONE, "%s", row->kind);
	table_cell(t, PAINT_NONE, "%s", row->name);
	if (row->diff[0] != '\0')
		table_cell(t, PAINT_NONE, "%s", origin[0] != '\0' ? origin : "the lines below");
	else
		table_cell(t, PAINT_NONE, "%s%s%s%s%s%s", is_one && !removed ? "" : row->was,
			is_one ? "" : " -> ", removed ? "" : row->is,
			origin[0] != '\0' ? " (" : "", origin, origin[0] != '\0' ? ")" : "");
}

/* The lines in which a command or script differs, each under the table. */
static void put_diff(struct cli *c, const char *diff)
{
	struct screen *o = &c->out;

	while (*diff != '\0') {
		size_t len = strcspn(diff, "\n");

		screen_str(o, "           ");
		screen_paint(o, *diff == '-' ? PAINT_RED : *diff == '+' ? PAINT_GREEN : PAINT_DIM,
			shown(c, arena_strndup(&c->arena, diff, len)));
		screen_str(o, "\n");
		diff += len + (diff[len] == '\n');
	}
}

static void put_text(struct subject *x)
{
	struct table t = { .arena = &x->cli->arena, .columns = 4 };
	struct screen *o = &x->cli->out;
	size_t i;

	put_verdict(x);
	if (x->choice->verdict == VERDICT_REUSE && !x->cli->all)
		return;
	/* All components of a task that never ran are new: not worth a list unless asked for. */
	if (x->then_key != NULL || x->cli->all)
		for (i = 0; i < x->rows.count; i++)
			put_row(&t, &x->rows.items[i]);
	table_write(&t, o);
	for (i = 0; i < x->rows.count && x->then_key != NULL; i++)
		put_diff(x->cli, x->rows.items[i].diff);
	if (x->rows.same > 0 && !x->rows.lists_same)
		screen_printf(o, "  same     %u other component%s\n", x->rows.same,
			x->rows.same == 1 ? "" : "s");
}

static void put_json(struct subject *x, struct json *j)
{
	size_t i;

	json_open_object(j);
	json_key_string(j, "task", node_name(&x->session->graph, x->node));
	json_key_string(j, "verdict", verdict_name((enum verdict)x->choice->verdict));
	json_key_string(j, "reason", reason_name((enum reason)x->choice->reason));
	json_key_string(j, "why", choice_text(&x->session->plan, x->choice));
	json_key_string(j, "key", x->key != NULL ? key_text(x, x->key, DIGEST_HEX) : NULL);
	json_key_string(
		j, "last_key", x->then_key != NULL ? key_text(x, x->then_key, DIGEST_HEX) : NULL);
	json_key_string(j, "last_run", x->then_run[0] != '\0' ? x->then_run : NULL);
	json_key(j, "components");
	json_open_array(j);
	for (i = 0; i < x->rows.count; i++) {
		const struct explained *row = &x->rows.items[i];

		json_open_object(j);
		json_key_string(j, "change", row->change);
		json_key_string(j, "kind", row->kind);
		json_key_string(j, "name", row->name);
		json_key_string(j, "was", row->was);
		json_key_string(j, "is", row->is);
		json_key_string(j, "origin", row->origin);
		json_key_bool(j, "follows", row->follows);
		json_key_string(j, "diff", row->diff[0] != '\0' ? row->diff : NULL);
		json_end(j);
	}
	json_end(j);
	json_key_int(j, "same", x->rows.same);
	json_end(j);
}

static int explain_one(
	struct cli *c, struct session *s, uint32_t node, struct json *j, struct err *e)
{
	struct subject x = { .cli = c,
		.session = s,
		.node = node,
		.choice = &s->plan.choices[node],
		.rows = { .lists_same = c->all, .wants_diff = true } };

	if (look(&x, e) < 0)
		return e->code;
	if (j != NULL)
		put_json(&x, j);
	else
		put_text(&x);
	free(x.rows.items);
	return 0;
}

/* The tasks that are meant: those of the stage that are not cached, or the first when all are. */
static size_t choose(struct cli *c, struct session *s, uint32_t nodes[TASKS_MAX], uint32_t *left)
{
	struct selection_wish wish = { .only = c->args.items[0] };
	struct selection selection;
	uint32_t i, first = NO_NODE;
	size_t count = 0;
	struct err e;

	*left = 0;
	if (selection_make(&selection, &s->graph, &wish, &e) < 0)
		return 0;
	for (i = 0; i < s->graph.node_count; i++) {
		if (!selection_has(&selection, i))
			continue;
		if (first == NO_NODE)
			first = i;
		if (s->plan.choices[i].verdict == VERDICT_REUSE && !c->all)
			continue;
		if (count < TASKS_MAX)
			nodes[count++] = i;
		else
			++*left;
	}
	selection_release(&selection);
	if (count == 0 && first != NO_NODE)
		nodes[count++] = first;
	return count;
}

static int explain_all_of(struct cli *c, struct session *s, struct json *j, struct err *e)
{
	uint32_t nodes[TASKS_MAX], left;
	size_t i, count = choose(c, s, nodes, &left);

	for (i = 0; i < count; i++) {
		if (i > 0 && j == NULL)
			screen_str(&c->out, "\n");
		if (explain_one(c, s, nodes[i], j, e) < 0)
			return e->code;
	}
	if (left > 0 && j == NULL)
		screen_printf(&c->out, "\nand %u more tasks of `%s`\n", left, c->args.items[0]);
	return 0;
}

static int explain_main(struct cli *c)
{
	/* What is upstream decides too; the rest of the graph does not. */
	struct session_wish above = { .select = { .until = c->args.items[0] } };
	struct session s;
	struct json j;
	struct err e;
	int rc;

	if (cli_session(c, &s, PROJECT_READ, &e) < 0 || session_plan(&s, &above, &e) < 0)
		return cli_fail_session(c, &s, &e);
	if (c->json) {
		json_init(&j, &c->out.text);
		json_open_object(&j);
		json_key_int(&j, "v", 1);
		json_key(&j, "tasks");
		json_open_array(&j);
	}
	rc = explain_all_of(c, &s, c->json ? &j : NULL, &e);
	if (rc < 0)
		return cli_fail_session(c, &s, &e);
	if (c->json) {
		json_end(&j);
		json_end(&j);
		screen_str(&c->out, "\n");
	}
	session_close(&s);
	return EXIT_DONE;
}

const struct command cmd_explain = { .name = "explain",
	.group = GROUP_RUN,
	.args = "TASK [FILE.yaml]",
	.summary = "tell why a task would run, part by part",
	.about = "Compares all that decides the task's result (its key) with the earlier success\n"
		 "from which least differs: the command or code, parameters, inputs, environment\n"
		 "and outs. Of a script of several lines those that differ are shown. TASK is a\n"
		 "task, or a stage; of a stage with several tasks, those that are not cached are\n"
		 "explained.\n",
	.examples = "flow explain train\n"
		    "flow explain train -p train.lr=0.1\n"
		    "flow explain train@seed-2 --all\n",
	.least = 1,
	.most = 1,
	.takes_dag = true,
	.takes_params = true,
	.shows = true,
	.opts = opts,
	.run = explain_main };
