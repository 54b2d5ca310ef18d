/*
 * flow shards ls, cat, verify: hands over to flow-shards, which reads shards as the stages do. This process becomes that one.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/program.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/commands.h"

#define CONDITIONS_MAX 16

static const char *const formats[] = { "csv", "jsonl", NULL };

static void add_option(struct texts *argv, const char *name, const char *value)
{
	vec_push(argv, name);
	vec_push(argv, value);
}

static int hand_over(struct cli *c, const char *command)
{
	const char *program = program_path(&c->arena, "flow-shards");
	struct texts argv = { 0 };
	struct err e;
	size_t i;

	vec_push(&argv, "flow-shards");
	vec_push(&argv, command);
	if (c->json)
		vec_push(&argv, "--json");
	if (c->groups)
		vec_push(&argv, "--groups");
	if (c->columns != NULL)
		add_option(&argv, "--columns", c->columns);
	for (i = 0; i < c->where.count; i++)
		add_option(&argv, "--where", c->where.items[i]);
	if (c->limit > 0)
		add_option(&argv, "--limit", arena_printf(&c->arena, "%u", c->limit));
	if (c->format > 0)
		add_option(&argv, "--format", formats[c->format]);
	vec_push(&argv, "--");
	for (i = 0; i < c->args.count; i++)
		vec_push(&argv, c->args.items[i]);
	vec_push(&argv, NULL);
	(void)execv(program, (char *const *)(uintptr_t)argv.items);
	err_system(&e, "cannot start `%s`", program);
	err_hint(&e, "build or install flow again, all of it");
	vec_release(&argv);
	return cli_fail(c, &e);
}

static int ls_main(struct cli *c)
{
	return hand_over(c, "ls");
}

static int cat_main(struct cli *c)
{
	struct err e;

	if (c->where.count > CONDITIONS_MAX) {
		err_set(&e, ERR_USAGE, "--where was given %zu times; %d conditions are possible",
			c->where.count, CONDITIONS_MAX);
		return cli_fail(c, &e);
	}
	return hand_over(c, "cat");
}

static int verify_main(struct cli *c)
{
	return hand_over(c, "verify");
}

static const struct opt ls_opts[] = {
	{ 0, "groups", OPT_FLAG, NULL, "the row groups too", OPT_AT(groups), NULL },
	OPT_END,
};

static const struct opt cat_opts[] = {
	{ 0, "columns", OPT_TEXT, "A,B", "only these, in this order", OPT_AT(columns), NULL },
	{ 0, "where", OPT_LIST, "CONDITION", "only rows for which it holds, as `age >= 18`; again: all must",
		OPT_AT(where), NULL },
	{ 0, "limit", OPT_NUMBER, "N", "at most so many rows", OPT_AT(limit), NULL },
	{ 0, "format", OPT_CHOICE, "FORM", "csv (the default) or jsonl", OPT_AT(format), formats },
	OPT_END,
};

const struct command cmd_shards_ls = { .name = "shards ls",
	.group = GROUP_LOOK,
	.args = "FILE...",
	.summary = "show what a shard holds: columns, types, figures, row groups",
	.about = "A shard is the file of a table, as `table`, `transform` and `pack` write it. Its\n"
		 "directory is read, nothing else. Figures are of the values that are finite.\n",
	.examples = "flow shards ls data/people.shard\n"
		    "flow shards ls --groups data/*.shard\n"
		    "flow shards ls --json data/people.shard | jq '.shards[0].columns[].name'\n",
	.least = 1,
	.most = UINT_MAX,
	.shows = true,
	.opts = ls_opts,
	.run = ls_main };

const struct command cmd_shards_cat = { .name = "shards cat",
	.group = GROUP_LOOK,
	.args = "FILE",
	.summary = "print rows of a shard as CSV or JSON lines",
	.about = "Conditions are those of the stage `table`: = != < <= > >=, `in [a, b]`, `is\n"
		 "missing`, `is present`. Groups of rows where none can hold are not read; what is\n"
		 "read is compared with its checksum, and a damaged group ends it with status 4.\n"
		 "In CSV a missing value is an empty field, an empty text is \"\"; each number of a\n"
		 "wide column has a field of its own. Times are UTC, bytes base64.\n",
	.examples = "flow shards cat data/people.shard --limit 10\n"
		    "flow shards cat data/people.shard --columns name,age --where 'age >= 18'\n"
		    "flow shards cat data/people.shard --format jsonl | jq .city\n",
	.least = 1,
	.most = 1,
	.opts = cat_opts,
	.run = cat_main };

const struct command cmd_shards_verify = { .name = "shards verify",
	.group = GROUP_LOOK,
	.args = "FILE...",
	.summary = "read all of a shard, and compare it with its checksums",
	.about = "Names each column and group that is damaged; the exit status is then 4, as it is\n"
		 "for a file that is no shard.\n",
	.examples = "flow shards verify data/*.shard\n",
	.least = 1,
	.most = UINT_MAX,
	.shows = true,
	.run = verify_main };
