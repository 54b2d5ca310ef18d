/*
 * report/log.h - what attempts wrote, out of the log files.
 *
 *     logs_find(&logs, &db, &run, "train", 0, &arena, e)     which attempts
 *     log_open(&reader, &project, &logs.items[i].attempt, e)
 *     log_last(&reader, 40, e)                               skip to the last 40 lines
 *     while ((rc = log_next(&reader, &buf, e)) > 0) ...      64 KiB at a time
 *     log_close(&reader)
 *
 * What was cut out of a log that grew too long (store/gap.h) is read as a line that says so.
 * An attempt's part of a file is a range of bytes; one that still runs reads to the end of the file. To follow it call log_grow()
 * now and then: it looks at the journal after it has measured the file, so that nothing of a later attempt in the same file is
 * taken for its own.
 */
#ifndef FLOW_REPORT_LOG_H
#define FLOW_REPORT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/tasks.h"

struct arena;
struct buf;
struct db;
struct err;
struct project;
struct run_record;

struct log_part {
	struct attempt_record attempt;
	bool reused;               /* the attempt is of an earlier run */
};

struct log_list {
	struct log_part *items;
	size_t count, cap;
};

/* name: a task, a stage (then all its tasks), or NULL: the failed tasks of the run, or if none has failed all that it tried. number:
 * which attempt of each; 0: the last. ERR_NOTFOUND when the run has no such task, or the task no such attempt. */
int logs_find(struct log_list *out, struct db *db, const struct run_record *run, const char *name, uint32_t number,
	struct arena *a, struct err *e);
/* Does the run have a task or stage of that name? 1, 0, or an error. */
int run_has_task(struct db *db, const struct run_record *run, const char *name, struct err *e);

struct log_reader {
	const struct project *project;
	int64_t attempt;
	int fd;
	bool is_open_ended;        /* the attempt had not ended when last looked at */
	uint64_t from, at, end;
};

int log_open(struct log_reader *r, const struct project *p, const struct attempt_record *attempt, struct err *e);
int log_last(struct log_reader *r, uint32_t lines, struct err *e);
int log_next(struct log_reader *r, struct buf *out, struct err *e); /* appends; 1, or 0 at the end */
int log_grow(struct log_reader *r, struct db *db, struct err *e);   /* 1: it still runs, 0: it has ended, or its run has died; log_next() then has the rest */
void log_close(struct log_reader *r);

#endif
