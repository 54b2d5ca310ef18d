#include "../support/past_runs.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/vec.h"
#include "report/find.h"
#include "report/trace.h"

static void trace(struct past_runs *p, struct trace *t, const char *ref)
{
	struct artifact_record r;
	struct err e;

	GOOD(artifact_resolve(p->db, NULL, ref, &p->arena, &r, &e));
	GOOD(trace_make(t, p->db, &r, &e));
}

/* The whole picture as one text, in ASCII. */
static char *drawn(struct past_runs *p, const struct trace *t, size_t most, size_t *dropped)
{
	struct trace_style style = { .most = most };
	struct trace_lines lines;
	struct buf text = { 0 };
	char *all;
	size_t i;

	trace_draw(&lines, t, &style, &p->arena);
	for (i = 0; i < lines.count; i++)
		buf_printf(&text, "%s%s\n", lines.items[i].branch, lines.items[i].text);
	if (dropped != NULL)
		*dropped = lines.dropped;
	vec_release(&lines);
	all = buf_in(&text, &p->arena);
	buf_release(&text);
	return all;
}

static void an_artifact_is_traced_to_its_sources(void **state)
{
	struct past_runs p;
	struct trace t;

	(void)state;
	past_runs_open(&p);
	trace(&p, &t, "@{1}:train:model");
	assert_int_equal(t.steps.count, 2);
	assert_int_equal(t.inputs.count, 2);
	assert_string_equal(drawn(&p, &t, 0, NULL),
		"models/m.bin  cd36b49d7b2a  7B  made by train (019aa3b2-7c1e, attempt 2, 2.0s)\n"
		"|- source   commit 3f9c2e1aaaaa (main), clean\n"
		"|- code     plugin train 0e8f7f17837b\n"
		"|- params   train.lr=0.01\n"
		"`- inputs\n"
		"   `- data/train.npy  f5740409716b  10B  made by prep (019aa3b2-7c1e, attempt 1, 500 ms)\n"
		"      |- command  python prep.py...\n"
		"      `- inputs\n"
		"         `- raw.csv  d7439bee2477  (source)\n");
	trace_release(&t);
	past_runs_close(&p);
}

static void inputs_of_an_earlier_run_are_found(void **state)
{
	struct past_runs p;
	struct trace t;
	const char *text;

	(void)state;
	past_runs_open(&p);
	trace(&p, &t, "train:model");
	assert_int_equal(t.steps.items[0].attempt.id, p.train_again);
	assert_int_equal(t.steps.items[1].attempt.id, p.prep);
	assert_int_equal(t.runs.count, 2);
	text = drawn(&p, &t, 0, NULL);
	assert_non_null(strstr(text, "|- source   commit 3f9c2e1aaaaa (main), dirty: 1 file, patch "));
	assert_non_null(strstr(text, "      |- source   commit 3f9c2e1aaaaa (main), clean\n"));
	trace_release(&t);
	past_runs_close(&p);
}

/* An attempt of a run that made `path` out of the given inputs: path, content, ..., NULL. */
static int64_t maker_in(struct past_runs *p, int64_t run, const char *task, const char *path, const char *content,
	const char *const *inputs)
{
	struct buf parts = { 0 };
	int64_t id;

	for (; inputs[0] != NULL; inputs += 2)
		part_digest(&parts, PART_INPUT, inputs[0], inputs[1]);
	id = past_attempt(p, run, task, 1, &parts, "", 0);
	past_attempt_end(p, id, "SUCCEEDED", 10, NULL, 0, 0);
	past_out(p, id, 0, "out", path, content, 0644);
	buf_release(&parts);
	return id;
}

static int64_t maker(struct past_runs *p, const char *task, const char *path, const char *content, const char *const *inputs)
{
	return maker_in(p, p->run[1], task, path, content, inputs);
}

static void reused(struct past_runs *p, int64_t run, const char *task, int64_t attempt)
{
	past_task(p, run, task, "same-key", "same key");
	past_task_state(p, run, task, "REUSED", attempt);
}

static const char *const nothing[] = { NULL };
static const char *const a_out[] = { "out/a", "same", NULL };
static const char *const b_out[] = { "out/b", "b", NULL };
static const char *const file[] = { "out/f/x", "x", NULL };

/* `a` and `f` made the same bytes in two runs, and a third took over what the first had made; b read it there. */
struct twice_made {
	struct past_runs p;
	int64_t a[2], folder[2], b, in_folder, run;
};

static int64_t next_run(struct twice_made *m)
{
	static int number;
	char uuid[37];

	(void)snprintf(uuid, sizeof uuid, "019aa3b2-8%03d-7000-8000-000000000009", number++);
	return past_run(&m->p, uuid, "{}", "");
}

static void twice_made(struct twice_made *m)
{
	struct err e;
	size_t i;

	past_runs_open(&m->p);
	for (i = 0; i < 2; i++) {
		m->run = next_run(m);
		m->a[i] = maker_in(&m->p, m->run, "a", "out/a", "same", nothing);
		m->folder[i] = maker_in(&m->p, m->run, "f", "out/f", "pages", nothing);
	}
	GOOD(store_do(&m->p.store, "UPDATE artifact SET mode = 65536 + 493 WHERE path = 'out/f'", &e));
	m->run = next_run(m);
	reused(&m->p, m->run, "a", m->a[0]);
	reused(&m->p, m->run, "f", m->folder[0]);
	m->b = maker_in(&m->p, m->run, "b", "out/b", "b", a_out);
	m->in_folder = maker_in(&m->p, m->run, "in", "out/in", "in", file);
}

/* The attempt of a step of the trace. */
static int64_t step_of(struct twice_made *m, const char *ref, size_t step)
{
	struct trace t;
	int64_t id;

	trace(&m->p, &t, ref);
	assert_true(step < t.steps.count);
	id = t.steps.items[step].attempt.id;
	trace_release(&t);
	return id;
}

static void the_maker_is_the_one_that_the_readers_run_had(void **state)
{
	struct twice_made m;
	struct err e;

	(void)state;
	twice_made(&m);
	assert_int_equal(step_of(&m, "out/b", 1), m.a[0]);
	assert_int_equal(step_of(&m, "out/in", 0), m.in_folder);
	assert_int_equal(step_of(&m, "out/in", 1), m.folder[0]);
	m.run = next_run(&m);
	GOOD(journal_run_reuse(m.p.db, m.run, &m.a[1], 1, &e));
	(void)maker_in(&m.p, m.run, "planned", "out/planned", "d", a_out);
	assert_int_equal(step_of(&m, "out/planned", 1), m.a[1]);
	past_runs_close(&m.p);
}

/* c read what b had made in an older run: b's own input is what that run had, whatever c's has. */
static void what_was_taken_over_is_traced_in_the_run_that_made_it(void **state)
{
	struct twice_made m;
	struct err e;

	(void)state;
	twice_made(&m);
	m.run = next_run(&m);
	(void)maker_in(&m.p, m.run, "a", "out/a", "same", nothing);
	GOOD(journal_run_reuse(m.p.db, m.run, &m.b, 1, &e));
	(void)maker_in(&m.p, m.run, "c", "out/c", "c", b_out);
	assert_int_equal(step_of(&m, "out/c", 1), m.b);
	assert_int_equal(step_of(&m, "out/c", 2), m.a[0]);
	past_runs_close(&m.p);
}

static void where_the_run_had_no_maker_it_is_the_newest(void **state)
{
	struct twice_made m;

	(void)state;
	twice_made(&m);
	m.run = next_run(&m);
	(void)maker_in(&m.p, m.run, "alone", "out/alone", "e", a_out);
	assert_int_equal(step_of(&m, "out/alone", 1), m.a[1]);
	past_runs_close(&m.p);
}

static void a_file_in_a_made_folder_is_traced_to_the_folder(void **state)
{
	static const char *const inputs[] = { "reports/notes/a/b.txt", "x", NULL };
	struct past_runs p;
	struct trace t;

	(void)state;
	past_runs_open(&p);
	(void)maker(&p, "reader", "out.txt", "y", inputs);
	trace(&p, &t, "out.txt");
	assert_string_equal(t.inputs.items[0].folder, "reports/notes");
	assert_int_equal(t.steps.items[t.inputs.items[0].maker].attempt.id, p.notes);
	assert_non_null(strstr(drawn(&p, &t, 0, NULL), "reports/notes/a/b.txt  2d711642b726  in reports/notes, made by notes ("));
	trace_release(&t);
	past_runs_close(&p);
}

static void a_folder_of_several_outs_names_each(void **state)
{
	static const char *const inputs[] = { "data", "folder", "other", "z", NULL };
	struct past_runs p;
	const char *text;
	struct trace t;

	(void)state;
	past_runs_open(&p);
	(void)maker(&p, "side", "data/side.npy", "side", inputs + 2);
	(void)maker(&p, "reader", "out.txt", "y", inputs);
	trace(&p, &t, "out.txt");
	assert_int_equal(t.inputs.items[0].maker, TRACE_PARTLY);
	assert_true(t.inputs.items[1].within && t.inputs.items[2].within && !t.inputs.items[3].within);
	text = drawn(&p, &t, 0, NULL);
	assert_non_null(strstr(text, "   |- data  034a00624882  (folder)\n"
				     "   |  |- data/side.npy  "));
	assert_non_null(strstr(text, "\n   |  `- data/train.npy  "));
	assert_non_null(strstr(text, "\n   `- other  594e519ae499  (source)\n"));
	trace_release(&t);
	past_runs_close(&p);
}

static void what_was_drawn_is_not_drawn_again(void **state)
{
	static const char *const inputs[] = { "data/train.npy", "train data", "models/m.bin", "model 1", NULL };
	struct past_runs p;
	const char *text;
	struct trace t;

	(void)state;
	past_runs_open(&p);
	(void)maker(&p, "both", "both.txt", "y", inputs);
	trace(&p, &t, "both.txt");
	assert_int_equal(t.steps.count, 3);
	text = drawn(&p, &t, 0, NULL);
	assert_non_null(strstr(text, "made by prep (019aa3b2-7c1e, attempt 1, 500 ms) (see above)\n"));
	trace_release(&t);
	past_runs_close(&p);
}

static void the_picture_is_cut_and_counted(void **state)
{
	struct past_runs p;
	struct trace t;
	size_t dropped;

	(void)state;
	past_runs_open(&p);
	trace(&p, &t, "@{1}:train:model");
	assert_non_null(strstr(drawn(&p, &t, 2, &dropped), "source"));
	assert_int_equal(dropped, 7);
	trace_release(&t);
	past_runs_close(&p);
}

static void a_trace_is_valid_json(void **state)
{
	struct buf text = { 0 };
	struct past_runs p;
	json_t *root, *step;
	struct trace t;

	(void)state;
	past_runs_open(&p);
	trace(&p, &t, "@{1}:train:model");
	trace_json(&text, &t);
	root = json_loadb(text.data, text.len, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(root, "steps")), 2);
	step = json_array_get(json_object_get(root, "steps"), 0);
	assert_true(json_is_real(json_object_get(json_object_get(step, "params"), "train.lr")));
	step = json_array_get(json_object_get(step, "inputs"), 0);
	assert_int_equal(json_integer_value(json_object_get(step, "made_by")), 1);
	json_decref(root);
	buf_release(&text);
	trace_release(&t);
	past_runs_close(&p);
}

static void damaged_component_trees_are_survived(void **state)
{
	static const char *const blobs[] = { "x''", "x'00'", "x'03ffff00000000'", "x'03010000000000'", "x'0301ffffffffff61'",
		"x'0300000000000003000000000000'", "x'ff0100010000006161'", "'text that is none'" };
	struct buf text = { 0 };
	struct past_runs p;
	struct trace t;
	char sql[200];
	struct err e;
	size_t i;

	(void)state;
	past_runs_open(&p);
	for (i = 0; i < sizeof blobs / sizeof *blobs; i++) {
		(void)snprintf(sql, sizeof sql, "UPDATE attempt SET parts = %s", blobs[i]);
		GOOD(store_do(&p.store, sql, &e));
		trace(&p, &t, "train:model");
		assert_int_equal(t.steps.count, 1);
		(void)drawn(&p, &t, 0, NULL);
		trace_json(&text, &t);
		trace_release(&t);
	}
	buf_release(&text);
	past_runs_close(&p);
}

#define LONG_CHAIN 10000

/* A chain of tasks, each reading what the one before made, a source of its own and one that all share. */
static void ten_thousand_ancestors_are_quick(void **state)
{
	struct past_runs p;
	char path[32], before[32] = "raw.csv", own[32];
	int64_t began, took;
	struct trace t;
	struct err e;
	const char *text;
	int i;

	(void)state;
	past_runs_open(&p);
	GOOD(store_do(&p.store, "BEGIN", &e));
	for (i = 0; i < LONG_CHAIN; i++) {
		const char *const inputs[] = { before, before, "src/shared.py", "s", own, own, NULL };

		(void)snprintf(path, sizeof path, "chain/%d", i);
		(void)snprintf(own, sizeof own, "src/%d.txt", i);
		(void)maker(&p, path, path, path, inputs);
		memcpy(before, path, sizeof path);
	}
	GOOD(store_do(&p.store, "COMMIT", &e));
	began = clock_mono_ms();
	trace(&p, &t, path);
	text = drawn(&p, &t, 200, NULL);
	took = clock_mono_ms() - began;
	print_message("%d steps in %d ms\n", (int)t.steps.count, (int)took);
	assert_int_equal(t.steps.count, LONG_CHAIN);
	assert_true(took < 3000); /* a release build needs a tenth of a second */
	assert_non_null(strstr(text, "(see [1])"));
	assert_non_null(strstr(drawn(&p, &t, 0, NULL), "\n[600] chain/"));
	trace_release(&t);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_artifact_is_traced_to_its_sources),
		cmocka_unit_test(inputs_of_an_earlier_run_are_found),
		cmocka_unit_test(the_maker_is_the_one_that_the_readers_run_had),
		cmocka_unit_test(what_was_taken_over_is_traced_in_the_run_that_made_it),
		cmocka_unit_test(where_the_run_had_no_maker_it_is_the_newest),
		cmocka_unit_test(a_file_in_a_made_folder_is_traced_to_the_folder),
		cmocka_unit_test(a_folder_of_several_outs_names_each),
		cmocka_unit_test(what_was_drawn_is_not_drawn_again),
		cmocka_unit_test(the_picture_is_cut_and_counted),
		cmocka_unit_test(a_trace_is_valid_json),
		cmocka_unit_test(damaged_component_trees_are_survived),
		cmocka_unit_test(ten_thousand_ancestors_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
