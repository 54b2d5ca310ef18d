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

/* An attempt of run[1] that made `path` out of the given inputs: path, content, ..., NULL. */
static int64_t maker(struct past_runs *p, const char *task, const char *path, const char *content, const char *const *inputs)
{
	struct buf parts = { 0 };
	int64_t id;

	for (; inputs[0] != NULL; inputs += 2)
		part_digest(&parts, PART_INPUT, inputs[0], inputs[1]);
	id = past_attempt(p, p->run[1], task, 1, &parts, "", 0);
	past_attempt_end(p, id, "SUCCEEDED", 10, NULL, 0, 0);
	past_out(p, id, 0, "out", path, content, 0644);
	buf_release(&parts);
	return id;
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
