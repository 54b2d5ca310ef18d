#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/vec.h"
#include "base/child.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/plugin_check.h"
#include "cli/unused.h"
#include "cli/with_check.h"
#include "dag/yaml.h"

static const struct opt opts[] = {
	{ 0, "plugins", OPT_FLAG, NULL,
		"load plugins too, in a process of its own: their ABI, stages, deps, outs and what they take under with",
		OPT_AT(plugins), NULL },
	OPT_END,
};

struct lint {
	struct cli *cli;
	struct session *session;
	struct yaml_file file; /* dag.yaml again, for where values stand: read when one is wrong */
	const struct yaml *root;
};

static struct place place_of(const struct lint *l, uint32_t stage)
{
	const struct graph *g = &l->session->graph;
	struct pos at = g->stages[stage].at;

	return (struct place){ .file = l->cli->dag,
		.line = at.line,
		.col = at.col,
		.width = (uint32_t)strlen(graph_text(g, g->stages[stage].name)) };
}

/* The line of dag.yaml on which the text of an inline script begins; 0 when it cannot be told. */
static uint32_t script_line(const struct lint *l, uint32_t stage, const char *script)
{
	size_t script_len = strcspn(script, "\n");
	const char *line = buf_text(&l->session->text);
	uint32_t number = 1;

	for (; *line != '\0'; number++) {
		const char *text = line + strspn(line, " ");
		size_t len = strcspn(text, "\r\n");

		if (number > l->session->graph.stages[stage].at.line && len == script_len &&
			strncmp(text, script, len) == 0)
			return number;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return 0;
}

/* "NAME:LINE: message" of the worker becomes a diagnostic where the script is. */
static void add_lua_fault(
	struct lint *l, uint32_t stage, const char *name, const char *script, char *text)
{
	struct place at = place_of(l, stage);
	size_t len = strlen(name);
	const char *message = text;
	unsigned long line = 0;
	uint32_t first;

	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, name, len) == 0 && text[len] == ':') {
		char *end;

		line = strtoul(text + len + 1, &end, 10);
		if (end[0] == ':' && end[1] == ' ')
			message = end + 2;
	}
	if (line > 0 && script == NULL) {
		at = (struct place){ .file = name, .line = (uint32_t)line };
	} else if (line > 0) {
		first = script_line(l, stage, script);
		if (first > 0)
			at = (struct place){ .file = l->cli->dag,
				.line = first + (uint32_t)line - 1 };
	}
	(void)diag_add(&l->session->diags, "E0601", at, "%s", message);
}

static void add_fault(struct lint *l, uint32_t stage, const char *code, const struct err *e)
{
	struct diags *d = &l->session->diags;
	const char *id = e->id[0] != '\0' ? arena_strdup(d->arena, e->id) : code;
	struct diag *diag = diag_add(d, id, place_of(l, stage), "%s", e->text);

	if (e->hint[0] != '\0')
		diag_note(d, diag, "%s", e->hint);
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

static bool is_elf(const struct lint *l, const char *path)
{
	int fd = openat(l->session->root_fd, path, O_RDONLY | O_CLOEXEC);
	char magic[4] = "";
	ssize_t n = fd >= 0 ? read(fd, magic, sizeof magic) : 0;

	if (fd >= 0)
		(void)close(fd);
	return n == (ssize_t)sizeof magic && memcmp(magic, "\177ELF", sizeof magic) == 0;
}

/* The value of a key of `with:`, or else the stage. */
static struct place place_of_with(struct lint *l, uint32_t stage, const char *key)
{
	const struct graph *g = &l->session->graph;
	struct diags none = { .arena = &l->cli->arena };
	struct place at = { .line = 0 };

	if (key != NULL && l->file.text == NULL) {
		l->file = (struct yaml_file){ l->cli->dag, buf_text(&l->session->text),
			l->session->text.len };
		if (yaml_read(&l->root, &l->cli->arena, &l->file, &none) < 0)
			l->root = NULL;
	}
	if (key != NULL)
		at = with_place(l->root, graph_text(g, g->stages[stage].name), key);
	return at.line != 0 ? at : place_of(l, stage);
}

/* Instances of a stage may differ in what they are given; what is wrong with all is told once. */
static void add_plugin_faults(struct lint *l, uint32_t stage, const char *text, const char *entry)
{
	const struct graph *g = &l->session->graph;
	struct span nodes = g->stages[stage].nodes;
	struct plugin_faults faults = { 0 };
	uint32_t n;
	size_t i;

	for (n = nodes.first; n < nodes.first + nodes.count; n++)
		if (n == nodes.first || g->nodes[n].with.first != g->nodes[n - 1].with.first)
			plugin_check(&faults, text, g, n, entry, &l->cli->arena);
	for (i = 0; i < faults.count; i++)
		(void)diag_add(&l->session->diags, faults.items[i].code,
			place_of_with(l, stage, faults.items[i].key), "%s", faults.items[i].text);
	vec_release(&faults);
}

static int check_plugin(
	struct lint *l, uint32_t stage, const char *path, const char *entry, struct err *e)
{
	const char *file = path_join(&l->cli->arena, l->session->root, path);
	const char *argv[] = { l->session->worker, "--describe", file, NULL };
	struct child_answer answer;
	struct err fault;

	if (!is_elf(l, path)) {
		err_set(&fault, ERR_INPUT, "`%s` is not a plugin: it is no shared library", path);
		add_fault(l, stage, "E0701", &fault);
		return 0;
	}
	if (!l->cli->plugins)
		return 0;
	if (child_ask(&answer, &l->cli->arena, argv, NULL, 0, CHILD_LIMIT_MS, e) < 0)
		return e->code;
	if (answer.status != 0) {
		const char *text = answer.text;

		if (strncmp(text, "flow-worker: ", 13) == 0)
			text += 13;
		err_set(&fault, ERR_INPUT, "%.*s", (int)strcspn(text, "\n"), text);
		add_fault(l, stage, strstr(text, "ABI") != NULL ? "E0702" : "E0701", &fault);
	} else {
		add_plugin_faults(l, stage, answer.text, entry);
	}
	return 0;
}

/* One node stands for all of its stage: they share what they use. */
static int check_stage(struct lint *l, uint32_t stage, struct err *e)
{
	struct session *s = l->session;
	const struct stage *what = &s->graph.stages[stage];
	const struct code_list *list;
	uint32_t node = what->nodes.first;
	struct err fault;

	if (what->kind == STAGE_CMD || what->nodes.count == 0)
		return 0;
	if (code_of(&s->code, node, &list, &fault) < 0) {
		add_fault(l, stage, what->kind == STAGE_PLUGIN ? "E0701" : "E0608", &fault);
		return 0;
	}
	if (what->kind == STAGE_INLINE)
		return check_lua(l, stage, "", graph_text(&s->graph, s->graph.nodes[node].text), e);
	if (what->kind == STAGE_LUA)
		return check_lua(l, stage, list->path, NULL, e);
	return check_plugin(l, stage, list->path, list->entry, e);
}

static int check_all(struct lint *l, struct err *e)
{
	struct session *s = l->session;
	uint32_t i;

	code_open(&s->code, &s->graph, &s->stats, s->root_fd, &s->registry);
	for (i = 0; i < s->graph.stage_count; i++)
		if (check_stage(l, i, e) < 0)
			return e->code;
	return s->diags.count > 0 ? err_set(e, ERR_INPUT, "the dag has errors") : 0;
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
		 "not run. Plugins are looked at; with --plugins they are loaded as well, which\n"
		 "runs their constructors, in a process of its own.\n",
	.examples = "flow lint\n"
		    "flow lint --json | jq '.errors[].message'\n",
	.takes_dag = true,
	.takes_params = true,
	.shows = true,
	.opts = opts,
	.run = lint_main };
