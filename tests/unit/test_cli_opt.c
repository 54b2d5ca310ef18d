#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/codes.h"

#define WORDS_MAX 16

struct parsed {
	struct cli cli;
	struct err e;
	int rc;
	char text[256], *argv[WORDS_MAX];
};

/* Words separated by spaces, after the program's name. */
static void parse(struct parsed *p, const char *line)
{
	int argc = 1;
	char *word;

	memset(p, 0, sizeof *p);
	assert_true(strlen(line) < sizeof p->text);
	strcpy(p->text, line);
	p->argv[0] = p->text + strlen(line);
	for (word = strtok(p->text, " "); word != NULL; word = strtok(NULL, " ")) {
		assert_true(argc < WORDS_MAX);
		p->argv[argc++] = word;
	}
	p->rc = opt_parse(&p->cli, argc, p->argv, &p->e);
}

static void release(struct parsed *p)
{
	vec_release(&p->cli.sets);
	vec_release(&p->cli.files);
	vec_release(&p->cli.force);
	vec_release(&p->cli.args);
	arena_release(&p->cli.arena);
}

static void parse_good(struct parsed *p, const char *line)
{
	parse(p, line);
	if (p->rc < 0)
		fail_msg("`%s`: %s", line, p->e.text);
}

static void check_wrong(const char *line, const char *text, const char *hint)
{
	struct parsed p;

	parse(&p, line);
	if (p.rc != ERR_USAGE)
		fail_msg("`%s` was taken as right", line);
	if (strstr(p.e.text, text) == NULL)
		fail_msg("`%s`: `%s` lacks `%s`", line, p.e.text, text);
	if (strstr(p.e.hint, hint) == NULL)
		fail_msg("`%s`: `%s` lacks `%s`", line, p.e.hint, hint);
	release(&p);
}

static void no_words_are_no_command(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "");
	assert_null(p.cli.command);
	release(&p);
}

static void values_may_be_joined_or_apart(void **state)
{
	static const char *const lines[] = { "run -j4", "run -j 4", "run --jobs=4", "run --jobs 4",
		"run -kj4", "run -kj 4" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct parsed p;

		parse_good(&p, lines[i]);
		assert_string_equal(p.cli.command->name, "run");
		assert_int_equal(p.cli.jobs, 4);
		release(&p);
	}
}

static void options_of_every_command_stand_anywhere(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "-C x -q plan a -vv --color=never b");
	assert_string_equal(p.cli.command->name, "plan");
	assert_string_equal(p.cli.folder, "x");
	assert_true(p.cli.quiet);
	assert_int_equal(p.cli.verbose, 2);
	assert_int_equal(p.cli.color, SCREEN_COLOR_NEVER);
	assert_int_equal(p.cli.args.count, 2);
	assert_string_equal(p.cli.args.items[1], "b");
	release(&p);
}

static void a_word_of_yaml_is_the_pipeline(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "run x/dag.yaml train");
	assert_string_equal(p.cli.dag, "x/dag.yaml");
	assert_int_equal(p.cli.args.count, 1);
	assert_string_equal(p.cli.args.items[0], "train");
	release(&p);
	parse_good(&p, "run train");
	assert_string_equal(p.cli.dag, "dag.yaml");
	release(&p);
	/* -f has named it: the word is something else. */
	parse_good(&p, "run -f other.yaml stage.yaml");
	assert_string_equal(p.cli.dag, "other.yaml");
	assert_string_equal(p.cli.args.items[0], "stage.yaml");
	release(&p);
}

static void a_word_that_is_needed_is_no_pipeline(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "explain params.yaml");
	assert_string_equal(p.cli.dag, "dag.yaml");
	assert_string_equal(p.cli.args.items[0], "params.yaml");
	release(&p);
	parse_good(&p, "explain params.yaml x.yaml");
	assert_string_equal(p.cli.dag, "x.yaml");
	assert_string_equal(p.cli.args.items[0], "params.yaml");
	release(&p);
}

static void force_takes_a_value_only_when_joined(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "run --force train --force=split");
	assert_int_equal(p.cli.force.count, 2);
	assert_string_equal(p.cli.force.items[0], "");
	assert_string_equal(p.cli.force.items[1], "split");
	assert_string_equal(p.cli.args.items[0], "train");
	release(&p);
}

static void two_dashes_end_the_options(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "run -- -k --jobs");
	assert_false(p.cli.keep_going);
	assert_int_equal(p.cli.args.count, 2);
	release(&p);
}

static void a_list_collects(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "run -p a=1 -pb=2 --param=c=3");
	assert_int_equal(p.cli.sets.count, 3);
	assert_string_equal(p.cli.sets.items[1], "b=2");
	assert_string_equal(p.cli.sets.items[2], "c=3");
	release(&p);
}

static void a_group_alone_is_its_list(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "runs");
	assert_string_equal(p.cli.command->name, "runs list");
	release(&p);
	parse_good(&p, "runs --json");
	assert_string_equal(p.cli.command->name, "runs list");
	assert_true(p.cli.json);
	release(&p);
	parse_good(&p, "runs x/dag.yaml");
	assert_string_equal(p.cli.command->name, "runs list");
	assert_string_equal(p.cli.dag, "x/dag.yaml");
	release(&p);
	parse_good(&p, "runs show @last");
	assert_string_equal(p.cli.command->name, "runs show");
	release(&p);
}

static void help_is_not_hindered_by_what_is_missing(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "explain --help");
	assert_true(p.cli.help);
	assert_string_equal(p.cli.command->name, "explain");
	release(&p);
	parse_good(&p, "artifact -h");
	assert_true(p.cli.help);
	release(&p);
}

static void what_is_wrong_is_told_with_what_would_be_right(void **state)
{
	(void)state;
	check_wrong("rnu", "unknown command `flow rnu`", "did you mean `flow run`?");
	check_wrong("frobnicate", "unknown command", "`flow help` lists all commands");
	check_wrong("run --forse", "unknown option --forse of `flow run`", "did you mean --force?");
	check_wrong("run -z", "unknown option -z of `flow run`", "flow help run");
	check_wrong("-j4 run", "unknown option -j", "come after its name");
	check_wrong("run --jobs", "option --jobs needs a value", "");
	check_wrong("run --jobs=x", "needs a whole number, not `x`", "");
	check_wrong("run --jobs=-1", "needs a whole number", "");
	check_wrong("run --jobs=99999999999999999999", "needs a whole number", "");
	check_wrong("run --keep-going=yes", "option --keep-going takes no value", "");
	check_wrong("run --progress=ttty", "does not know `ttty`", "did you mean `tty`?");
	check_wrong("run --progress=x", "does not know `x`", "auto, tty, plain, json, none");
	check_wrong("artifact", "`flow artifact` is followed by show or trace", "");
	check_wrong(
		"runs shwo", "unknown command `flow runs shwo`", "did you mean `flow runs show`?");
	check_wrong("explain", "`flow explain` needs TASK", "flow help explain");
	check_wrong("explain a b", "does not take `b` as well", "flow help explain");
	check_wrong("version x", "`flow version` does not take `x`", "");
}

static void every_command_tells_what_it_is_for(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; command_table[i] != NULL; i++) {
		const struct command *c = command_table[i];
		struct buf text = { 0 };

		assert_non_null(c->run);
		assert_true(c->summary[0] != '\0' && c->summary[strlen(c->summary) - 1] != '.');
		assert_true(c->most >= c->least);
		assert_ptr_equal(command_find(c->name), c);
		opt_help(&text, c);
		assert_non_null(strstr(buf_text(&text), c->name));
		buf_release(&text);
	}
}

/* Lines of help that a terminal of 80 columns would break. */
static void help_fits_the_terminal(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; command_table[i] != NULL; i++) {
		struct buf text = { 0 };
		const char *line;

		opt_help(&text, command_table[i]);
		for (line = buf_text(&text); *line != '\0'; line += strcspn(line, "\n") + 1)
			if (strcspn(line, "\n") > 80)
				fail_msg("flow %s: %.*s", command_table[i]->name,
					(int)strcspn(line, "\n"), line);
		buf_release(&text);
	}
}

static void every_code_is_found_and_in_order(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < codes_count(); i++) {
		const struct code_info *code = codes_at(i);

		assert_true(codes_is_id(code->id));
		assert_ptr_equal(codes_find(code->id), code);
		assert_int_equal(code->text[strlen(code->text) - 1], '\n');
		if (i > 0)
			assert_true(strcmp(codes_at(i - 1)->id, code->id) < 0);
	}
	assert_non_null(codes_find("e0502"));
	assert_null(codes_find("E0999"));
	assert_false(codes_is_id("E05021"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_words_are_no_command),
		cmocka_unit_test(values_may_be_joined_or_apart),
		cmocka_unit_test(options_of_every_command_stand_anywhere),
		cmocka_unit_test(a_word_of_yaml_is_the_pipeline),
		cmocka_unit_test(a_word_that_is_needed_is_no_pipeline),
		cmocka_unit_test(force_takes_a_value_only_when_joined),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(a_list_collects),
		cmocka_unit_test(a_group_alone_is_its_list),
		cmocka_unit_test(help_is_not_hindered_by_what_is_missing),
		cmocka_unit_test(what_is_wrong_is_told_with_what_would_be_right),
		cmocka_unit_test(every_command_tells_what_it_is_for),
		cmocka_unit_test(help_fits_the_terminal),
		cmocka_unit_test(every_code_is_found_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
