#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/plot.h"
#include "report/panel.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

struct drawn {
	struct screen screen;
	struct panel panel;
	struct panel_curve curves[PANEL_CURVES_MAX];
};

static void drawn_open(struct drawn *d, bool utf8, bool log)
{
	*d = (struct drawn){ .screen = { .fd = -1, .columns = 80, .utf8 = utf8 } };
	d->panel = (struct panel){ .curves = d->curves, .log = log, .title = "", .note = "" };
}

static void drawn_add(struct drawn *d, const struct point *points, size_t count, char letter)
{
	d->curves[d->panel.count++] = (struct panel_curve){ points, count, letter, "" };
}

static void drawn_check(struct drawn *d, unsigned columns, unsigned rows, const char *expect)
{
	plot_draw(&d->screen, &d->panel, columns, rows);
	assert_string_equal(buf_text(&d->screen.text), expect);
	buf_release(&d->screen.text);
}

static void check(const struct point *points, size_t count, bool utf8, bool log, const char *expect)
{
	struct drawn d;

	drawn_open(&d, utf8, log);
	drawn_add(&d, points, count, 0);
	drawn_check(&d, 16, 4, expect);
}

static const struct point falling[] = { { 1, 0, 3 }, { 2, 0, 2 }, { 3, 0, 1 }, { 4, 0, 0 } };
static const struct point rising[] = { { 1, 0, 0 }, { 4, 0, 3 } };

static void points_are_joined_by_dots(void **state)
{
	(void)state;
	check(falling, COUNT(falling), true, false,
		"3 ┤⠑⠢⣀\n"
		"2 ┤   ⠉⠢⢄⡀\n"
		"1 ┤      ⠈⠑⠢⣀\n"
		"0 ┤          ⠑⠢⢄\n"
		"  └─────────────\n"
		"step 1         4\n");
}

static void without_utf8_a_mark_is_a_character(void **state)
{
	(void)state;
	check(falling, COUNT(falling), false, false,
		"3 +**\n"
		"2 +  ****\n"
		"1 +      ****\n"
		"0 +          ***\n"
		"  +-------------\n"
		"step 1         4\n");
}

static void value_that_is_not_finite_is_a_gap(void **state)
{
	const struct point points[] = { { 0, 0, 1 }, { 1, 0, 1 }, { 2, 0, (double)NAN }, { 3, 0, 2 }, { 4, 0, (double)INFINITY },
		{ 5, 0, 3 }, { 6, 0, 3 } };

	(void)state;
	check(points, COUNT(points), false, false,
		"3 +          ***\n"
		"2 +      *\n"
		"  |\n"
		"1 +***\n"
		"  +-------------\n"
		"step 0         6\n");
}

static void constant_is_a_line_in_the_middle(void **state)
{
	const struct point points[] = { { 0, 0, 5 }, { 9, 0, 5 } };

	(void)state;
	check(points, COUNT(points), false, false,
		"  |\n"
		"5 +*************\n"
		"  |\n"
		"  |\n"
		"  +-------------\n"
		"step 0         9\n");
}

static void one_point_stands_in_the_middle(void **state)
{
	const struct point point = { 12, 0, -0.5 };

	(void)state;
	check(&point, 1, false, false,
		"     |\n"
		"-0.5 +      *\n"
		"     |\n"
		"     |\n"
		"     +------------\n"
		"       step 12\n");
}

static void nothing_to_draw_is_an_empty_plot(void **state)
{
	const struct point points[] = { { 3, 0, (double)NAN }, { 5, 0, -(double)INFINITY } };

	(void)state;
	check(points, COUNT(points), false, false,
		"1.0 +\n"
		"0.5 +\n"
		"    |\n"
		"0.0 +\n"
		"    +------------\n"
		"step 3          5\n");
	check(points, 0, false, true,
		"10 +\n"
		" 5 +\n"
		" 2 +\n"
		" 1 +\n"
		"   +------------\n"
		"     step 0\n");
}

static void extremes_neither_overflow_nor_divide_by_zero(void **state)
{
	const struct point huge[] = { { 0, 0, DBL_MAX }, { INT64_MAX, 0, -DBL_MAX } };
	const struct point tiny[] = { { 0, 0, 0 }, { 1, 0, 5e-324 } };

	(void)state;
	check(huge, COUNT(huge), false, false,
		"        |**\n"
		"      0 +  ****\n"
		"-1e+308 +      ****\n"
		"        |          **\n"
		"        +------------\n"
		"    step 0\n");
	check(tiny, COUNT(tiny), false, false,
		"       |          **\n"
		"4e-324 +      ****\n"
		"2e-324 +  ****\n"
		"     0 +**\n"
		"       +------------\n"
		"   step 0          1\n");
	check(tiny + 1, 1, false, true,
		"             |\n"
		"4.94066e-324 +      *\n"
		"             |\n"
		"             |\n"
		"             +------------\n"
		"               step 1\n");
}

static void logarithm_makes_a_decay_a_line(void **state)
{
	const struct point points[] = { { 0, 0, 1000 }, { 1, 0, 100 }, { 2, 0, 10 }, { 3, 0, 1 } };

	(void)state;
	check(points, COUNT(points), false, true,
		"1000 +**\n"
		" 100 +  ****\n"
		"  10 +      ***\n"
		"   1 +         ***\n"
		"     +------------\n"
		" step 0          3\n");
}

static void several_curves_have_letters_at_their_ends(void **state)
{
	struct drawn d;

	(void)state;
	drawn_open(&d, true, false);
	drawn_add(&d, falling, COUNT(falling), 'a');
	drawn_add(&d, rising, COUNT(rising), 'b');
	drawn_add(&d, falling, 2, 'c');
	drawn_check(&d, 24, 4,
		"3 ┤⠉⠒⠤⣀⡀        ⢀⣀⠤⠒⠉b\n"
		"2 ┤    ⠈⠑⠒c⣀⣀⠤⠔⠊⠁\n"
		"1 ┤    ⢀⡠⠔⠒⠉⠉⠒⠤⢄⡀\n"
		"0 ┤⣀⠤⠒⠉⠁        ⠈⠑⠒⠤⣀a\n"
		"  └──────────────────\n"
		"step 1              4\n");
	d.screen.utf8 = false;
	drawn_check(&d, 24, 4,
		"3 +ccc            bbbb\n"
		"2 +   cccccabbbbbb\n"
		"1 +   bbbbbbaaaaa\n"
		"0 +bbb           aaaaa\n"
		"  +------------------\n"
		"step 1              4\n");
}

static void letters_do_not_stand_on_each_other(void **state)
{
	struct drawn d;
	char letter;

	(void)state;
	drawn_open(&d, true, false);
	for (letter = 'a'; letter <= 'z'; letter++)
		drawn_add(&d, rising, COUNT(rising), letter);
	plot_draw(&d.screen, &d.panel, 40, 6);
	for (letter = 'a'; letter <= 'z'; letter++)
		if (strchr("step", letter) == NULL)
			assert_non_null(strchr(buf_text(&d.screen.text), letter));
	buf_release(&d.screen.text);
}

static void colour_goes_around_each_piece(void **state)
{
	struct drawn d;

	(void)state;
	drawn_open(&d, false, false);
	d.screen.color = true;
	drawn_add(&d, falling, COUNT(falling), 'a');
	drawn_add(&d, rising, COUNT(rising), 'b');
	drawn_check(&d, 18, 3,
		"3 +\033[36maa\033[0m       \033[33mbbbbb\033[0m\n"
		"1 +  \033[36ma\033[0m\033[33mbbbbbb\033[0m\033[36ma\033[0m\n"
		"0 +\033[33mbbb\033[0m       \033[36maaaa\033[0m\n"
		"  +-------------\n"
		"step 1         4\n");
}

static void no_line_is_wider_than_the_screen(void **state)
{
	unsigned columns;

	(void)state;
	for (columns = 20; columns <= 120; columns += 5) {
		char *line, *rest;
		struct drawn d;

		drawn_open(&d, true, false);
		drawn_add(&d, falling, COUNT(falling), 'a');
		drawn_add(&d, rising, COUNT(rising), 'b');
		plot_draw(&d.screen, &d.panel, columns, 6);
		for (line = strtok_r(d.screen.text.data, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
			assert_true(text_columns(line) <= columns);
		buf_release(&d.screen.text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_are_joined_by_dots),
		cmocka_unit_test(without_utf8_a_mark_is_a_character),
		cmocka_unit_test(value_that_is_not_finite_is_a_gap),
		cmocka_unit_test(constant_is_a_line_in_the_middle),
		cmocka_unit_test(one_point_stands_in_the_middle),
		cmocka_unit_test(nothing_to_draw_is_an_empty_plot),
		cmocka_unit_test(extremes_neither_overflow_nor_divide_by_zero),
		cmocka_unit_test(logarithm_makes_a_decay_a_line),
		cmocka_unit_test(several_curves_have_letters_at_their_ends),
		cmocka_unit_test(letters_do_not_stand_on_each_other),
		cmocka_unit_test(colour_goes_around_each_piece),
		cmocka_unit_test(no_line_is_wider_than_the_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
