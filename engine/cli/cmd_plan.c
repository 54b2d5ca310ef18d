#include <limits.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/plugin_check.h"
#include "cli/view.h"

#define LISTED_MAX 20 /* a longer plan lists only what is not cached */

static const struct opt opts[] = {
	{ 0, "force", OPT_LIST, "[STAGE]", "as if it had to run; alone: everything", OPT_AT(force),
		NULL },
	{ 0, "from", OPT_TEXT, "STAGE", "it and everything below it", OPT_AT(from), NULL },
	{ 0, "until", OPT_TEXT, "STAGE", "it and everything above it", OPT_AT(until), NULL },
	{ 0, "only", OPT_TEXT, "STAGE", "it alone", OPT_AT(only), NULL },
	{ 0, "exit-code", OPT_FLAG, NULL, "end with status 4 when something would run",
		OPT_AT(exit_code), NULL },
	OPT_END,
};

/* How long the task took last time; -1: it was never timed. */
static int64_t expected_ms(const struct plan *p, uint32_t node)
{
	const struct choice *c = &p->choices[node];
	const struct record *r = c->past != NULL ? c->past : p->past->latest(p->past->user, node);

	return r != NULL ? r->took_ms : -1;
}

static enum paint paint_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_RUN: return PAINT_YELLOW;
	case VERDICT_REUSE: return PAINT_GREEN;
	case VERDICT_MAYBE: return PAINT_CYAN;
	case VERDICT_BLOCKED: return PAINT_RED;
	case VERDICT_LEFT_OUT: return PAINT_DIM;
	}
	return PAINT_NONE;
}

static bool would_run(const struct choice *c)
{
	return c->verdict == VERDICT_RUN || c->verdict == VERDICT_MAYBE;
}

/* The task, why, and below it what else differs. */
static void put_row(struct table *t, struct plan *p, uint32_t node)
{
	const struct choice *choice = &p->choices[node];
	enum verdict verdict = (enum verdict)choice->verdict;
	char took[32];
	uint32_t i;

	table_cell(t, PAINT_NONE, "%s", node_name(p->graph, node));
	table_cell(t, paint_of(verdict), "%s", verdict_name(verdict));
	table_cell(t, PAINT_NONE, "%s", choice_line(p, choice));
	table_cell(t, PAINT_NONE, "%s",
		would_run(choice) ? took_text(expected_ms(p, node), took) : "-");
	for (i = 0; i < choice->other_count; i++) {
		table_cell(t, PAINT_NONE, "%s", "");
		table_cell(t, PAINT_NONE, "%s", "");
		table_cell(t, PAINT_NONE, "%s", choice->others[i]);
		table_cell(t, PAINT_NONE, "%s", "");
	}
}

static void put_table(struct cli *c, struct plan *p)
{
	struct table t = { .arena = &c->arena, .columns = 4, .right = 1u << 3 };
	uint32_t i, count = p->graph->node_count, shown = count - p->count[VERDICT_LEFT_OUT];
	struct screen *o = &c->out;

	table_cell(&t, PAINT_BOLD, "TASK");
	table_cell(&t, PAINT_BOLD, "VERDICT");
	table_cell(&t, PAINT_BOLD, "WHY");
	table_cell(&t, PAINT_BOLD, "EST");
	for (i = 0; i < count; i++) {
		enum verdict verdict = (enum verdict)p->choices[i].verdict;

		if (verdict != VERDICT_LEFT_OUT && (verdict != VERDICT_REUSE || shown <= LISTED_MAX))
			put_row(&t, p, i);
	}
	if (t.cells.count > t.columns)
		table_write(&t, o);
	else
		vec_release(&t.cells);
}

static void put_total(struct cli *c, const struct plan *p)
{
	static const enum verdict order[] = { VERDICT_RUN, VERDICT_MAYBE, VERDICT_REUSE,
		VERDICT_BLOCKED };
	int64_t estimate = plan_estimate_ms(p);
	const char *comma = "";
	char number[32];
	size_t i;

	for (i = 0; i < sizeof order / sizeof *order; i++) {
		if (p->count[order[i]] == 0)
			continue;
		screen_printf(&c->out, "%s%s %s", comma, count_text(p->count[order[i]], number),
			verdict_name(order[i]));
		comma = ", ";
	}
	if (p->count[VERDICT_RUN] + p->count[VERDICT_MAYBE] == 0)
		screen_printf(&c->out, "%snothing to do", comma[0] != '\0' ? "; " : "");
	else if (estimate >= 0)
		screen_printf(&c->out, "; about %s", took_text(estimate, number));
	screen_str(&c->out, "\n");
}

static void json_choice(struct json *j, struct plan *p, uint32_t node)
{
	const struct choice *c = &p->choices[node];
	int64_t expected = expected_ms(p, node);
	char hex[DIGEST_HEX];
	uint32_t i;

	json_open_object(j);
	json_key_string(j, "task", node_name(p->graph, node));
	json_key_string(j, "stage", graph_text(p->graph, node_stage(p->graph, node)->name));
	json_key_string(j, "verdict", verdict_name((enum verdict)c->verdict));
	json_key_string(j, "reason", reason_name((enum reason)c->reason));
	json_key_string(j, "why", choice_text(p, c));
	json_key_string(j, "name", c->name);
	json_key_string(j, "was", c->was);
	json_key_string(j, "is", c->is);
	json_key_string(j, "origin", c->origin);
	json_key(j, "others");
	json_open_array(j);
	for (i = 0; i < c->other_count; i++)
		json_text(j, c->others[i]);
	json_end(j);
	json_key_string(j, "key", c->keyed ? digest_hex(&c->key, hex) : NULL);
	json_key_bool(j, "restore", c->restore);
	json_key(j, "expected_ms");
	if (expected >= 0)
		json_int(j, expected);
	else
		json_nothing(j);
	json_end(j);
}

static void put_json(struct cli *c, struct plan *p)
{
	struct json j;
	uint32_t i;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "tasks");
	json_open_array(&j);
	for (i = 0; i < p->graph->node_count; i++)
		if (p->choices[i].verdict != VERDICT_LEFT_OUT)
			json_choice(&j, p, i);
	json_end(&j);
	json_key_int(&j, "run", p->count[VERDICT_RUN]);
	json_key_int(&j, "maybe", p->count[VERDICT_MAYBE]);
	json_key_int(&j, "cached", p->count[VERDICT_REUSE]);
	json_key_int(&j, "blocked", p->count[VERDICT_BLOCKED]);
	json_key_int(&j, "left_out", p->count[VERDICT_LEFT_OUT]);
	json_end(&j);
	screen_str(&c->out, "\n");
}

int cmd_plan_main(struct cli *c)
{
	struct session_wish wish;
	int status = EXIT_DONE;
	struct session s;
	struct err e;

	cli_wish(c, &wish);
	if (cli_session(c, &s, PROJECT_READ, &e) < 0 || session_plan(&s, &wish, &e) < 0 || plugin_check(&s, 0, &e) < 0)
		return cli_fail_session(c, &s, &e);
	if (c->json || c->progress == PROGRESS_JSON)
		put_json(c, &s.plan);
	else if (!c->quiet)
		put_table(c, &s.plan);
	if (!c->json && c->progress != PROGRESS_JSON)
		put_total(c, &s.plan);
	if (c->exit_code && s.plan.count[VERDICT_RUN] + s.plan.count[VERDICT_MAYBE] +
					    s.plan.count[VERDICT_BLOCKED] >
				    0)
		status = EXIT_NO;
	session_close(&s);
	return status;
}

const struct command cmd_plan = { .name = "plan",
	.group = GROUP_RUN,
	.args = "[STAGE...] [FILE.yaml]",
	.summary = "show what would run, and why",
	.about = "Looks at dag.yaml, the files and the journal, and says of each task:\n"
		 "\n"
		 "  run       it would run, for the reason shown\n"
		 "  maybe     it would run if what the task named makes changes\n"
		 "  cached    nothing changed since an earlier success\n"
		 "  blocked   an input, or the out of a frozen stage, is not there\n"
		 "\n"
		 "Nothing is run and nothing is written. What would run is checked as `flow lint`\n"
		 "does it: what a plugin is given and does not take is an error. The estimate is\n"
		 "the sum of how long the tasks took last time.\n",
	.examples = "flow plan\n"
		    "flow plan -p train.lr=0.1       # what another parameter would cost\n"
		    "flow plan --exit-code -q        # in a script: is everything up to date?\n",
	.most = UINT_MAX,
	.takes_dag = true,
	.takes_params = true,
	.shows = true,
	.opts = opts,
	.run = cmd_plan_main };
