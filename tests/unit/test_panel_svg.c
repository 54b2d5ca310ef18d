#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/panel.h"
#include "report/panel_svg.h"

static void draw(struct buf *out, const char *title, const struct panel_curve *curves, size_t count)
{
	struct panel panel = { .title = title, .note = "last <1>", .curves = curves, .count = count };
	struct panel_svg svg = { 0 };

	panel_svg_add(&svg, &panel, 100);
	panel_svg_write(&svg, title, out);
	panel_svg_release(&svg);
}

static void piece_of_a_line_ends_at_a_gap(void **state)
{
	const struct point points[] = { { 0, 0, 0 }, { 1, 0, 1 }, { 2, 0, (double)NAN }, { 3, 0, 1 } };
	struct panel_curve curve = { points, 4, 0, "" };
	struct buf out = { 0 };

	(void)state;
	draw(&out, "loss", &curve, 1);
	/* 0.0, 0.2 and so on take three digits beside the drawing. */
	assert_non_null(strstr(buf_text(&out), " d=\"M47.0 174.0h0L304.7 74.0M820.0 74.0h0\""));
	assert_non_null(strstr(buf_text(&out), ">0.6</text>"));
	assert_non_null(strstr(buf_text(&out), ">step 0</text>"));
	assert_null(strstr(buf_text(&out), "nan"));
	buf_release(&out);
}

static void foreign_texts_are_harmless(void **state)
{
	struct panel_curve curves[] = { { NULL, 0, 'a', "\"quoted\" & <script>alert(1)</script>" }, { NULL, 0, 'b', "\033[2J \xff \xe2\x80\xae \xef\xbf\xbf z" } };
	struct buf out = { 0 };

	(void)state;
	draw(&out, "]]> <b>", curves, 2);
	assert_null(strstr(buf_text(&out), "<script"));
	assert_null(strstr(buf_text(&out), "<b>"));
	assert_null(strchr(buf_text(&out), '\033'));
	assert_null(strstr(buf_text(&out), "\xe2\x80\xae"));
	assert_null(strstr(buf_text(&out), "\xef\xbf\xbf"));
	assert_non_null(strstr(buf_text(&out), "\"quoted\" &amp; &lt;script&gt;alert(1)&lt;/script&gt;"));
	assert_non_null(strstr(buf_text(&out), "\xef\xbf\xbd[2J \xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd z"));
	buf_release(&out);
}

static void long_text_is_cut(void **state)
{
	char title[400];
	struct buf out = { 0 };

	(void)state;
	memset(title, 'x', sizeof title - 1);
	title[sizeof title - 1] = '\0';
	draw(&out, title, NULL, 0);
	title[111] = '\0';
	assert_null(strstr(buf_text(&out), title));
	assert_non_null(strstr(buf_text(&out), title + 1));
	buf_release(&out);
}

/* All 26 end in the same point. */
static void letters_stand_beside_each_other(void **state)
{
	const struct point points[] = { { 0, 0, 1 }, { 5, 0, 1 } };
	struct panel_curve curves[PANEL_CURVES_MAX];
	struct buf out = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < PANEL_CURVES_MAX; i++)
		curves[i] = (struct panel_curve){ points, 2, (char)('a' + i), "" };
	draw(&out, "all", curves, PANEL_CURVES_MAX);
	assert_non_null(strstr(buf_text(&out), "<text x=\"826.0\" y=\"128.0\" font-weight=\"600\">a<"));
	assert_non_null(strstr(buf_text(&out), "<text x=\"837.0\" y=\"128.0\" font-weight=\"600\">b<"));
	assert_non_null(strstr(buf_text(&out), "<text x=\"826.0\" y=\"139.0\" font-weight=\"600\">d<"));
	buf_release(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(piece_of_a_line_ends_at_a_gap),
		cmocka_unit_test(foreign_texts_are_harmless),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(letters_stand_beside_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
