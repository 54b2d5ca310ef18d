/*
 * flow stage ls, flow stage describe: the stages that dag.yaml can use, as they describe themselves.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/near.h"
#include "base/program.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/shown.h"
#include "stage/description.h"
#include "stage/registry.h"

struct found {
	struct cli *cli;
	struct registry registry;
	const char *worker;
	struct json json;  /* with --json */
	struct table rows; /* of the list */
	bool is_first;
};

/* What is done with each stage of a plugin. */
typedef void show_stage(struct found *f, const json_t *stage, const char *file);

static const char *text_of(const json_t *of, const char *key)
{
	const char *text = json_string_value(json_object_get(of, key));

	return text != NULL ? text : "";
}

static int show_plugin(struct found *f, const char *file, show_stage *show, struct err *e)
{
	const json_t *stage;
	const char *text;
	json_t *root;
	size_t i;

	if (description_ask(&text, &f->cli->arena, f->worker, file, e) < 0)
		return e->code;
	root = description_read(text);
	json_array_foreach(json_object_get(root, "stages"), i, stage)
		show(f, stage, file);
	json_decref(root);
	return 0;
}

/* -- one stage as text ------------------------------------------------------------------------------------------------- */

static void put_ports(struct found *f, const json_t *stage, const char *key)
{
	struct table t = { .arena = &f->cli->arena, .columns = 3 };
	const json_t *port;
	size_t i;

	json_array_foreach(json_object_get(stage, key), i, port)
	{
		table_cell(&t, PAINT_NONE, "  %s", shown(f->cli, text_of(port, "name")));
		table_cell(&t, PAINT_YELLOW, "%s",
			json_is_true(json_object_get(port, "required")) ? "required" : "");
		table_cell(&t, PAINT_NONE, "%s", shown(f->cli, text_of(port, "help")));
	}
	if (t.cells.count == 0)
		return;
	screen_str(&f->cli->out, "\n");
	screen_paint(&f->cli->out, PAINT_BOLD, key);
	screen_str(&f->cli->out, "\n");
	table_write(&t, &f->cli->out);
}

/* "integer 1 to 100", "number from 0" */
static const char *type_text(struct found *f, const json_t *option)
{
	const json_t *min = json_object_get(option, "min"), *max = json_object_get(option, "max");
	char least[32] = "", most[32] = "";

	if (min != NULL)
		(void)number_text(json_number_value(min), least);
	if (max != NULL)
		(void)number_text(json_number_value(max), most);
	return arena_printf(&f->cli->arena, "%s%s%s%s%s", shown(f->cli, text_of(option, "type")),
		min == NULL ? "" : max == NULL ? " from " : " ", least, max != NULL ? " to " : "",
		most);
}

static void put_options(struct found *f, const json_t *stage)
{
	struct table t = { .arena = &f->cli->arena, .columns = 4 };
	const json_t *option, *options = json_object_get(stage, "options");
	size_t i;

	json_array_foreach(options, i, option)
	{
		const json_t *value = json_object_get(option, "default");

		table_cell(&t, PAINT_NONE, "  %s", shown(f->cli, text_of(option, "key")));
		table_cell(&t, PAINT_DIM, "%s", type_text(f, option));
		if (json_is_string(value))
			table_cell(&t, PAINT_NONE, "%s",
				shown(f->cli, text_of(option, "default")));
		else
			table_cell(&t, PAINT_YELLOW, "required");
		table_cell(&t, PAINT_NONE, "%s", shown(f->cli, text_of(option, "help")));
	}
	if (t.cells.count == 0 && json_is_array(options))
		return;
	screen_str(&f->cli->out, "\n");
	screen_paint(&f->cli->out, PAINT_BOLD, "with");
	screen_str(&f->cli->out, json_is_array(options) ? "\n" : "\n  any key\n");
	table_write(&t, &f->cli->out);
}

static void put_text(struct found *f, const json_t *stage, const char *file)
{
	struct screen *o = &f->cli->out;

	(void)file;
	if (!f->is_first)
		screen_str(o, "\n\n");
	f->is_first = false;
	screen_paint(o, PAINT_BOLD, shown(f->cli, text_of(stage, "name")));
	screen_printf(o, " (version %s)\n", shown(f->cli, text_of(stage, "version")));
	screen_printf(o, "%s\n", shown(f->cli, text_of(stage, "help")));
	put_ports(f, stage, "deps");
	put_ports(f, stage, "outs");
	put_options(f, stage);
}

/* -- as JSON, or a row of the list ------------------------------------------------------------------------------------- */

static void put_json(struct found *f, const json_t *stage, const char *file)
{
	json_t *whole = json_deep_copy(stage);
	char *text;

	(void)json_object_set_new(whole, "file", json_string(file));
	text = json_dumps(whole, JSON_COMPACT);
	json_raw(&f->json, text != NULL ? text : "null");
	free(text);
	json_decref(whole);
}

static void put_row(struct found *f, const json_t *stage, const char *file)
{
	(void)file;
	table_cell(&f->rows, PAINT_NONE, "%s", shown(f->cli, text_of(stage, "name")));
	table_cell(&f->rows, PAINT_DIM, "%s", shown(f->cli, text_of(stage, "version")));
	table_cell(&f->rows, PAINT_NONE, "%s", shown(f->cli, text_of(stage, "help")));
}

/* -- which stages ------------------------------------------------------------------------------------------------------ */

static int no_such(struct found *f, const char *name, struct err *e)
{
	const char *const *names;
	size_t count = registry_names(&f->registry, &f->cli->arena, &names);
	const char *near = near_find(name, names, count);

	err_set(e, ERR_NOTFOUND, "there is no stage `%.100s`", name);
	if (near != NULL)
		return err_hint(e, "did you mean `%s`?", near);
	return err_hint(e, "`flow stage ls` lists those that come with flow; a plugin of your own is named "
			   "by its file: ./x.so");
}

/* A Lua stage is a script, and nothing is run to look at it. */
static int show_script(struct found *f, const char *name, const char *file, show_stage *show, struct err *e)
{
	json_t *stage;

	if (show == put_text)
		return err_set(e, ERR_NOTFOUND, "`%s` is a Lua stage; its file tells what it takes: %s", name,
			file);
	stage = json_pack("{s:s, s:s, s:s}", "name", name, "version", "", "help", "a Lua stage");
	show(f, stage, file);
	json_decref(stage);
	return 0;
}

/* name: of a stage that comes with flow, or the file of a plugin. */
static int show_one(struct found *f, const char *name, show_stage *show, struct err *e)
{
	const char *file = name;
	enum wire_stage kind = WIRE_PLUGIN;

	if (strchr(name, '/') == NULL &&
		!registry_find(&f->registry, name, &f->cli->arena, &file, &kind))
		return no_such(f, name, e);
	if (kind != WIRE_PLUGIN)
		return show_script(f, name, file, show, e);
	return show_plugin(f, file, show, e);
}

static int show_all(struct found *f, show_stage *show, struct err *e)
{
	const char *const *names;
	size_t count = registry_names(&f->registry, &f->cli->arena, &names), i;
	int rc = 0;

	for (i = 0; i < f->cli->args.count && rc == 0; i++)
		rc = show_one(f, f->cli->args.items[i], show, e);
	for (i = 0; i < count && f->cli->args.count == 0 && rc == 0; i++) {
		const char *file;
		enum wire_stage kind;

		if (show != put_text || (registry_find(&f->registry, names[i], &f->cli->arena, &file, &kind) &&
						kind == WIRE_PLUGIN))
			rc = show_one(f, names[i], show, e);
	}
	return rc;
}

static int stage_main(struct cli *c, show_stage *show)
{
	struct found f = { .cli = c, .is_first = true, .rows = { .arena = &c->arena, .columns = 3 } };
	struct err e;
	int rc;

	registry_open(&f.registry, &c->arena, NULL);
	f.worker = program_path(&c->arena, "flow-worker");
	json_init(&f.json, &c->out.text);
	if (c->json) {
		json_open_object(&f.json);
		json_key_int(&f.json, "v", 1);
		json_key(&f.json, "stages");
		json_open_array(&f.json);
	}
	rc = show_all(&f, c->json ? put_json : show, &e);
	if (rc < 0) {
		buf_clear(&c->out.text);
		return cli_fail(c, &e);
	}
	if (c->json) {
		json_end(&f.json);
		json_end(&f.json);
		screen_str(&c->out, "\n");
	}
	table_write(&f.rows, &c->out);
	return EXIT_DONE;
}

static int ls_main(struct cli *c)
{
	return stage_main(c, put_row);
}

static int describe_main(struct cli *c)
{
	return stage_main(c, put_text);
}

const struct command cmd_stage_ls = { .name = "stage ls",
	.group = GROUP_LOOK,
	.args = "",
	.summary = "list the stages that come with flow",
	.about = "And those in the folders of FLOW_STAGE_PATH. Plugins are loaded for it, in a\n"
		 "process of their own; nothing of them is run.\n",
	.examples = "flow stage ls\n",
	.shows = true,
	.run = ls_main };

const struct command cmd_stage_describe = { .name = "stage describe",
	.group = GROUP_LOOK,
	.args = "[STAGE...]",
	.summary = "tell what a stage takes: deps, outs, the keys of `with:`",
	.about = "As the stage describes itself: names, types, bounds, defaults. STAGE is a name\n"
		 "of `flow stage ls` or the file of a plugin; without it all of them.\n",
	.examples = "flow stage describe train\n"
		    "flow stage describe ./stages/count.so --json\n",
	.most = 100,
	.shows = true,
	.run = describe_main };
