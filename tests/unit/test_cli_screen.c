#include "../support/folder.h"

#include <math.h>

#include "base/arena.h"
#include "cli/screen.h"
#include "dag/diag.h"

/* A screen that nobody looks at: its text is read before it is written. */
static struct screen blind(unsigned columns, bool utf8)
{
	return (struct screen){
		.fd = -1, .columns = columns, .rows = 24, .utf8 = utf8, .tty = true
	};
}

static void columns_are_those_of_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(text_columns(""), 0);
	assert_int_equal(text_columns("train"), 5);
	assert_int_equal(text_columns("größe"), 5);
	assert_int_equal(text_columns("数据"), 4);
	assert_int_equal(text_columns("e\xcc\x81"), 1);
	assert_int_equal(text_columns("\033[31mred\033[0m"), 3);
	assert_int_equal(text_columns("\xff\xfe"), 2);
}

static void check_cut(const char *text, unsigned columns, bool utf8, const char *expect)
{
	struct screen o = blind(80, utf8);

	screen_cut(&o, text, columns);
	assert_string_equal(buf_text(&o.text), expect);
	assert_true(text_columns(buf_text(&o.text)) <= columns);
	buf_release(&o.text);
}

static void a_long_text_is_cut_at_a_column(void **state)
{
	(void)state;
	check_cut("train", 5, true, "train");
	check_cut("training", 5, true, "trai…");
	check_cut("training", 5, false, "tr...");
	check_cut("数据数据", 6, true, "数据…");
	check_cut("数据数据", 5, true, "数据…");
	check_cut("数据数据", 4, true, "数…");
	check_cut("\033[31mtraining\033[0m", 5, true, "\033[31mtrai…\033[0m");
	check_cut("training", 2, false, "..");
}

static void foreign_text_cannot_command_the_terminal(void **state)
{
	struct screen o = blind(80, true);

	(void)state;
	screen_foreign(&o, "a\033[2Jb\rc\td\xc2\x9b"
			   "e\xff"
			   "f\xe2\x80\xae"
			   "ö");
	assert_string_equal(buf_text(&o.text), "a?[2Jb?c d?e?f?ö");
	buf_release(&o.text);
}

static void a_table_has_straight_columns(void **state)
{
	struct screen o = blind(80, true);
	struct arena a = { 0 };
	struct table t = { .arena = &a, .columns = 3, .right = 1u << 2 };

	(void)state;
	table_cell(&t, PAINT_NONE, "TASK");
	table_cell(&t, PAINT_NONE, "WHY");
	table_cell(&t, PAINT_NONE, "EST");
	table_cell(&t, PAINT_NONE, "größe");
	table_cell(&t, PAINT_NONE, "x");
	table_cell(&t, PAINT_NONE, "9s");
	table_cell(&t, PAINT_NONE, "a");
	table_cell(&t, PAINT_NONE, "input data/x.csv");
	table_cell(&t, PAINT_NONE, "%s", "");
	table_write(&t, &o);
	assert_string_equal(buf_text(&o.text), "TASK   WHY               EST\n"
					       "größe  x                  9s\n"
					       "a      input data/x.csv\n");
	buf_release(&o.text);
	arena_release(&a);
}

static void a_table_is_cut_at_the_edge(void **state)
{
	struct screen o = blind(12, true);
	struct arena a = { 0 };
	struct table t = { .arena = &a, .columns = 2 };

	(void)state;
	table_cell(&t, PAINT_NONE, "a");
	table_cell(&t, PAINT_NONE, "a long reason");
	table_write(&t, &o);
	assert_string_equal(buf_text(&o.text), "a  a long r…\n");
	buf_release(&o.text);
	arena_release(&a);
}

static void check_color(const char *name, const char *value, enum screen_color wish, bool expect)
{
	static const char *const names[] = { "FLOW_COLOR", "NO_COLOR", "FORCE_COLOR",
		"CLICOLOR_FORCE" };
	struct screen o;
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		(void)unsetenv(names[i]);
	(void)setenv("TERM", "xterm", 1);
	if (name != NULL)
		(void)setenv(name, value, 1);
	screen_open(&o, -1, wish);
	if (o.color != expect)
		fail_msg("%s=%s: colour is %s", name, value, o.color ? "on" : "off");
}

static void colour_is_decided_by_the_first_that_says_so(void **state)
{
	(void)state;
	check_color(NULL, "", SCREEN_COLOR_AUTO, false);
	check_color(NULL, "", SCREEN_COLOR_ALWAYS, true);
	check_color("NO_COLOR", "1", SCREEN_COLOR_ALWAYS, true);
	check_color("FLOW_COLOR", "always", SCREEN_COLOR_AUTO, true);
	check_color("FLOW_COLOR", "always", SCREEN_COLOR_NEVER, false);
	check_color("FORCE_COLOR", "1", SCREEN_COLOR_AUTO, true);
	check_color("NO_COLOR", "", SCREEN_COLOR_AUTO, false);
	check_color("TERM", "dumb", SCREEN_COLOR_AUTO, false);
}

static void glyphs_follow_the_locale(void **state)
{
	struct screen o;

	(void)state;
	(void)unsetenv("LC_ALL");
	(void)unsetenv("LC_CTYPE");
	(void)setenv("LANG", "de_DE.utf8", 1);
	screen_open(&o, -1, SCREEN_COLOR_AUTO);
	assert_string_equal(glyph_text(&o, GLYPH_OK), "✓");
	(void)setenv("LC_ALL", "C", 1);
	screen_open(&o, -1, SCREEN_COLOR_AUTO);
	assert_string_equal(glyph_text(&o, GLYPH_OK), "ok");
}

/* One diagnostic in a file of that text, as it is shown. */
static void check_shown(
	const char *text, struct place at, const char *label, const char *note, const char *expect)
{
	struct screen o = { .fd = -1, .columns = 80, .utf8 = true };
	struct arena a = { 0 };
	struct diags d = { .arena = &a };
	struct diag *diag;
	struct folder f;

	folder_open(&f);
	folder_write(&f, "dag.yaml", text);
	assert_int_equal(fchdir(f.fd), 0);
	at.file = "dag.yaml";
	diag = diag_add(&d, "E0107", at, "unknown key `retrys`");
	diag_label(&d, diag, "%s", label);
	diag_note(&d, diag, "%s", note);
	screen_diags(&o, &d, "dag.yaml");
	assert_string_equal(buf_text(&o.text), expect);
	buf_release(&o.text);
	arena_release(&a);
	folder_close(&f);
}

static void an_error_is_shown_where_it_is(void **state)
{
	(void)state;
	check_shown("stages:\n  train:\n    retrys: 3\n",
		(struct place){ .line = 3, .col = 5, .width = 6 }, "did you mean `retry`?",
		"see help",
		"error[E0107]: unknown key `retrys`\n"
		" --> dag.yaml:3:5\n"
		"  |\n"
		"3 |     retrys: 3\n"
		"  |     ^^^^^^ did you mean `retry`?\n"
		"  = note: see help\n"
		"\n"
		"1 error in dag.yaml\n");
}

static void the_mark_stands_under_wide_characters(void **state)
{
	(void)state;
	check_shown("数据: {größe: 1}\n", (struct place){ .line = 1, .col = 6, .width = 5 }, "", "",
		"error[E0107]: unknown key `retrys`\n"
		" --> dag.yaml:1:6\n"
		"  |\n"
		"1 | 数据: {größe: 1}\n"
		"  |        ^^^^^\n"
		"\n"
		"1 error in dag.yaml\n");
}

static void tabs_are_expanded(void **state)
{
	(void)state;
	check_shown("a\tb: 1\n", (struct place){ .line = 1, .col = 3, .width = 1 }, "", "",
		"error[E0107]: unknown key `retrys`\n"
		" --> dag.yaml:1:3\n"
		"  |\n"
		"1 | a       b: 1\n"
		"  |         ^\n"
		"\n"
		"1 error in dag.yaml\n");
}

static void a_place_behind_the_end_is_shown(void **state)
{
	(void)state;
	check_shown("ab", (struct place){ .line = 1, .col = 3, .width = 1 }, "here", "",
		"error[E0107]: unknown key `retrys`\n"
		" --> dag.yaml:1:3\n"
		"  |\n"
		"1 | ab\n"
		"  |   ^ here\n"
		"\n"
		"1 error in dag.yaml\n");
	check_shown("ab", (struct place){ .line = 7, .col = 3, .width = 1 }, "here", "",
		"error[E0107]: unknown key `retrys`\n"
		" --> dag.yaml:7:3\n"
		"\n"
		"1 error in dag.yaml\n");
}

static void a_long_line_is_cut_around_the_mark(void **state)
{
	struct buf line = { 0 };
	struct screen o = blind(60, true);
	struct arena a = { 0 };
	struct diags d = { .arena = &a };
	struct folder f;
	const char *p;

	(void)state;
	folder_open(&f);
	buf_repeat(&line, 'x', 500);
	buf_str(&line, "BAD");
	buf_repeat(&line, 'y', 500);
	folder_write(&f, "dag.yaml", buf_text(&line));
	(void)diag_add(&d, "E0109",
		(struct place){ .file = arena_printf(&a, "%s/dag.yaml", f.path),
			.line = 1,
			.col = 501,
			.width = 3 },
		"bad");
	screen_diags(&o, &d, "dag.yaml");
	p = strstr(buf_text(&o.text), "1 | ");
	assert_non_null(p);
	assert_true(strcspn(p, "\n") <= 60);
	assert_non_null(strstr(p, "xBADy"));
	/* The mark is right below. */
	assert_int_equal(
		strstr(p, "BAD") - p, strstr(strchr(p, '\n') + 1, "^^^") - (strchr(p, '\n') + 1));
	buf_release(&o.text);
	buf_release(&line);
	arena_release(&a);
	folder_close(&f);
}

static void an_error_without_a_place_has_none(void **state)
{
	struct screen o = blind(80, true);
	struct err e;

	(void)state;
	err_set(&e, ERR_USAGE, "unknown command `flow rnu`");
	err_hint(&e, "did you mean `flow run`?");
	screen_err(&o, &e);
	assert_string_equal(buf_text(&o.text), "error: unknown command `flow rnu`\n"
					       "  = help: did you mean `flow run`?\n");
	buf_release(&o.text);
}

static void numbers_are_short_and_whole_before_the_point(void **state)
{
	static const struct {
		double x;
		const char *four, *six;
	} cases[] = { { 54000, "54000", "54000" }, { 54000.5, "54000", "54000.5" }, { 0.84414, "0.8441", "0.84414" },
		{ 9999.7, "10000", "9999.7" }, { 1234567.8, "1234568", "1234568" }, { -54000, "-54000", "-54000" },
		{ 0, "0", "0" }, { 20, "20", "20" }, { 0.00005, "5e-05", "5e-05" }, { 1e20, "1e+20", "1e+20" },
		{ (double)INFINITY, "inf", "inf" } };
	char text[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_string_equal(short_number(cases[i].x, 4, text), cases[i].four);
		assert_string_equal(short_number(cases[i].x, 6, text), cases[i].six);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_short_and_whole_before_the_point),
		cmocka_unit_test(columns_are_those_of_a_terminal),
		cmocka_unit_test(a_long_text_is_cut_at_a_column),
		cmocka_unit_test(foreign_text_cannot_command_the_terminal),
		cmocka_unit_test(a_table_has_straight_columns),
		cmocka_unit_test(a_table_is_cut_at_the_edge),
		cmocka_unit_test(colour_is_decided_by_the_first_that_says_so),
		cmocka_unit_test(glyphs_follow_the_locale),
		cmocka_unit_test(an_error_is_shown_where_it_is),
		cmocka_unit_test(the_mark_stands_under_wide_characters),
		cmocka_unit_test(tabs_are_expanded),
		cmocka_unit_test(a_place_behind_the_end_is_shown),
		cmocka_unit_test(a_long_line_is_cut_around_the_mark),
		cmocka_unit_test(an_error_without_a_place_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
