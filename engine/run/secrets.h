/*
 * run/secrets.h - the secrets of a run: who gets them, and that they are nowhere else.
 *
 *     secrets_open(&s, &session, true, e)      before anything is recorded: the values that tasks of the plan need
 *     secrets_hidden(&s)                       variables that the worker must not inherit
 *     list = secrets_for(&s, stage, &arena)    what an attempt of the stage is given
 *     secrets_mask(&s, data, len, &buf)        a text without them, for the journal; true: there were some
 *     secrets_scan(&s, dir, path, e)           1: a file, or one in a folder, holds one
 *     secrets_scrub(&s, dir, path, e)          files of a folder lose them
 *     secrets_release(&s)
 *
 * Variables and files are read whenever they can be, so that texts of the run are masked even if no task needs them today; a
 * command runs only when a task needs it. What is found in dag.yaml, in a parameter or in the environment of a stage refuses the run:
 * those are recorded. Without `secrets:` in dag.yaml every call does nothing.
 */
#ifndef FLOW_RUN_SECRETS_H
#define FLOW_RUN_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/redact.h"
#include "stage/wire.h"

struct err;
struct graph;
struct session;
struct stage;

struct known_secret {
	const char *name;
	struct buf value; /* empty: not needed, and not there */
};

struct secrets {
	const struct graph *graph;
	struct {
		struct known_secret *items;
		size_t count, cap;
	} list;
	struct {
		const char **items;
		size_t count, cap;
	} hidden;
	struct redactor redactor; /* of all values */
};

/* runs: tasks will be; else only what can be read without them, to mask texts. */
int secrets_open(struct secrets *s, struct session *session, bool runs, struct err *e);
const char *const *secrets_hidden(const struct secrets *s);
struct wire_list secrets_for(const struct secrets *s, const struct stage *stage, struct arena *a);
bool secrets_mask(const struct secrets *s, const void *data, size_t len, struct buf *out);
int secrets_scan(const struct secrets *s, int dir, const char *path, struct err *e);
int secrets_scrub(const struct secrets *s, int dir, const char *path, struct err *e);
void secrets_release(struct secrets *s);

#endif
