/*
 * store/tasks.h - the tasks of a run and their attempts, read back.
 *
 *     tasks_of_run(&db, &run, &arena, &tasks, e)           every task, those that were reused as planned too
 *     attempts_of_task(&db, run.id, "train", &arena, &attempts, e)
 *     attempts_open(), attempts_newest()                   of one that goes on
 *     outs_of_run(&db, &run, &arena, &ids, e)              whose outs are the run's results
 *
 * A task that was reused as planned has no row of its own: it stands as an attempt in the list that the run shares with others
 * like it. Lists are in the arena. Damaged rows (ids that lead nowhere, short blobs) are left out.
 */
#ifndef FLOW_STORE_TASKS_H
#define FLOW_STORE_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct arena;
struct db;
struct err;
struct run_record;
struct sqlite3_stmt;

struct attempt_record {
	int64_t id, run, number, began_ms, ended_ms; /* ended 0: not yet */
	int64_t exit_code, signal;                   /* -1: none */
	int64_t log_from, log_to, user_us, system_us, peak_rss_kib, strays;
	const char *task, *state, *error, *log, *folder; /* log, folder: relative to .flow */
	const char *why;                             /* it was made */
	int64_t accepted;                            /* nothing ran: whose outs were declared still right; 0: it ran */
	struct digest key;
};

struct attempt_list {
	struct attempt_record *items;
	size_t count, cap;
};

struct task_record {
	const char *name, *state, *reason, *why;
	int64_t outs_of;             /* of one that is SUCCEEDED or REUSED: the attempt whose outs it has; else 0 */
	struct attempt_record last;  /* its last attempt in this run; id 0: it was not tried */
};

struct task_list {
	struct task_record *items;
	size_t count, cap;
};

/* Attempts, ascending and each once. */
struct id_list {
	int64_t *items;
	size_t count, cap;
};

/* Tasks that were tried first, in the order they began; then the others by name. */
int tasks_of_run(struct db *db, const struct run_record *run, struct arena *a, struct task_list *out, struct err *e);
/* The same without those that were reused as planned. */
int tasks_with_rows(struct db *db, int64_t run, struct arena *a, struct task_list *out, struct err *e);

int attempts_of_task(struct db *db, int64_t run, const char *task, struct arena *a, struct attempt_list *out, struct err *e);
/* Those of a run that have not ended, and the newest of any state after attempt `after`, at most limit; by id. */
int attempts_open(struct db *db, int64_t run, struct arena *a, struct attempt_list *out, struct err *e);
int attempts_newest(struct db *db, int64_t run, int64_t after, uint32_t limit, struct arena *a, struct attempt_list *out, struct err *e);
int attempt_get(struct db *db, int64_t id, struct arena *a, struct attempt_record *out, struct err *e);
int attempt_parts(struct db *db, int64_t id, struct arena *a, const void **parts, size_t *len, struct err *e);

/* Both at once, for many attempts: attempt_reader_open(), attempt_read() for each, attempt_reader_close(). */
struct attempt_reader {
	struct db *db;
	struct sqlite3_stmt *statement;
};

int attempt_reader_open(struct attempt_reader *r, struct db *db, struct err *e);
int attempt_read(struct attempt_reader *r, int64_t id, struct arena *a, struct attempt_record *out, const void **parts,
	size_t *len, struct err *e);
void attempt_reader_close(struct attempt_reader *r);

int64_t attempt_took_ms(const struct attempt_record *attempt, int64_t now_ms);
bool attempt_is_open(const struct attempt_record *attempt); /* has not ended */

/* Attempts whose outs are the run's: its successes and all that it reused. */
int outs_of_run(struct db *db, const struct run_record *run, struct arena *a, struct id_list *out, struct err *e);
/* The attempts it made last of each task, whatever became of them, and those that it reused. */
int attempts_of_run(struct db *db, const struct run_record *run, struct arena *a, struct id_list *out, struct err *e);
/* The last success of every task, of whatever run. */
int outs_of_latest(struct db *db, struct arena *a, struct id_list *out, struct err *e);
bool id_list_has(const struct id_list *ids, int64_t id);

/* "train" of "train@seed-2"; is `task` one of that stage, or called exactly so? */
size_t stage_length(const char *task);
bool task_is_of(const char *task, const char *name);

#endif
