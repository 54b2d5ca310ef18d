#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "cli/cmd.h"
#include "cli/codes.h"
#include "cli/commands.h"
#include "cli/dag_help.h"

static const struct opt opts[] = {
	{ 0, "reference", OPT_FLAG, NULL, "the page of the manual, in Markdown", OPT_AT(reference),
		NULL },
	OPT_END,
};

static void put_code(struct buf *out, const struct code_info *code)
{
	const char *text = code->text;

	buf_printf(out, "error %s: %s\n\n", code->id, code->title);
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		buf_str(out, len > 0 ? "  " : "");
		buf_add(out, text, len);
		buf_char(out, '\n');
		text += len + (text[len] == '\n');
	}
}

static void put_codes(struct buf *out, bool reference)
{
	size_t i;

	if (reference)
		buf_str(out, "# Error codes\n\n"
			     "<!-- Written by `flow help errors --reference` from the tables in "
			     "engine/. -->\n\n"
			     "A code keeps its meaning. E01xx are about YAML and keys, E02xx about "
			     "the graph, "
			     "E03xx about parameters,\nE04xx about stages, E05xx about the journal "
			     "and the "
			     "machine, E06xx about Lua and E07xx about plugins.\n");
	for (i = 0; i < codes_count(); i++) {
		const struct code_info *code = codes_at(i);

		if (reference)
			buf_printf(out, "\n## %s: %s\n\n```text\n%s```\n", code->id, code->title,
				code->text);
		else
			buf_printf(out, "%s  %s\n", code->id, code->title);
	}
}

static int help_code(struct cli *c, const char *id)
{
	const struct code_info *code = codes_find(id);
	struct err e;

	if (code == NULL) {
		err_set(&e, ERR_USAGE, "there is no error code %s", id);
		err_hint(&e, "`flow help errors` lists them");
		return cli_fail(c, &e);
	}
	put_code(&c->out.text, code);
	return EXIT_DONE;
}

static int help_dag(struct cli *c)
{
	const char *place = c->args.count > 1 ? c->args.items[1] : NULL;
	struct err e;

	if (c->reference)
		dag_reference(&c->out.text);
	else if (dag_help(&c->out.text, place, &e) < 0)
		return cli_fail(c, &e);
	return EXIT_DONE;
}

/* All commands that begin with this word: "runs list" and "runs show" for "runs". */
static size_t help_group(struct cli *c, const char *word)
{
	size_t i, len = strlen(word), count = 0;

	for (i = 0; command_table[i] != NULL; i++)
		if (strncmp(command_table[i]->name, word, len) == 0 &&
			command_table[i]->name[len] == ' ') {
			buf_str(&c->out.text, count++ > 0 ? "\n" : "");
			opt_help(&c->out.text, command_table[i]);
		}
	return count;
}

static int unknown_topic(struct cli *c, const char *topic)
{
	struct near n;
	struct err e;
	size_t i;

	near_start(&n, topic);
	for (i = 0; command_table[i] != NULL; i++)
		near_offer(&n, arena_strndup(&c->arena, command_table[i]->name,
				       strcspn(command_table[i]->name, " ")));
	near_offer(&n, "dag");
	near_offer(&n, "errors");
	err_set(&e, ERR_USAGE, "there is no help on `%.60s`", topic);
	if (n.best != NULL)
		err_hint(&e, "did you mean `flow help %s`?", n.best);
	else
		err_hint(&e, "`flow help` lists all commands");
	return cli_fail(c, &e);
}

static int help_main(struct cli *c)
{
	const char *topic = c->args.count > 0 ? c->args.items[0] : NULL;
	const struct command *command;

	if (topic == NULL) {
		if (c->reference)
			opt_reference(&c->out.text);
		else
			opt_help(&c->out.text, NULL);
		return EXIT_DONE;
	}
	if (strcmp(topic, "dag") == 0)
		return help_dag(c);
	if (strcmp(topic, "errors") == 0) {
		put_codes(&c->out.text, c->reference);
		return EXIT_DONE;
	}
	if (codes_is_id(topic))
		return help_code(c, topic);
	if (c->args.count > 1)
		topic = arena_printf(&c->arena, "%s %s", topic, c->args.items[1]);
	command = command_find(topic);
	if (command == NULL && help_group(c, topic) == 0)
		return unknown_topic(c, topic);
	if (command != NULL)
		opt_help(&c->out.text, command);
	return EXIT_DONE;
}

const struct command cmd_help = { .name = "help",
	.group = GROUP_UPKEEP,
	.args = "[COMMAND | E0107 | errors | dag [PLACE]]",
	.summary = "explain a command, an error code, or the keys of dag.yaml",
	.about = "",
	.examples = "flow help run\n"
		    "flow help E0107\n"
		    "flow help dag stage             # the keys of a stage\n",
	.most = 2,
	.opts = opts,
	.run = help_main };
