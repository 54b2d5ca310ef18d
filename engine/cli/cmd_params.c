#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/commands.h"

static void put_table(struct cli *c, const struct graph *g)
{
	struct table t = { .arena = &c->arena, .columns = 3 };
	uint32_t i;

	if (g->param_count == 0) {
		screen_str(&c->talk, "no parameters: `params:` in dag.yaml defines them\n");
		return;
	}
	table_cell(&t, PAINT_BOLD, "PARAMETER");
	table_cell(&t, PAINT_BOLD, "VALUE");
	table_cell(&t, PAINT_BOLD, "FROM");
	for (i = 0; i < g->param_count; i++) {
		table_cell(&t, PAINT_NONE, "%s", graph_text(g, g->params[i].name));
		table_cell(&t, PAINT_NONE, "%s", graph_text(g, g->params[i].value));
		table_cell(&t, PAINT_DIM, "%s", graph_text(g, g->params[i].origin));
	}
	table_write(&t, &c->out);
}

static void put_json(struct cli *c, const struct graph *g)
{
	struct json j;
	uint32_t i;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "params");
	json_open_array(&j);
	for (i = 0; i < g->param_count; i++) {
		json_open_object(&j);
		json_key_string(&j, "name", graph_text(g, g->params[i].name));
		json_key(&j, "value");
		json_raw(&j, graph_text(g, g->params[i].value));
		json_key_string(&j, "from", graph_text(g, g->params[i].origin));
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	screen_str(&c->out, "\n");
}

static int params_main(struct cli *c)
{
	struct session s;
	struct err e;

	if (c->args.count > 0 && strcmp(c->args.items[0], "show") != 0) {
		err_set(&e, ERR_USAGE, "unknown command `flow params %.60s`", c->args.items[0]);
		err_hint(&e, "`flow params` shows all of them");
		return cli_fail(c, &e);
	}
	if (cli_graph(c, &s, &e) < 0)
		return cli_fail_session(c, &s, &e);
	if (c->json)
		put_json(c, &s.graph);
	else
		put_table(c, &s.graph);
	session_close(&s);
	return EXIT_DONE;
}

const struct command cmd_params = { .name = "params",
	.group = GROUP_LOOK,
	.args = "[show] [FILE.yaml]",
	.summary = "list the parameters, their values and where they come from",
	.about = "",
	.examples = "flow params\n"
		    "flow params -p train.lr=0.1 --json\n",
	.most = 1,
	.takes_dag = true,
	.takes_params = true,
	.shows = true,
	.run = params_main };
