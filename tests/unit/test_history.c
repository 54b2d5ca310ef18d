#include "../support/store.h"

#include "../support/dag_text.h"
#include "plan/key.h"
#include "plan/plan.h"
#include "store/history.h"
#include "store/journal.h"
#include "store/objects.h"
#include "store/stats.h"

static const char text[] = "stages:\n"
			   "  a: {cmd: 'a > x', deps: [raw], outs: [x]}\n"
			   "  b: {cmd: 'b > y', deps: [x], outs: [y, z]}\n";

static struct store s;
static struct loaded l;
static struct stats stats;
static struct history h;
static int64_t run;

static struct digest digest_for(const char *name)
{
	struct digest d;

	digest_of(&d, name, strlen(name));
	return d;
}

static void open_history(bool has_db)
{
	struct err e;

	GOOD(history_open(&h, &l.graph, &s.project, has_db ? &s.db : NULL, &stats, &e));
}

/* An attempt of a task with a key of that name, and outs as they lie in the work tree. */
static int64_t attempt(const char *task, const char *key, const char *state)
{
	struct node node = l.graph.nodes[node_of(&l, task)];
	struct objects o = objects_of(&s.project);
	struct buf parts = { 0 };
	struct attempt_begin begin = { .run = run, .began_ms = 100, .task = task, .folder = "", .log = "", .number = 1,
		.key = digest_for(key), .parts = &parts };
	struct attempt_end end = { .ended_ms = 350, .state = state, .error = "", .exit_code = 0, .signal = -1 };
	struct made made[4] = { { .size = 0 } };
	struct stat_id id;
	struct err e;
	uint32_t i;

	buf_str(&parts, key);
	GOOD(journal_attempt_begin(&s.db, &begin, &end.attempt, &e));
	GOOD(journal_attempt_end(&s.db, &end, &e));
	for (i = 0; i < node.outs.count && strcmp(state, "SUCCEEDED") == 0; i++) {
		const char *path = graph_text(&l.graph, l.graph.outs[node.outs.first + i].path);

		GOOD(object_take(&o, s.folder.fd, path, &made[i], &id, &e));
		GOOD(journal_artifact(&s.db, end.attempt, i, path, path, &made[i], &e));
	}
	if (strcmp(state, "SUCCEEDED") == 0)
		GOOD(journal_latest(&s.db, task, end.attempt, &begin.key, made, node.outs.count, 250, &e));
	buf_release(&parts);
	return end.attempt;
}

static void new_run(const char *uuid)
{
	struct run_row row = { .uuid = uuid, .dag_path = "", .dag_name = "", .params = "{}", .changed = "", .host = "",
		.boot_id = "", .version = "" };
	struct err e;

	GOOD(journal_run_begin(&s.db, &row, &run, &e));
}

static int setup(void **state)
{
	(void)state;
	memset(&stats, 0, sizeof stats);
	store_open(&s);
	load_good(&l, text);
	folder_write(&s.folder, "raw", "1");
	folder_write(&s.folder, "x", "of a");
	folder_write(&s.folder, "y", "of b");
	folder_write(&s.folder, "z", "more of b");
	new_run("0190-a");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	history_close(&h);
	stats_release(&stats);
	loaded_release(&l);
	store_close(&s);
	return 0;
}

static void project_without_runs_has_no_past(void **state)
{
	struct digest d = digest_for("k"), found;
	const char *why;
	const void *data;
	struct err e;
	size_t len;

	(void)state;
	open_history(false);
	assert_null(h.past.latest(&h, 0));
	assert_null(h.past.by_key(&h, &d, 1));
	assert_int_equal(h.past.parts(&h, 1, &data, &len, &e), ERR_NOTFOUND);
	assert_int_equal(h.past.last_try(&h, 0, &why), LAST_NONE);
	assert_int_equal(h.past.source(&h, "raw", &found, &e), 0);
	d = digest_for("1");
	assert_true(digest_same(&found, &d));
	assert_int_equal(h.past.source(&h, "nothing", &found, &e), ERR_NOTFOUND);
	assert_false(h.past.stored(&h, &(struct made){ .digest = d, .size = 1 }));
}

static void latest_success_is_known(void **state)
{
	const struct record *r;
	struct digest d = digest_for("k1");

	(void)state;
	(void)attempt("b", "k1", "SUCCEEDED");
	open_history(true);
	assert_null(h.past.latest(&h, node_of(&l, "a")));
	r = h.past.latest(&h, node_of(&l, "b"));
	assert_non_null(r);
	assert_true(digest_same(&r->key, &d));
	assert_int_equal(r->out_count, 2);
	assert_int_equal(r->took_ms, 250);
	d = digest_for("of b");
	assert_true(digest_same(&r->outs[0].digest, &d));
	assert_int_equal(r->outs[1].size, 9);
}

static void latest_with_other_outs_counts_as_none(void **state)
{
	const struct record *r;

	(void)state;
	(void)attempt("b", "k1", "SUCCEEDED");
	loaded_release(&l);
	load_good(&l, "stages: {b: {cmd: 'b > y', outs: [y]}}");
	open_history(true);
	r = h.past.latest(&h, 0);
	assert_true(r == NULL || r->out_count == 0);
}

static void any_success_is_found_by_its_key(void **state)
{
	struct digest k1 = digest_for("k1"), k2 = digest_for("k2"), k3 = digest_for("k3"), k4 = digest_for("k4");
	const struct record *r;
	int64_t first, last;

	(void)state;
	first = attempt("a", "k1", "SUCCEEDED");
	(void)attempt("b", "k3", "FAILED");
	new_run("0190-b");
	last = attempt("a", "k2", "SUCCEEDED");
	open_history(true);
	assert_null(h.past.by_key(&h, &k4, 1)); /* nothing, and then something */
	r = h.past.by_key(&h, &k1, 1);
	assert_non_null(r);
	assert_int_equal(r->attempt, first);
	assert_int_equal(r->took_ms, 250);
	r = h.past.by_key(&h, &k2, 1);
	assert_non_null(r);
	assert_int_equal(r->attempt, last);
	assert_null(h.past.by_key(&h, &k3, 2)); /* it failed */
	assert_null(h.past.by_key(&h, &k1, 2));
	assert_null(h.past.by_key(&h, &k1, 0));
	assert_non_null(h.past.by_key(&h, &k1, 1));
}

/* What this very run has recorded since the history was opened. */
static void success_of_this_run_is_found_too(void **state)
{
	struct digest k1 = digest_for("k1");

	(void)state;
	(void)attempt("b", "k0", "FAILED");
	open_history(true);
	assert_null(h.past.by_key(&h, &k1, 1));
	(void)attempt("a", "k1", "SUCCEEDED");
	assert_non_null(h.past.by_key(&h, &k1, 1));
}

static void parts_of_an_attempt(void **state)
{
	int64_t first = attempt("a", "k1", "SUCCEEDED"), second = attempt("b", "k2", "FAILED");
	const void *data;
	struct err e;
	size_t len;

	(void)state;
	open_history(true);
	assert_int_equal(h.past.parts(&h, 99, &data, &len, &e), ERR_NOTFOUND);
	GOOD(h.past.parts(&h, first, &data, &len, &e));
	assert_memory_equal(data, "k1", 2);
	assert_int_equal(len, 2);
	GOOD(h.past.parts(&h, second, &data, &len, &e));
	assert_memory_equal(data, "k2", 2);
}

/* The attempt that nearest() answers when the tree is `now`; 0: none. */
static int64_t nearest_to(const char *task, const struct buf *now)
{
	const struct record *r;
	const void *then;
	size_t len;

	r = h.past.nearest(&h, node_of(&l, task), buf_text(now), now->len, &then, &len);
	return r != NULL ? r->attempt : 0;
}

static void record(struct buf *tree, const char *name, char value)
{
	const char head[] = { PART_PARAM, (char)strlen(name), 0, 1, 0, 0, 0 };

	buf_add(tree, head, sizeof head);
	buf_str(tree, name);
	buf_char(tree, value);
}

static int64_t attempt_with(const char *task, const struct buf *tree, const char *state)
{
	struct attempt_begin begin = { .run = run, .began_ms = 1, .task = task, .number = 1, .folder = "", .log = "", .parts = tree };
	struct attempt_end end = { .ended_ms = 2, .state = state, .error = "", .exit_code = 0, .signal = -1, .folder = "" };
	struct err e;

	key_digest(&begin.key, tree);
	GOOD(journal_attempt_begin(&s.db, &begin, &end.attempt, &e));
	GOOD(journal_attempt_end(&s.db, &end, &e));
	return end.attempt;
}

static void nearest_success_is_found(void **state)
{
	struct buf one = { 0 }, two = { 0 }, now = { 0 };
	int64_t near, far;
	struct digest key;
	struct err e;

	(void)state;
	record(&one, "a", '1');
	record(&one, "b", '1');
	record(&two, "a", '2');
	record(&two, "b", '2');
	record(&now, "a", '1');
	record(&now, "b", '3');
	near = attempt_with("a", &one, "SUCCEEDED");
	new_run("0190-b");
	far = attempt_with("a", &two, "SUCCEEDED");
	new_run("0190-c");
	(void)attempt_with("a", &now, "FAILED");
	open_history(true);
	assert_int_equal(nearest_to("a", &now), near);
	assert_int_equal(nearest_to("a", &two), far);
	assert_int_equal(nearest_to("b", &two), 0);
	/* The last one failed, with that key and no other. */
	key_digest(&key, &now);
	assert_true(h.past.failed_with(&h, node_of(&l, "a"), &key));
	key_digest(&key, &two);
	assert_false(h.past.failed_with(&h, node_of(&l, "a"), &key));
	/* What is not trusted is not what one compares with. */
	GOOD(journal_attempt_disown(&s.db, near, "changed", &e));
	assert_int_equal(nearest_to("a", &now), far);
	buf_release(&one);
	buf_release(&two);
	buf_release(&now);
}

static enum last_try last_try(const char *task)
{
	const char *why;

	return h.past.last_try(&h, node_of(&l, task), &why);
}

static void last_failure_is_remembered(void **state)
{
	(void)state;
	(void)attempt("a", "k1", "SUCCEEDED");
	(void)attempt("b", "k1", "FAILED");
	new_run("0190-b");
	(void)attempt("a", "k1", "TIMEOUT");
	(void)attempt("b", "k1", "LOST");
	open_history(true);
	assert_int_equal(last_try("b"), LAST_NONE);
	assert_int_equal(last_try("a"), LAST_FAILED);
	assert_int_equal(last_try("b"), LAST_NONE);
}

static void a_success_that_is_not_trusted_says_why(void **state)
{
	int64_t id = attempt("a", "k1", "SUCCEEDED");
	const char *why = NULL;
	struct err e;

	(void)state;
	GOOD(journal_attempt_disown(&s.db, id, "`in: 1` was changed while it ran: the result will not be reused", &e));
	open_history(true);
	assert_int_equal(h.past.last_try(&h, node_of(&l, "a"), &why), LAST_DISOWNED);
	assert_string_equal(why, "`in: 1` was changed while it ran");
}

static void work_tree_is_compared_by_content(void **state)
{
	struct made want = { .digest = digest_for("of a"), .size = 4, .mode = 0644 };

	(void)state;
	open_history(true);
	assert_int_equal(h.past.presence(&h, "x", &want), PRESENT_SAME);
	assert_int_equal(h.past.presence(&h, "y", &want), PRESENT_OTHER);
	assert_int_equal(h.past.presence(&h, "nothing", &want), PRESENT_MISSING);
	folder_make_one(&s.folder, "empty");
	assert_int_equal(h.past.presence(&h, "empty", &want), PRESENT_OTHER);
}

static void whole_plan_comes_from_the_journal(void **state)
{
	static const struct plan_options none;
	struct plan plan;
	struct err e;

	(void)state;
	(void)attempt("a", "k1", "SUCCEEDED");
	open_history(true);
	GOOD(plan_make(&plan, &l.graph, &h.past, &none, &e));
	assert_int_equal(plan.choices[0].verdict, VERDICT_RUN); /* another key: its parts were made up */
	assert_int_equal(plan.choices[1].verdict, VERDICT_RUN);
	assert_int_equal(plan.choices[1].reason, REASON_NEVER_RUN);
	plan_release(&plan);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(project_without_runs_has_no_past),
		TEST(latest_success_is_known),
		TEST(latest_with_other_outs_counts_as_none),
		TEST(any_success_is_found_by_its_key),
		TEST(success_of_this_run_is_found_too),
		TEST(parts_of_an_attempt),
		TEST(nearest_success_is_found),
		TEST(last_failure_is_remembered),
		TEST(a_success_that_is_not_trusted_says_why),
		TEST(work_tree_is_compared_by_content),
		TEST(whole_plan_comes_from_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
