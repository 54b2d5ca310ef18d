#include "../support/dag_text.h"

#include "report/layout.h"
#include "report/wires.h"

/* "b:a,x" is a stage b that needs a and x; "b*3" has three instances. */
static void load_shape(struct loaded *l, const char *shape)
{
	struct buf text = { 0 };

	buf_str(&text, "stages:\n");
	while (*shape != '\0') {
		size_t all = strcspn(shape, " "), name = strcspn(shape, ":* ");
		const char *star = memchr(shape, '*', all), *colon = memchr(shape, ':', all);

		buf_printf(&text, "  %.*s: {cmd: x", (int)name, shape);
		if (star != NULL)
			buf_printf(&text, ", foreach: [1, 2, 3]");
		if (colon != NULL)
			buf_printf(&text, ", needs: [%.*s]", (int)(shape + all - colon - 1),
				colon + 1);
		buf_str(&text, "}\n");
		shape += all;
		shape += *shape == ' ';
	}
	load_good(l, buf_text(&text));
	buf_release(&text);
}

static void check_drawing(
	const char *shape, unsigned width, bool utf8, int form, const char *expect)
{
	struct layout_style style = { .width = width, .utf8 = utf8 };
	struct buf out = { 0 };
	struct loaded l;

	load_shape(&l, shape);
	assert_int_equal(layout_draw(&out, &l.graph, &style), form);
	assert_string_equal(buf_text(&out), expect);
	buf_release(&out);
	loaded_release(&l);
}

#define DIAMOND "prepare train*3:prepare baseline:prepare evaluate:train,baseline report:evaluate"

static void stages_stand_in_columns(void **state)
{
	(void)state;
	check_drawing(DIAMOND, 80, true, LAYOUT_PICTURE,
		"prepare ─┬─> train (x3) ─┬─> evaluate ──> report\n"
		"         └─> baseline ───┘\n");
	check_drawing(DIAMOND, 0, false, LAYOUT_PICTURE,
		"prepare -+-> train (x3) -+-> evaluate --> report\n"
		"         +-> baseline ---+\n");
	check_drawing("a", 80, true, LAYOUT_PICTURE, "a\n");
	check_drawing("a b c:b", 80, true, LAYOUT_PICTURE,
		"a\n"
		"b ──> c\n");
}

static void long_edges_pass_by(void **state)
{
	(void)state;
	check_drawing("a b:a c:b d:a,c", 80, true, LAYOUT_PICTURE,
		"a ─┬─> b ──> c ─┬─> d\n"
		"   └────────────┘\n");
	check_drawing("a b:a c:a d:b e:c f:d,e,a g:f", 80, true, LAYOUT_PICTURE,
		"a ─┬─> b ──> d ─┬─> f ──> g\n"
		"   ├─> c ──> e ─┤\n"
		"   └────────────┘\n");
}

static void lines_of_different_stages_do_not_touch(void **state)
{
	(void)state;
	check_drawing("a b x:a y:a z:b", 80, true, LAYOUT_PICTURE,
		"a ──┬─> x\n"
		"b ─┐└─> y\n"
		"   └──> z\n");
}

static void what_could_be_misread_is_a_list(void **state)
{
	(void)state;
	check_drawing("f l ta:f,l tb:f", 80, true, LAYOUT_LIST,
		"f\n"
		"l\n"
		"  ta <- f, l\n"
		"  tb <- f\n");
}

static void narrow_terminal_has_a_list(void **state)
{
	(void)state;
	check_drawing(DIAMOND, 24, true, LAYOUT_LIST,
		"prepare\n"
		"  train (x3) <- prepare\n"
		"  baseline <- prepare\n"
		"  evaluate <- train, ...\n"
		"  report <- evaluate\n");
}

static void many_stages_are_a_list(void **state)
{
	struct layout_style style = { .utf8 = true };
	struct buf text = { 0 }, out = { 0 };
	struct loaded l;
	int i;

	(void)state;
	buf_str(&text, "stages:\n");
	for (i = 0; i <= LAYOUT_STAGES_MAX; i++)
		buf_printf(&text, "  s%d: {cmd: x}\n", i);
	load_good(&l, buf_text(&text));
	assert_int_equal(layout_draw(&out, &l.graph, &style), LAYOUT_LIST);
	buf_release(&text);
	buf_release(&out);
	loaded_release(&l);
}

static void stages_in_a_circle_are_a_list(void **state)
{
	struct layout_style style = { .utf8 = true };
	struct buf out = { 0 };
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  a: {foreach: [1, 2], cmd: x, deps: ['b/${item}/x'], outs: ['a/${item}']}\n"
		      "  b: {cmd: x, deps: [a/1], outs: [b/2/x]}\n");
	assert_int_equal(layout_draw(&out, &l.graph, &style), LAYOUT_LIST);
	assert_string_equal(buf_text(&out), "  a (x2) <- b\n  b <- a\n");
	buf_release(&out);
	loaded_release(&l);
}

static struct wire wire_of(uint32_t row, uint32_t first, uint32_t second)
{
	struct wire w = { .row = row };

	rows_set(&w.targets, first);
	rows_set(&w.targets, second);
	return w;
}

static void wires_to_the_same_targets_share_a_net(void **state)
{
	struct wire list[3] = { wire_of(0, 0, 1), wire_of(1, 0, 1), wire_of(2, 2, 2) };
	struct wires w;

	(void)state;
	assert_int_equal(wires_make(&w, list, 3), 0);
	assert_int_equal(w.count, 2);
	assert_int_equal(w.columns, 1);
	assert_true(w.nets[1].is_straight);
	wires_release(&w);
}

static void wires_that_cannot_be_told_apart_are_refused(void **state)
{
	struct wire list[2] = { wire_of(0, 0, 1), wire_of(1, 1, 2) };
	struct wires w;

	(void)state;
	assert_int_equal(wires_make(&w, list, 2), -1);
	assert_null(w.nets);
}

/* Random graphs: never a crash, the same text twice, no line over the width, all names there. */
static void drawings_are_bounded_and_repeatable(void **state)
{
	unsigned seed = 1, round, i, j;

	(void)state;
	for (round = 0; round < 200; round++) {
		struct layout_style style = { .width = 60 + round % 80 };
		struct buf text = { 0 }, first = { 0 }, second = { 0 };
		unsigned count = 1 + round % 14;
		struct loaded l;
		const char *line;

		buf_str(&text, "stages:\n");
		for (i = 0; i < count; i++) {
			buf_printf(&text, "  s%u: {cmd: x, needs: [", i);
			for (j = 0; j < i; j++) {
				seed = seed * 1103515245u + 12345u;
				if ((seed >> 16) % 4 == 0)
					buf_printf(&text, "s%u,", j);
			}
			buf_str(&text, "]}\n");
		}
		load_good(&l, buf_text(&text));
		(void)layout_draw(&first, &l.graph, &style);
		(void)layout_draw(&second, &l.graph, &style);
		assert_string_equal(buf_text(&first), buf_text(&second));
		for (line = buf_text(&first); *line != '\0'; line += strcspn(line, "\n") + 1)
			assert_true(strcspn(line, "\n") <= style.width);
		buf_release(&text);
		buf_release(&first);
		buf_release(&second);
		loaded_release(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_stand_in_columns),
		cmocka_unit_test(long_edges_pass_by),
		cmocka_unit_test(lines_of_different_stages_do_not_touch),
		cmocka_unit_test(what_could_be_misread_is_a_list),
		cmocka_unit_test(narrow_terminal_has_a_list),
		cmocka_unit_test(many_stages_are_a_list),
		cmocka_unit_test(stages_in_a_circle_are_a_list),
		cmocka_unit_test(wires_to_the_same_targets_share_a_net),
		cmocka_unit_test(wires_that_cannot_be_told_apart_are_refused),
		cmocka_unit_test(drawings_are_bounded_and_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
