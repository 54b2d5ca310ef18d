#include "../support/past_runs.h"

#include "report/artifactpage.h"
#include "report/find.h"

/* The attempt that made what a reference means; below 0 the error. */
static int64_t maker(struct past_runs *p, const char *ref)
{
	struct artifact_record r;
	struct err e;
	int rc = artifact_resolve(p->db, "/home/u/project", ref, &p->arena, &r, &e);

	return rc < 0 ? rc : r.attempt;
}

static void an_artifact_is_named_in_many_ways(void **state)
{
	struct digest first = digest_text("model 1");
	struct past_runs p;
	char hex[DIGEST_HEX];

	(void)state;
	past_runs_open(&p);
	assert_int_equal(maker(&p, "models/m.bin"), p.train_again);
	assert_int_equal(maker(&p, "./models//m.bin"), p.train_again);
	assert_int_equal(maker(&p, "/home/u/project/models/m.bin"), p.train_again);
	assert_int_equal(maker(&p, "train:model"), p.train_again);
	assert_int_equal(maker(&p, "model"), p.train_again);
	assert_int_equal(maker(&p, "prep:data"), p.prep);
	assert_int_equal(maker(&p, "@{1}:train:model"), p.train);
	assert_int_equal(maker(&p, "019aa3b2-7c1e:train:model"), p.train);
	(void)digest_hex(&first, hex);
	hex[10] = '\0';
	assert_int_equal(maker(&p, hex), p.train);
	past_runs_close(&p);
}

static void a_result_that_the_last_run_lacks_is_still_found(void **state)
{
	struct past_runs p;

	(void)state;
	past_runs_open(&p);
	assert_int_equal(maker(&p, "reports/test.json"), p.check);
	assert_int_equal(maker(&p, "check:report"), p.check);
	assert_int_equal(maker(&p, "@last:check:report"), ERR_NOTFOUND);
	past_runs_close(&p);
}

static void what_is_no_artifact_is_told(void **state)
{
	static const char *const refs[] = { "nope", "train:nope", "nope:model", "a:b:c", ":::", "", "abcdef", "abcde",
		"train:", "@last:train:nope" };
	struct past_runs p;
	size_t i;

	(void)state;
	past_runs_open(&p);
	for (i = 0; i < sizeof refs / sizeof *refs; i++)
		assert_int_equal(maker(&p, refs[i]), ERR_NOTFOUND);
	past_runs_close(&p);
}

static void an_out_of_several_tasks_is_ambiguous(void **state)
{
	struct artifact_record r;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_out(&p, p.train_again, 1, "data", "models/data.bin", "x", 0644);
	assert_int_equal(artifact_resolve(p.db, NULL, "data", &p.arena, &r, &e), ERR_USAGE);
	assert_string_equal(e.text, "`data` could be 2 artifacts: data/train.npy, models/data.bin");
	past_runs_close(&p);
}

static void the_page_names_maker_and_users(void **state)
{
	struct artifact_record r;
	struct artifactpage page;
	struct buf text = { 0 };
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(artifact_resolve(p.db, NULL, "prep:data", &p.arena, &r, &e));
	GOOD(artifactpage_make(&page, p.db, p.project, &r, &p.arena, &e));
	assert_string_equal(page.attempt.task, "prep");
	assert_string_equal(page.run.uuid, past_uuid[0]);
	assert_false(page.stored);
	assert_int_equal(page.users.count, 3);
	assert_string_equal(page.users.items[0].attempt.task, "train");
	assert_string_equal(page.users.items[1].attempt.task, "notes");
	assert_int_equal(page.users.items[2].attempt.id, p.train_again);
	artifactpage_json(&text, &page, PAST_BEGAN);
	assert_non_null(strstr(buf_text(&text), "\"path\":\"data/train.npy\",\"out\":\"data\""));
	buf_release(&text);
	past_runs_close(&p);
}

/* Two attempts made the same bytes: who read them is counted for the one that the reader's run had. */
static void users_are_those_whose_run_had_this_very_artifact(void **state)
{
	struct artifact_record r;
	struct artifactpage page;
	struct past_runs p;
	struct buf parts = { 0 };
	int64_t again;
	struct err e;

	(void)state;
	past_runs_open(&p);
	part_text(&parts, PART_COMMAND, "", "another");
	again = past_attempt(&p, past_run(&p, "019aa3b2-7fff-7000-8000-000000000003", "{}", ""), "prep", 1, &parts, "", 0);
	past_attempt_end(&p, again, "SUCCEEDED", 10, NULL, 0, 0);
	past_out(&p, again, 0, "data", "data/train.npy", "train data", 0644);
	buf_release(&parts);
	GOOD(artifact_resolve(p.db, NULL, "@{1}:prep:data", &p.arena, &r, &e));
	assert_int_equal(r.attempt, p.prep);
	GOOD(artifactpage_make(&page, p.db, p.project, &r, &p.arena, &e));
	assert_int_equal(page.users.count, 2);
	GOOD(artifact_resolve(p.db, NULL, "@last:prep:data", &p.arena, &r, &e));
	assert_int_equal(r.attempt, again);
	GOOD(artifactpage_make(&page, p.db, p.project, &r, &p.arena, &e));
	assert_int_equal(page.users.count, 0);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_artifact_is_named_in_many_ways),
		cmocka_unit_test(a_result_that_the_last_run_lacks_is_still_found),
		cmocka_unit_test(what_is_no_artifact_is_told),
		cmocka_unit_test(an_out_of_several_tasks_is_ambiguous),
		cmocka_unit_test(the_page_names_maker_and_users),
		cmocka_unit_test(users_are_those_whose_run_had_this_very_artifact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
