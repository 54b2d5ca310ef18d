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

/* `a` made the same bytes in three runs; whose they were is for the run of the reader to say, not for the newest. */
static void the_maker_is_the_one_that_the_readers_run_had(void **state)
{
	static const char *const uuids[] = { "019aa3b2-8001-7000-8000-000000000003", "019aa3b2-8002-7000-8000-000000000004",
		"019aa3b2-8003-7000-8000-000000000005", "019aa3b2-8004-7000-8000-000000000006" };
	static const char *const none[] = { NULL }, *const a_out[] = { "out/a", "same", NULL },
				 *const b_out[] = { "out/b", "b", NULL }, *const file[] = { "out/f/x", "x", NULL };
	int64_t run[4], a[3], b, c, planned, in_folder, folder[2];
	struct past_runs p;
	struct trace t;
	struct err e;
	size_t i;

	(void)state;
	past_runs_open(&p);
	for (i = 0; i < 4; i++)
		run[i] = past_run(&p, uuids[i], "{}", "");
	a[0] = maker_in(&p, run[0], "a", "out/a", "same", none);
	folder[0] = maker_in(&p, run[0], "f", "out/f", "pages", none);
	a[1] = maker_in(&p, run[1], "a", "out/a", "same", none);
	folder[1] = maker_in(&p, run[1], "f", "out/f", "pages", none);
	GOOD(store_do(&p.store, "UPDATE artifact SET mode = 65536 + 493 WHERE path = 'out/f'", &e));
	reused(&p, run[2], "a", a[0]);
	reused(&p, run[2], "f", folder[0]);
	b = maker_in(&p, run[2], "b", "out/b", "b", a_out);
	in_folder = maker_in(&p, run[2], "in", "out/in", "in", file);
	a[2] = maker_in(&p, run[3], "a", "out/a", "same", none);
	GOOD(journal_run_reuse(p.db, run[3], &b, 1, &e));
	c = maker_in(&p, run[3], "c", "out/c", "c", b_out);
	trace(&p, &t, "out/b");
	assert_int_equal(t.steps.items[1].attempt.id, a[0]);
	trace_release(&t);
	trace(&p, &t, "out/in");
	assert_int_equal(t.steps.items[0].attempt.id, in_folder);
	assert_int_equal(t.steps.items[1].attempt.id, folder[0]);
	trace_release(&t);
	/* c read what b made in an older run; b's own input is what that run had, whatever c's has. */
	trace(&p, &t, "out/c");
	assert_int_equal(t.steps.items[0].attempt.id, c);
	assert_int_equal(t.steps.items[1].attempt.id, b);
	assert_int_equal(t.steps.items[2].attempt.id, a[0]);
	trace_release(&t);
	/* Taken over as planned, and the newest where the run had none of them. */
	run[0] = past_run(&p, "019aa3b2-8005-7000-8000-000000000007", "{}", "");
	GOOD(journal_run_reuse(p.db, run[0], &a[1], 1, &e));
	planned = maker_in(&p, run[0], "planned", "out/planned", "d", a_out);
	run[1] = past_run(&p, "019aa3b2-8006-7000-8000-000000000008", "{}", "");
	(void)maker_in(&p, run[1], "alone", "out/alone", "e", a_out);
	trace(&p, &t, "out/planned");
	assert_int_equal(t.steps.items[0].attempt.id, planned);
	assert_int_equal(t.steps.items[1].attempt.id, a[1]);
	trace_release(&t);
	trace(&p, &t, "out/alone");
	assert_int_equal(t.steps.items[1].attempt.id, a[2]);
	trace_release(&t);
	past_runs_close(&p);
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
