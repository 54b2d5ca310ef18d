/*
 * store/journal.h - what happened, in the order it happened: the writing side.
 *
 *     journal_run_begin()                       one run
 *     journal_task_new() ...                    its tasks that are not simply reused
 *     journal_attempt_begin(), _running(), _end()
 *     journal_task_state()                      every further move
 *     journal_run_end()
 *
 * Every call belongs to the transaction of the current turn (db_begin/db_commit by the caller): a row is written before the
 * world acts on it. The schema refuses illegal moves and a second success of one task.
 */
#ifndef FLOW_STORE_JOURNAL_H
#define FLOW_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct buf;
struct db;
struct err;
struct made;

struct run_row {
	const char *uuid, *dag_path, *dag_name, *params, *changed, *host, *boot_id, *version;
	struct digest dag_digest;
	int64_t began_ms;
	long pid;
};

int journal_run_begin(struct db *db, const struct run_row *row, int64_t *id, struct err *e);
/* What made it begin, when that was not somebody who called `flow run` ("manual"). */
int journal_run_cause(struct db *db, int64_t run, const char *cause, struct err *e);

struct source_row {
	const char *commit_id, *branch, *note;
	uint32_t dirty;
	struct digest patch;
};

int journal_run_source(struct db *db, int64_t run, const struct source_row *row, struct err *e);

/* The attempts a run takes over as planned; sorted here, kept once however many runs share them. */
int journal_run_reuse(struct db *db, int64_t run, int64_t *attempts, size_t count, struct err *e);

struct run_end {
	const char *state; /* "SUCCEEDED", "FAILED", "CANCELLED", "INTERRUPTED" */
	int64_t ended_ms;
	uint32_t ran, reused, failed;
};

int journal_run_end(struct db *db, int64_t run, const struct run_end *end, struct err *e);

int journal_task_new(struct db *db, int64_t run, const char *task, const char *reason, const char *why, struct err *e);
/* attempt 0: leave it as it is. */
int journal_task_state(struct db *db, int64_t run, const char *task, const char *state, int64_t attempt, struct err *e);
/* It may be tried again then (wall time). */
int journal_task_not_before(struct db *db, int64_t run, const char *task, int64_t at_ms, struct err *e);
/* Tasks of the newest run before this one that still had to wait when it was interrupted: found() for each. */
typedef void waiting_found(void *user, const char *task, int64_t at_ms);
int journal_waiting(struct db *db, int64_t run, int64_t now_ms, waiting_found *found, void *user, struct err *e);
int journal_task_why(struct db *db, int64_t run, const char *task, const char *reason, const char *why, struct err *e);

struct attempt_begin {
	int64_t run, began_ms;
	const char *task, *folder, *log;
	uint32_t number;
	uint64_t log_from;
	struct digest key;
	const struct buf *parts;
};

int journal_attempt_begin(struct db *db, const struct attempt_begin *a, int64_t *id, struct err *e);
int journal_attempt_running(struct db *db, int64_t attempt, struct err *e);

struct attempt_end {
	int64_t attempt, ended_ms;
	const char *state, *error; /* "SUCCEEDED", "FAILED", "TIMEOUT", "LOST", "CANCELLED" */
	int exit_code, signal;     /* -1: none */
	const char *log, *folder;  /* NULL: as it was */
	uint64_t log_from, log_to, user_us, system_us, peak_rss_kib;
	uint32_t strays;
};

int journal_attempt_end(struct db *db, const struct attempt_end *a, struct err *e);

struct attempt_accept {
	int64_t run;
	const char *task;
	struct digest key;
	const struct buf *parts;
	int64_t kept;        /* the success whose outs are kept */
};

/* Nothing runs: a success with another key and with all else, outs and metrics too, as the one that is kept. */
int journal_attempt_accept(struct db *db, const struct attempt_accept *a, int64_t *id, struct err *e);
/* It succeeded, but what it read is not what its key says: never to be reused. */
int journal_attempt_disown(struct db *db, int64_t attempt, const char *why, struct err *e);
int journal_artifact(struct db *db, int64_t attempt, uint32_t position, const char *name, const char *path, const struct made *made,
	struct err *e);
/* It is not in the store, and why: "temp". */
int journal_artifact_gone(struct db *db, int64_t attempt, uint32_t position, const char *why, struct err *e);
int journal_latest(struct db *db, const char *task, int64_t attempt, const struct digest *key, const struct made *outs, uint32_t count,
	int64_t took_ms, struct err *e);
int journal_metric(struct db *db, int64_t attempt, const char *name, int64_t step, double value, int64_t at_ms, struct err *e);

/* Was the machine started since the last run began? What power loss may have taken is then to be found out. */
int journal_rebooted(struct db *db, bool *rebooted, struct err *e);
/* The disk is known to hold everything up to this attempt. */
int journal_durable(struct db *db, const char *boot, int64_t attempt, struct err *e);

/* Packed struct made: 44 bytes an out, little-endian, the same on every machine. */
#define MADE_PACKED 44u
void made_pack(struct buf *out, const struct made *outs, uint32_t count);
size_t made_unpack(struct made *outs, uint32_t room, const void *data, size_t len); /* how many there are */

/* Ascending ids as varint deltas. */
void ids_pack(struct buf *out, const int64_t *ids, size_t count);
size_t ids_unpack(int64_t *ids, size_t room, const void *data, size_t len); /* how many there are */

#endif
