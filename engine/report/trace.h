/*
 * report/trace.h - where an artifact came from: the attempt that made it, what went into that, and so on down to the sources.
 *
 *     struct trace trace;
 *     trace_make(&trace, &db, &artifact, e)        artifact: of report/find.h
 *     trace_draw(&lines, &trace, &style, &arena)   a tree for people
 *     trace_json(&buf, &trace)
 *     trace_release(&trace)
 *
 * An input's maker is an earlier attempt than its reader, always, so there is no cycle whatever the journal says. Each attempt is
 * one step, however many inputs lead to it. Nothing recurses over the ancestry: ten thousand steps are fine, TRACE_STEPS_MAX ends it.
 * Component trees that are damaged give the parts that can be read.
 */
#ifndef FLOW_REPORT_TRACE_H
#define FLOW_REPORT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "store/artifacts.h"
#include "store/runs.h"
#include "store/tasks.h"

struct buf;
struct db;
struct err;

#define TRACE_STEPS_MAX 500000u
#define TRACE_SOURCE    UINT32_MAX         /* a file that no attempt made */
#define TRACE_PARTLY    (UINT32_MAX - 1)   /* a folder that attempts made parts of: the inputs after it with `within` set */
#define TRACE_CUT       (UINT32_MAX - 2)   /* there were too many steps */

struct trace_input {
	const char *path;
	struct digest digest;
	uint32_t maker;            /* step, or one of the above */
	bool within;               /* part of the folder before it */
	const char *folder;        /* it lies in this folder, which the maker made as a whole; or NULL */
	uint64_t size;             /* of an artifact; else 0 */
};

struct trace_step {
	struct attempt_record attempt;
	uint32_t run;              /* index into runs */
	const void *parts;         /* component tree (plan/key.h) */
	size_t parts_len;
	uint32_t first_input, input_count;
};

struct trace {
	struct arena arena;
	struct artifact_record artifact; /* made by step 0 */
	struct { struct trace_step *items; size_t count, cap; } steps;
	struct { struct trace_input *items; size_t count, cap; } inputs;
	struct run_list runs;
};

int trace_make(struct trace *t, struct db *db, const struct artifact_record *artifact, struct err *e);
int trace_of_attempt(struct trace *t, struct db *db, int64_t attempt, struct err *e); /* whatever it made */
void trace_release(struct trace *t);

struct trace_style {
	bool utf8;
	size_t most;               /* lines; 0: all */
};

/* One line: what leads to it, and what it says. */
struct trace_line {
	const char *branch, *text;
};

struct trace_lines {
	struct trace_line *items;
	size_t count, cap;
	size_t dropped;            /* beyond style.most */
};

/* Texts live in the arena, items on the heap (vec_release). Deep ancestry goes on in sections of their own, "[2] data/x.npy ...". */
void trace_draw(struct trace_lines *out, const struct trace *t, const struct trace_style *style, struct arena *a);
void trace_json(struct buf *out, const struct trace *t);

#endif
