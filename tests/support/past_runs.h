/*
 * tests/support/past_runs.h - a journal with two runs in a temporary folder, for whatever reads it.
 *
 *     struct past_runs p;  past_runs_open(&p);  ...p.store.db, p.run[0], p.train...  past_runs_close(&p);
 *
 *     run[0], SUCCEEDED, lr 0.01:   prep   raw.csv -> data/train.npy
 *                                   train  data/train.npy -> models/m.bin (attempt 1 failed, 2 made it), metrics
 *                                   check  models/m.bin -> reports/test.json
 *                                   notes  data/train.npy -> reports/notes/ (a folder)
 *     run[1], FAILED, -p lr 0.003:  prep reused as planned (in the shared list), notes reused by a row of its own,
 *                                   train made another models/m.bin, check failed
 */
#ifndef FLOW_TESTS_PAST_RUNS_H
#define FLOW_TESTS_PAST_RUNS_H

#include "store.h"

#include <math.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/digest.h"
#include "plan/key.h"
#include "plan/past.h"
#include "store/journal.h"
#include "store/runs.h"

#define PAST_BEGAN 1790000000000ll

struct past_runs {
	struct store store;
	struct db *db;
	struct project *project;
	struct arena arena;
	int64_t run[2];
	int64_t prep, train_failed, train, check, notes; /* attempts of run[0] */
	int64_t train_again, check_failed;               /* of run[1] */
};

static const char *const past_uuid[] = { "019aa3b2-7c1e-7000-8000-000000000001",
	"019aa3b2-7d2f-7000-8000-000000000002" };

static inline struct digest digest_text(const char *text)
{
	struct digest d;

	digest_of(&d, text, strlen(text));
	return d;
}

static inline void part_put(struct buf *out, enum part part, const char *name, const void *value, size_t len)
{
	size_t n = strlen(name);
	unsigned char head[7] = { (unsigned char)part, (unsigned char)n, (unsigned char)(n >> 8),
		(unsigned char)len, (unsigned char)(len >> 8), (unsigned char)(len >> 16), (unsigned char)(len >> 24) };

	buf_add(out, head, sizeof head);
	buf_add(out, name, n);
	buf_add(out, value, len);
}

static inline void part_text(struct buf *out, enum part part, const char *name, const char *value)
{
	part_put(out, part, name, value, strlen(value));
}

/* A component whose value is the digest of a text. */
static inline void part_digest(struct buf *out, enum part part, const char *name, const char *content)
{
	struct digest d = digest_text(content);

	part_put(out, part, name, d.bytes, sizeof d.bytes);
}

static inline int64_t past_run(struct past_runs *p, const char *uuid, const char *params, const char *changed)
{
	struct run_row row = { .uuid = uuid, .dag_path = "dag.yaml", .dag_name = "demo", .params = params,
		.changed = changed, .host = "lab2", .boot_id = "boot", .version = "0.1.0",
		.dag_digest = digest_text("dag"), .began_ms = PAST_BEGAN, .pid = 1 };
	int64_t id = 0;
	struct err e;

	GOOD(journal_run_begin(p->db, &row, &id, &e));
	return id;
}

static inline void past_run_end(struct past_runs *p, int64_t run, const char *state, uint32_t ran, uint32_t reused, uint32_t failed)
{
	struct run_end end = { state, PAST_BEGAN + 60000, ran, reused, failed };
	struct err e;

	GOOD(journal_run_end(p->db, run, &end, &e));
}

static inline void past_task(struct past_runs *p, int64_t run, const char *task, const char *reason, const char *why)
{
	struct err e;

	GOOD(journal_task_new(p->db, run, task, reason, why, &e));
}

static inline void past_task_state(struct past_runs *p, int64_t run, const char *task, const char *state, int64_t attempt)
{
	struct err e;

	GOOD(journal_task_state(p->db, run, task, state, attempt, &e));
}

/* An attempt that runs; parts is emptied. */
static inline int64_t past_attempt(struct past_runs *p, int64_t run, const char *task, uint32_t number, struct buf *parts,
	const char *log, uint64_t log_from)
{
	struct attempt_begin begin = { .run = run, .began_ms = PAST_BEGAN + 1000 * (int64_t)number, .task = task, .folder = "",
		.log = log, .number = number, .log_from = log_from, .parts = parts };
	int64_t id = 0;
	struct err e;

	key_digest(&begin.key, parts);
	GOOD(journal_attempt_begin(p->db, &begin, &id, &e));
	GOOD(journal_attempt_running(p->db, id, &e));
	buf_clear(parts);
	return id;
}

static inline void past_attempt_end(struct past_runs *p, int64_t attempt, const char *state, int64_t took_ms, const char *log,
	uint64_t log_from, uint64_t log_to)
{
	struct attempt_end end = { .attempt = attempt, .state = state, .error = strcmp(state, "FAILED") == 0 ? "exit 1" : "",
		.exit_code = strcmp(state, "FAILED") == 0, .signal = -1, .log = log, .log_from = log_from, .log_to = log_to };
	char sql[100];
	struct err e;

	(void)snprintf(sql, sizeof sql, "SELECT began_ms FROM attempt WHERE id = %lld", (long long)attempt);
	end.ended_ms = store_number(&p->store, sql) + took_ms;
	GOOD(journal_attempt_end(p->db, &end, &e));
}

static inline void past_out(struct past_runs *p, int64_t attempt, uint32_t position, const char *name, const char *path,
	const char *content, uint32_t mode)
{
	struct made made = { digest_text(content), strlen(content), mode };
	struct err e;

	GOOD(journal_artifact(p->db, attempt, position, name, path, &made, &e));
}

static inline void past_metric(struct past_runs *p, int64_t attempt, const char *name, int64_t step, double value)
{
	struct err e;

	GOOD(journal_metric(p->db, attempt, name, step, value, PAST_BEGAN, &e));
}

static inline void past_source(struct past_runs *p, int64_t run, const char *commit, uint32_t dirty, const char *patch)
{
	struct source_row row = { .commit_id = commit, .branch = "main", .note = "", .dirty = dirty };
	struct err e;

	if (patch != NULL)
		row.patch = digest_text(patch);
	GOOD(journal_run_source(p->db, run, &row, &e));
}

static inline void past_first_run(struct past_runs *p)
{
	int64_t run = p->run[0] = past_run(p, past_uuid[0], "{\"train.lr\":0.01,\"train.epochs\":20}", "");
	static const char *const tasks[] = { "prep", "train", "check", "notes" };
	struct buf parts = { 0 };
	size_t i;

	past_source(p, run, "3f9c2e1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, NULL);
	for (i = 0; i < 4; i++) {
		past_task(p, run, tasks[i], "never-run", "never run before");
		past_task_state(p, run, tasks[i], "RUNNING", 0);
	}
	part_digest(&parts, PART_INPUT, "raw.csv", "raw");
	part_text(&parts, PART_COMMAND, "", "python prep.py\necho done");
	p->prep = past_attempt(p, run, "prep", 1, &parts, "logs/a/0.log", 0);
	past_attempt_end(p, p->prep, "SUCCEEDED", 500, NULL, 0, 5);
	past_out(p, p->prep, 0, "data", "data/train.npy", "train data", 0644);

	part_text(&parts, PART_PARAM, "train.lr", "0.01");
	part_digest(&parts, PART_INPUT, "data/train.npy", "train data");
	part_digest(&parts, PART_CODE, "plugin train", "code 1");
	p->train_failed = past_attempt(p, run, "train", 1, &parts, "logs/a/0.log", 5);
	past_attempt_end(p, p->train_failed, "FAILED", 100, "runs/a/train/1/log", 0, 6);
	part_text(&parts, PART_PARAM, "train.lr", "0.01");
	part_digest(&parts, PART_INPUT, "data/train.npy", "train data");
	part_digest(&parts, PART_CODE, "plugin train", "code 1");
	p->train = past_attempt(p, run, "train", 2, &parts, "logs/a/0.log", 5);
	past_attempt_end(p, p->train, "SUCCEEDED", 2000, NULL, 5, 23);
	past_out(p, p->train, 0, "model", "models/m.bin", "model 1", 0644);
	past_metric(p, p->train, "accuracy", -1, 0.9);
	for (i = 0; i < 3; i++)
		past_metric(p, p->train, "loss", (int64_t)i, 0.5 - 0.1 * (double)i);

	part_digest(&parts, PART_INPUT, "models/m.bin", "model 1");
	p->check = past_attempt(p, run, "check", 1, &parts, "logs/a/0.log", 23);
	past_attempt_end(p, p->check, "SUCCEEDED", 300, NULL, 23, 23);
	past_out(p, p->check, 0, "report", "reports/test.json", "report 1", 0644);

	part_digest(&parts, PART_INPUT, "data/train.npy", "train data");
	p->notes = past_attempt(p, run, "notes", 1, &parts, "logs/a/1.log", 0);
	past_attempt_end(p, p->notes, "SUCCEEDED", 10, NULL, 0, 0);
	past_out(p, p->notes, 0, "pages", "reports/notes", "manifest", 0755 | MADE_FOLDER);
	past_task_state(p, run, "prep", "SUCCEEDED", p->prep);
	past_task_state(p, run, "train", "SUCCEEDED", p->train);
	past_task_state(p, run, "check", "SUCCEEDED", p->check);
	past_task_state(p, run, "notes", "SUCCEEDED", p->notes);
	past_run_end(p, run, "SUCCEEDED", 4, 0, 0);
	buf_release(&parts);
}

static inline void past_second_run(struct past_runs *p)
{
	int64_t run = p->run[1] = past_run(p, past_uuid[1], "{\"train.lr\":0.003,\"train.epochs\":20}", "train.lr=0.003\n");
	struct buf parts = { 0 };
	struct err e;

	past_source(p, run, "3f9c2e1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, "patch");
	GOOD(journal_run_reuse(p->db, run, &p->prep, 1, &e));
	past_task(p, run, "train", "param-changed", "param train.lr 0.01 -> 0.003");
	past_task(p, run, "check", "upstream-ran", "");
	past_task(p, run, "notes", "upstream-ran", "");
	past_task_state(p, run, "notes", "REUSED", p->notes);
	past_task_state(p, run, "train", "RUNNING", 0);
	part_text(&parts, PART_PARAM, "train.lr", "0.003");
	part_digest(&parts, PART_INPUT, "data/train.npy", "train data");
	part_digest(&parts, PART_CODE, "plugin train", "code 2");
	p->train_again = past_attempt(p, run, "train", 1, &parts, "logs/b/0.log", 0);
	past_attempt_end(p, p->train_again, "SUCCEEDED", 1000, NULL, 0, 4);
	past_out(p, p->train_again, 0, "model", "models/m.bin", "model 2", 0644);
	past_metric(p, p->train_again, "accuracy", -1, 0.99);
	past_task_state(p, run, "train", "SUCCEEDED", p->train_again);
	past_task_state(p, run, "check", "RUNNING", 0);
	part_digest(&parts, PART_INPUT, "models/m.bin", "model 2");
	p->check_failed = past_attempt(p, run, "check", 1, &parts, "logs/b/0.log", 4);
	past_attempt_end(p, p->check_failed, "FAILED", 300, "runs/b/check/1/log", 0, 5);
	past_task_state(p, run, "check", "FAILED", 0);
	past_run_end(p, run, "FAILED", 1, 2, 1);
	buf_release(&parts);
}

static inline void past_runs_open(struct past_runs *p)
{
	memset(p, 0, sizeof *p);
	store_open(&p->store);
	p->db = &p->store.db;
	p->project = &p->store.project;
	past_first_run(p);
	past_second_run(p);
}

static inline void past_runs_close(struct past_runs *p)
{
	arena_release(&p->arena);
	store_close(&p->store);
}

/* A third run with a task at work, whose attempt is returned, one waiting and one taken over; of this process or of none. */
static inline int64_t past_third(struct past_runs *p, bool alive)
{
	int64_t run = past_run(p, "019aa3b2-9999-7000-8000-000000000003", "{}", ""), id;
	struct buf parts = { 0 };
	char sql[200], boot[37];
	struct err e;

	(void)snprintf(sql, sizeof sql, "UPDATE run SET pid = %d, boot_id = '%s' WHERE id = %d",
		alive ? (int)getpid() : 0x7ffffff0, boot_id(boot), (int)run);
	GOOD(store_do(&p->store, sql, &e));
	GOOD(journal_run_reuse(p->db, run, &p->prep, 1, &e));
	past_task(p, run, "train", "forced", "forced");
	past_task_state(p, run, "train", "RUNNING", 0);
	past_task(p, run, "check", "upstream-ran", "");
	id = past_attempt(p, run, "train", 1, &parts, "", 0);
	assert_true(id > 0);
	buf_release(&parts);
	return id;
}

#endif
