#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/opt.h"

#define HELP_COLUMN 28 /* where the meaning of an option begins */
#define HELP_WIDTH  78

static const char *const group_names[] = { "start", "run", "look", "upkeep" };

#define GROUPS (sizeof group_names / sizeof *group_names)

static const char overview[] =
	"flow " FLOW_VERSION
	" - runs a DAG of commands, C plugins and Lua scripts; unchanged work is "
	"never done twice\n"
	"\n"
	"  flow init              write a first dag.yaml\n"
	"  flow run               run what is out of date\n"
	"  flow explain train     tell why `train` would run\n"
	"\n";

static const char statuses[] = "  0    done, or nothing to do\n"
			       "  1    a stage failed\n"
			       "  2    the command line is wrong\n"
			       "  3    dag.yaml or a parameter is wrong\n"
			       "  4    a question was answered no (--exit-code of plan and diff)\n"
			       "  5    the machine said no: disk full, missing tool, permission\n"
			       "  6    another flow works on this project\n"
			       "  7    refused on purpose\n"
			       "  70   a fault of flow itself\n"
			       "  130  interrupted (143: terminated)\n";

/* Words of `text` from column `column` on, broken before column HELP_WIDTH. */
static void put_wrapped(struct buf *out, const char *text, size_t column)
{
	size_t at = column;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (at > column && at + 1 + len > HELP_WIDTH) {
			buf_char(out, '\n');
			buf_repeat(out, ' ', column);
			at = column;
		} else if (at > column) {
			buf_char(out, ' ');
			at++;
		}
		buf_add(out, text, len);
		at += len;
		text += len + (text[len] == ' ');
	}
	buf_char(out, '\n');
}

/* "-j, --jobs N", "--force[=STAGE]" */
static void put_name(struct buf *out, const struct opt *o, const char *none)
{
	if (o->letter != 0)
		buf_printf(out, "-%c, ", o->letter);
	else
		buf_str(out, none);
	buf_printf(out, "--%s", o->name);
	if (o->arg != NULL && o->arg[0] == '[')
		buf_printf(out, "[=%s", o->arg + 1);
	else if (o->arg != NULL)
		buf_printf(out, " %s", o->arg);
}

static void put_opts(struct buf *out, const struct opt *o)
{
	for (; o != NULL && o->kind != OPT_LAST; o++) {
		size_t from = out->len, used;

		buf_str(out, "  ");
		put_name(out, o, "    ");
		used = out->len - from;
		if (used + 2 > HELP_COLUMN) {
			buf_char(out, '\n');
			used = 0;
		}
		buf_repeat(out, ' ', HELP_COLUMN - used);
		put_wrapped(out, o->help, HELP_COLUMN);
	}
}

static bool has_options(const struct command *c)
{
	return (c->opts != NULL && c->opts->kind != OPT_LAST) || c->takes_dag || c->takes_params ||
	       c->shows;
}

static void put_usage(struct buf *out, const struct command *c)
{
	buf_printf(out, "flow %s%s%s%s\n", c->name, has_options(c) ? " [OPTION...]" : "",
		c->args[0] != '\0' ? " " : "", c->args);
}

static void put_indented(struct buf *out, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		buf_str(out, len > 0 ? "  " : "");
		buf_add(out, text, len);
		buf_char(out, '\n');
		text += len + (text[len] == '\n');
	}
}

static void help_command(struct buf *out, const struct command *c)
{
	struct buf title = { 0 };

	buf_printf(&title, "flow %s - %s", c->name, c->summary);
	put_wrapped(out, buf_text(&title), 0);
	buf_release(&title);
	buf_str(out, "\nusage: ");
	put_usage(out, c);
	if (c->about[0] != '\0')
		buf_printf(out, "\n%s", c->about);
	if (has_options(c))
		buf_str(out, "\noptions:\n");
	put_opts(out, c->opts);
	put_opts(out, c->takes_dag ? dag_opts : NULL);
	put_opts(out, c->takes_params ? params_opts : NULL);
	put_opts(out, c->shows ? shows_opts : NULL);
	buf_str(out, "\noptions of every command:\n");
	put_opts(out, global_opts);
	if (c->examples[0] != '\0') {
		buf_str(out, "\nexamples:\n");
		put_indented(out, c->examples);
	}
}

/* The commands of a group on one line; "runs list" and "runs show" are one word. */
static void put_group(struct buf *out, enum group group)
{
	const char *last = "";
	size_t i, last_len = 0;

	buf_printf(out, "  %-10s", group_names[group]);
	for (i = 0; command_table[i] != NULL; i++) {
		const char *name = command_table[i]->name;
		size_t len = strcspn(name, " ");

		if (command_table[i]->group != group ||
			(len == last_len && strncmp(name, last, len) == 0))
			continue;
		buf_char(out, ' ');
		buf_add(out, name, len);
		last = name;
		last_len = len;
	}
	buf_char(out, '\n');
}

void opt_overview(struct buf *out)
{
	size_t group;

	buf_str(out, overview);
	for (group = 0; group < GROUPS; group++)
		put_group(out, (enum group)group);
	buf_str(out,
		"\n`flow help` tells what each does, `flow help run` all about one of them.\n");
}

void opt_help(struct buf *out, const struct command *command)
{
	size_t group, i;

	if (command != NULL) {
		help_command(out, command);
		return;
	}
	buf_str(out, overview);
	buf_str(out, "usage: flow [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n");
	for (group = 0; group < GROUPS; group++) {
		buf_printf(out, "\n%s:\n", group_names[group]);
		for (i = 0; command_table[i] != NULL; i++)
			if (command_table[i]->group == group)
				buf_printf(out, "  %-16s %s\n", command_table[i]->name,
					command_table[i]->summary);
	}
	buf_str(out, "\noptions of every command:\n");
	put_opts(out, global_opts);
	buf_str(out, "\nmore help:\n"
		     "  flow help COMMAND    all about a command\n"
		     "  flow help E0107      what an error code means\n"
		     "  flow help dag        the keys of dag.yaml\n"
		     "\nexit status:\n");
	buf_str(out, statuses);
}

static void reference_opts(struct buf *out, const struct opt *o)
{
	for (; o != NULL && o->kind != OPT_LAST; o++) {
		buf_str(out, "| `");
		put_name(out, o, "");
		buf_printf(out, "` | %s |\n", o->help);
	}
}

/* An indented list becomes a block of its own, as it is. */
static void reference_about(struct buf *out, const char *text)
{
	buf_char(out, '\n');
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		buf_str(out, strncmp(text, "  ", 2) == 0 ? "  " : "");
		buf_add(out, text, len);
		buf_char(out, '\n');
		text += len + (text[len] == '\n');
	}
}

static void reference_command(struct buf *out, const struct command *c)
{
	buf_printf(out, "### flow %s\n\n", c->name);
	buf_char(out, (char)(c->summary[0] - ('a' - 'A')));
	buf_printf(out, "%s.\n\n    ", c->summary + 1);
	put_usage(out, c);
	if (c->about[0] != '\0')
		reference_about(out, c->about);
	if (has_options(c))
		buf_str(out, "\n| option | meaning |\n|---|---|\n");
	reference_opts(out, c->opts);
	reference_opts(out, c->takes_dag ? dag_opts : NULL);
	reference_opts(out, c->takes_params ? params_opts : NULL);
	reference_opts(out, c->shows ? shows_opts : NULL);
	if (c->examples[0] != '\0')
		buf_printf(out, "\n```sh\n%s```\n", c->examples);
	buf_char(out, '\n');
}

void opt_reference(struct buf *out)
{
	size_t group, i;

	buf_str(out,
		"# Command line\n\n"
		"<!-- Written by `flow help --reference` from the option table in engine/cli/. "
		"-->\n\n"
		"    flow [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n"
		"`-j4`, `-j 4`, `--jobs=4` and `--jobs 4` mean the same; `--` ends the options. "
		"Options of every\ncommand may stand anywhere. Answers go to the standard output, "
		"everything else to the standard error.\n\n"
		"| option of every command | meaning |\n|---|---|\n");
	reference_opts(out, global_opts);
	for (group = 0; group < GROUPS; group++) {
		buf_printf(out, "\n## %c%s\n\n", group_names[group][0] - ('a' - 'A'),
			group_names[group] + 1);
		for (i = 0; command_table[i] != NULL; i++)
			if (command_table[i]->group == group)
				reference_command(out, command_table[i]);
	}
	buf_str(out, "## Exit status\n\n```text\n");
	buf_str(out, statuses);
	buf_str(out, "```\n");
}
