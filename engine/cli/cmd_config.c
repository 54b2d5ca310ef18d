/*
 * flow config: how flow is set up here, and where that was said.
 */
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/near.h"
#include "base/path.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/shown.h"
#include "store/config.h"
#include "store/project.h"

static int find_key(const char *name, enum config_key *key, struct err *e)
{
	const char *near = near_find(name, config_names, CONFIG_COUNT);
	int i;

	for (i = 0; i < CONFIG_COUNT; i++)
		if (strcmp(config_names[i], name) == 0) {
			*key = (enum config_key)i;
			return 0;
		}
	err_set(e, ERR_USAGE, "there is no setting `%.60s`", name);
	return near != NULL ? err_hint(e, "did you mean %s?", near)
			    : err_hint(e, "`flow config` lists them");
}

static void put_json(struct cli *c, const struct config *config)
{
	struct json j;
	int i;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	for (i = 0; i < CONFIG_COUNT; i++) {
		json_key(&j, config_names[i]);
		json_open_object(&j);
		json_key_string(&j, "value", config->values[i].text);
		json_key_string(&j, "origin", config->values[i].origin);
		json_end(&j);
	}
	json_end(&j);
	screen_str(&c->out, "\n");
}

static void put_list(struct cli *c, const struct config *config)
{
	struct table t = { .arena = &c->arena, .columns = 3 };
	int i;

	table_cell(&t, PAINT_BOLD, "SETTING");
	table_cell(&t, PAINT_BOLD, "VALUE");
	table_cell(&t, PAINT_BOLD, "FROM");
	for (i = 0; i < CONFIG_COUNT; i++) {
		const struct config_value *v = &config->values[i];

		table_cell(&t, PAINT_NONE, "%s", config_names[i]);
		table_cell(&t, PAINT_NONE, "%s", v->text[0] != '\0' ? shown(c, v->text) : "-");
		table_cell(&t, PAINT_NONE, "%s", shown(c, v->origin));
	}
	table_write(&t, &c->out);
}

static int show(struct cli *c, const struct project *p, struct err *e)
{
	struct config config;
	enum config_key key;

	if (config_read(&config, &c->arena, p->flow_fd, e) < 0)
		return e->code;
	if (c->args.count == 1) {
		if (find_key(c->args.items[0], &key, e) < 0)
			return e->code;
		screen_printf(&c->out, "%s\n", shown(c, config.values[key].text));
	} else if (c->json) {
		put_json(c, &config);
	} else {
		put_list(c, &config);
	}
	return 0;
}

/* The project as the configuration has it now need not open: that may be what is to be repaired. */
static int change(struct cli *c, const char *folder, struct err *e)
{
	const char *value = c->args.count > 1 ? c->args.items[1] : NULL;
	struct project p;
	enum config_key key;
	int rc;

	if (find_key(c->args.items[0], &key, e) < 0 || project_lock(&p, folder, e) < 0)
		return e->code;
	rc = config_set(&c->arena, p.flow_fd, key, value, e);
	project_close(&p);
	return rc;
}

static int config_main(struct cli *c)
{
	const char *folder = path_folder(&c->arena, c->dag);
	struct project p = { .flow_fd = -1 };
	struct err e;
	int rc;

	if (c->unset && c->args.count != 1) {
		err_set(&e, ERR_USAGE, "--unset takes one setting");
		return cli_fail(c, &e);
	}
	if (c->args.count > 1 || c->unset) {
		rc = change(c, folder, &e);
		return rc < 0 ? cli_fail(c, &e) : EXIT_DONE;
	}
	rc = project_find(&p, folder, &e);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	if (rc == 0)
		rc = show(c, &p, &e);
	project_close(&p);
	return rc < 0 ? cli_fail(c, &e) : EXIT_DONE;
}

static const struct opt opts[] = {
	{ 0, "unset", OPT_FLAG, NULL, "take the setting out of the project's file", OPT_AT(unset),
		NULL },
	OPT_END,
};

const struct command cmd_config = { .name = "config",
	.group = GROUP_UPKEEP,
	.args = "[SETTING [VALUE]]",
	.summary = "show or change how flow is set up in this project",
	.about =
		"Without a value it shows what holds and where it was said; with one it writes\n"
		".flow/config.yaml. What was said first holds: FLOW_CACHE_DIR and FLOW_CACHE_LINK\n"
		"of the environment, .flow/config.yaml, the user's flow/config.yaml (below\n"
		"XDG_CONFIG_HOME, or ~/.config). No setting is part of a task's key.\n"
		"\n"
		"  cache.dir    the folder of a store that projects share; none: .flow. Relative\n"
		"               to the project. Objects made so far stay where they are: results\n"
		"               that are not in the store are made again when they are needed.\n"
		"  cache.link   how a result comes into the store and back, the first that works:\n"
		"               reflink (shared blocks), hardlink (one file, read-only), copy.\n",
	.examples = "flow config\n"
		    "flow config cache.dir /data/flow-store\n"
		    "flow config cache.link reflink,copy   # outs stay writable\n"
		    "flow config cache.link --unset\n",
	.most = 2,
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = config_main };
