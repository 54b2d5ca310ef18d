#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/dag_place.h"
#include "cli/plugin_check.h"
#include "cli/unused.h"

static const struct opt opts[] = {
	{ 0, "plugins", OPT_FLAG, NULL,
		"load the project's plugins too, in a process of its own: their ABI, stages, deps, outs and what they take under with",
		OPT_AT(plugins), NULL },
	OPT_END,
};

struct lint {
	struct cli *cli;
	struct session *session;
};

/* "NAME:LINE: message" of the worker becomes a diagnostic where the script is. */
static void add_lua_fault(
	struct lint *l, uint32_t stage, const char *name, const char *script, char *text)
{
	struct place at = place_of_stage(l->session, stage);
	size_t len = strlen(name);
	const char *message = text;
	unsigned long line = 0;

	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, name, len) == 0 && text[len] == ':') {
		char *end;

		line = strtoul(text + len + 1, &end, 10);
		if (end[0] == ':' && end[1] == ' ')
			message = end + 2;
	}
	if (line > 0 && script == NULL)
		at = (struct place){ .file = name, .line = (uint32_t)line };
	else if (line > 0)
		at = place_of_script(l->session, stage, script, (uint32_t)line);
	(void)diag_add(&l->session->diags, "E0601", at, "%s", message);
}

/* script NULL: the file `path`, relative to the project. */
static int check_lua(
	struct lint *l, uint32_t stage, const char *path, const char *script, struct err *e)
{
	const char *name = script == NULL ? path : l->cli->dag;
	const char *file =
		script == NULL ? path_join(&l->cli->arena, l->session->root, path) : "/dev/stdin";
	const char *argv[] = { l->session->worker, "--check-lua", file, name, NULL };
	struct child_answer answer;

	if (child_ask(&answer, &l->cli->arena, argv, script, script != NULL ? strlen(script) : 0,
		    CHILD_LIMIT_MS, e) < 0)
		return e->code;
	if (answer.status != 0)
		add_lua_fault(l, stage, name, script, arena_strdup(&l->cli->arena, answer.text));
	return 0;
}

/* One node stands for all of its stage: they share what they use. */
static int check_script(struct lint *l, uint32_t stage, struct err *e)
{
	struct session *s = l->session;
	const struct stage *what = &s->graph.stages[stage];
	const struct code_list *list;
	uint32_t node = what->nodes.first;
	struct err fault;

	if ((what->kind != STAGE_LUA && what->kind != STAGE_INLINE) || what->nodes.count == 0)
		return 0;
	if (code_of(&s->code, node, &list, &fault) < 0) {
		diag_add_err(&s->diags, "E0608", place_of_stage(s, stage), &fault);
		return 0;
	}
	if (what->kind == STAGE_INLINE)
		return check_lua(l, stage, "", graph_text(&s->graph, s->graph.nodes[node].text), e);
	return check_lua(l, stage, list->path, NULL, e);
}

static int check_all(struct lint *l, struct err *e)
{
	struct session *s = l->session;
	unsigned flags = PLUGIN_TELL_BROKEN;
	uint32_t i;

	code_open(&s->code, &s->graph, &s->stats, s->root_fd, &s->registry);
	for (i = 0; i < s->graph.stage_count; i++)
		if (check_script(l, i, e) < 0)
			return e->code;
	if (l->cli->plugins)
		flags |= PLUGIN_LOAD_ALL | PLUGIN_ASK_ANEW;
	return plugin_check(s, flags, e);
}

static void put_json(struct lint *l, const struct unused *unused)
{
	const struct graph *g = &l->session->graph;
	struct json j;
	size_t i;

	json_init(&j, &l->cli->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "errors");
	json_open_array(&j);
	json_end(&j);
	json_key(&j, "warnings");
	json_open_array(&j);
	for (i = 0; i < unused->count; i++) {
		const struct field *param = unused->items[i];

		json_open_object(&j);
		json_key_string(&j, "message",
			arena_printf(&l->cli->arena, "parameter `%s` is used by no stage",
				graph_text(g, param->name)));
		json_key_string(&j, "origin", graph_text(g, param->origin));
		json_end(&j);
	}
	json_end(&j);
	json_key_int(&j, "stages", g->stage_count);
	json_key_int(&j, "tasks", g->node_count);
	json_end(&j);
	screen_str(&l->cli->out, "\n");
}

static void put_text(struct lint *l, const struct unused *unused)
{
	const struct graph *g = &l->session->graph;
	struct screen *o = &l->cli->out;
	size_t i;

	for (i = 0; i < unused->count; i++) {
		screen_paint(&l->cli->talk, PAINT_YELLOW, "warning");
		screen_printf(&l->cli->talk, ": parameter `%s` is used by no stage (%s)\n",
			graph_text(g, unused->items[i]->name),
			graph_text(g, unused->items[i]->origin));
	}
	screen_foreign(o, l->cli->dag);
	screen_printf(o, ": ok (%u stage%s, %u task%s)\n", g->stage_count,
		g->stage_count == 1 ? "" : "s", g->node_count, g->node_count == 1 ? "" : "s");
}

static int lint_main(struct cli *c)
{
	struct unused unused = { 0 };
	struct session s;
	struct lint l = { .cli = c, .session = &s };
	struct err e;

	if (cli_graph(c, &s, &e) < 0)
		return cli_fail_session(c, &s, &e);
	if (check_all(&l, &e) < 0)
		return cli_fail_session(c, &s, &e);
	unused_find(&unused, &s.graph, buf_text(&s.text), &c->arena);
	if (c->json)
		put_json(&l, &unused);
	else
		put_text(&l, &unused);
	session_close(&s);
	return EXIT_DONE;
}

const struct command cmd_lint = { .name = "lint",
	.group = GROUP_UPKEEP,
	.args = "[FILE.yaml]",
	.summary = "check dag.yaml, its scripts and plugins",
	.about = "Reads everything a run would read and tells all faults at once. Lua is read,\n"
		 "not run. Stages that come with flow are asked whether they take the deps, the\n"
		 "outs and the values under `with:` that they are given. So are the project's own\n"
		 "plugins with --plugins: they are loaded for it, which runs their constructors,\n"
		 "in a process of its own.\n",
	.examples = "flow lint\n"
		    "flow lint --json | jq '.errors[].message'\n",
	.takes_dag = true,
	.takes_params = true,
	.shows = true,
	.opts = opts,
	.run = lint_main };
