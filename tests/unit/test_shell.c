#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dag/shell.h"

static void safe_words_stay_bare(void **state)
{
	(void)state;
	assert_true(shell_is_bare("a/B.9_:@%+=,-"));
	assert_false(shell_is_bare(""));
	assert_false(shell_is_bare("a b"));
	assert_false(shell_is_bare("~"));
	assert_false(shell_is_bare("a\n"));
	assert_false(shell_is_bare("\xc3\xa4"));
}

/* Put a value between two texts. NULL: refused. */
static char *between(const char *before, const char *value, const char *after)
{
	struct shell s = { 0 };
	struct buf out = { 0 };
	char *text = NULL;

	shell_text(&s, &out, before, strlen(before));
	if (shell_value(&s, &out, value) == 0) {
		shell_text(&s, &out, after, strlen(after));
		text = strdup(buf_text(&out));
	}
	buf_release(&out);
	return text;
}

static void quotes_around_a_value_are_kept(void **state)
{
	static const struct {
		const char *before, *value, *after, *expect;
	} cases[] = {
		{ "run ", "x", "", "run x" },
		{ "run ", "a b", "", "run 'a b'" },
		{ "run ", "", "", "run ''" },
		{ "run ", "it's", "", "run 'it'\\''s'" },
		{ "run \"-", "a b", "\"", "run \"-\"'a b'\"\"" },
		{ "run '-", "a b", "'", "run '-''a b'''" },
		{ "run \"\\\"", "a b", "\"", "run \"\\\"\"'a b'\"\"" },
		{ "run \\\\", "a b", "", "run \\\\'a b'" },
		{ "run a#b ", "a b", "", "run a#b 'a b'" },
		{ "run # don't\nrun ", "a b", "", "run # don't\nrun 'a b'" },
		{ "a $(b ", "c d", ")", "a $(b 'c d')" },
		{ "run \"$(cat ", "x", ")\"", "run \"$(cat x)\"" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text = between(cases[i].before, cases[i].value, cases[i].after);

		assert_non_null(text);
		assert_string_equal(text, cases[i].expect);
		free(text);
	}
}

static void unsafe_places_refuse_what_needs_quotes(void **state)
{
	static const char *const befores[] = {
		"run \"$(cat ",
		"run `cat ",
		"cat <<E\n",
		"a $((1 + ",
		"run $'",
		"run # ",
		"run \\",
		"run \"`",
		"run \"${x:-",
		"run ${x:-",
		"a $(( `",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof befores / sizeof befores[0]; i++) {
		char *text = between(befores[i], "a b", "");

		if (text != NULL)
			fail_msg("`%s` took it", befores[i]);
		text = between(befores[i], "ab", "");
		assert_non_null(text);
		free(text);
	}
}

/* What /bin/sh makes of a command, from its output; the command prints its words with NUL
 * between. */
static void run_shell(const char *command, char *out, size_t size)
{
	FILE *f = popen(command, "r");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	assert_int_equal(pclose(f), 0);
}

static void real_shell_reads_the_value_itself(void **state)
{
	static const char *const values[] = { "plain", "a b", "it's", "$(touch pwned)", "`id`",
		"a\"b", "a\\", "*", "~", "-n", "a\nb", "$HOME", "!x", "\xc3\xa4", "'", "''", "\"",
		"#", ";id" };
	static const struct {
		const char *before, *after;
	} places[] = { { "printf %s ", "" }, { "printf %s \"", "\"" }, { "printf %s '", "'" },
		{ "printf %s \"\"", "''" }, { "printf %s x\"$(printf y)", "\" | sed s/^xy//" },
		{ "x=", "; printf %s \"$x\"" }, { "# can't\nprintf %s ", " # it's" } };
	char out[200];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof values / sizeof values[0]; i++) {
		for (j = 0; j < sizeof places / sizeof places[0]; j++) {
			char *command = between(places[j].before, values[i], places[j].after);

			if (command == NULL)
				continue;
			run_shell(command, out, sizeof out);
			if (strcmp(out, values[i]) != 0)
				fail_msg("`%s` gave `%s`", command, out);
			free(command);
		}
	}
}

static void words_are_those_of_a_real_shell(void **state)
{
	static const char *const commands[] = { "run a  b\tc", "run 'a b' c", "run \"a b\"'c'd",
		"run '' x", "run --a=b %c a@b a,b", "run 'a'\"'\"'b'", "run 'a\\b'" };
	struct arena a = { 0 };
	char out[200], command[300];
	size_t i, j, count;
	const char **words;

	(void)state;
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		struct buf mine = { 0 };

		count = shell_words(&a, commands[i], &words);
		assert_true(count > 0);
		for (j = 1; j < count; j++)
			buf_printf(&mine, "[%s]", words[j]);
		(void)snprintf(command, sizeof command, "run() { printf '[%%s]' \"$@\"; }; %s",
			commands[i]);
		run_shell(command, out, sizeof out);
		assert_string_equal(buf_text(&mine), out);
		buf_release(&mine);
	}
	arena_release(&a);
}

static void every_bare_value_is_one_word(void **state)
{
	struct arena a = { 0 };
	const char **words;

	(void)state;
	assert_int_equal(shell_words(&a, "cp 'in it'\\''s' out", &words), 0);
	assert_int_equal(shell_words(&a, "cp 'unclosed", &words), 0);
	assert_int_equal(shell_words(&a, "", &words), 0);
	assert_int_equal(shell_words(&a, "'' a", &words), 0);
	assert_int_equal(shell_words(&a, "a=b run", &words), 0);
	assert_int_equal(shell_words(&a, "while", &words), 0);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(safe_words_stay_bare),
		cmocka_unit_test(quotes_around_a_value_are_kept),
		cmocka_unit_test(unsafe_places_refuse_what_needs_quotes),
		cmocka_unit_test(real_shell_reads_the_value_itself),
		cmocka_unit_test(words_are_those_of_a_real_shell),
		cmocka_unit_test(every_bare_value_is_one_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
