/*
 * run/sources.h - that what a run read can be brought back: what git is asked, and what is kept because git has it not.
 *
 *     sources_ask(&session, &source, e)           source_ask() with the outs, and the files and code that no task makes
 *     sources_changed(&session, &secrets, &answer, &text, e)   changed files become objects; the head of the patch that tells where they are
 *     sources_restore(&objects, &run.patch, dir, now, e)    the other way
 *     sources_keep(&session, &secrets, &answer, &arena, e)   loose files become objects, named by the digests that the keys hold
 *
 * The files that differ from the commit are listed as store/changed_files.h says. Of a project that is in no commit all that tasks
 * read, and dag.yaml includes, is listed so. Files over SOURCES_EACH, and those beyond SOURCES_ALL bytes in one run, are not kept: their
 * digests are recorded all the same, and `flow artifact reproduce` takes them from the work tree if they are still there. A file that
 * holds a secret is never kept. What cannot be read is not kept; a store that cannot be written is an error here as elsewhere.
 */
#ifndef FLOW_RUN_SOURCES_H
#define FLOW_RUN_SOURCES_H

#include <stdint.h>

struct arena;
struct buf;
struct digest;
struct err;
struct objects;
struct secrets;
struct session;
struct source;
struct source_answer;

#define SOURCES_EACH  ((uint64_t)16 << 20)
#define SOURCES_ALL   ((uint64_t)64 << 20)
#define SOURCES_COUNT 10000u
#define SOURCES_WAIT_MS 30000 /* so long is git waited for when all else is done */

/* ERR_INPUT: they are too large to be kept. */
int sources_changed(struct session *s, const struct secrets *secrets, const struct source_answer *answer, struct buf *text,
	struct err *e);
/* Make a checked-out commit what the work tree was. dir: of the project in it. A file that held a secret is
 * taken from `now`, the work tree of today, as it is. Missing objects are ERR_NOTFOUND. */
int sources_restore(const struct objects *o, const struct digest *patch, int dir, int now, struct err *e);
int sources_ask(struct session *s, struct source *source, struct err *e);
int sources_keep(struct session *s, const struct secrets *secrets, const struct source_answer *answer, struct arena *a,
	struct err *e);

#endif
