/*
 * plan/past.h - what a plan may ask about the past and about the disk.
 *
 * An interface, so that planning itself stays pure: store/ answers from the database and the work tree, tests from a table.
 * Nothing asked here changes anything that outlives the process.
 */
#ifndef FLOW_PLAN_PAST_H
#define FLOW_PLAN_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct err;
struct code_file;

/* One out that an attempt left behind. */
struct made {
	struct digest digest;
	uint64_t size;       /* bytes; of a folder the sum */
	uint32_t mode;       /* permission bits | MADE_FOLDER | MADE_ABSENT */
};

#define MADE_FOLDER 0x10000u /* the digest is that of a folder's manifest */
#define MADE_ABSENT 0x20000u /* an optional out that was not written */

/* A successful attempt. Borrowed from the past until it is closed. */
struct record {
	int64_t attempt;       /* id in the journal */
	struct digest key;
	const struct made *outs;
	uint32_t out_count;
	int64_t took_ms;
};

enum presence {
	PRESENT_SAME,      /* the work tree has exactly that */
	PRESENT_OTHER,     /* something else is there */
	PRESENT_MISSING,   /* nothing is there */
	PRESENT_SPOILED,   /* something else, which is its object in the store as well: a hard link that was written to */
};

enum last_try {
	LAST_NONE,         /* there is none, or it tells nothing */
	LAST_FAILED,
	LAST_DISOWNED,     /* it succeeded, but nobody can say which bytes it read */
};

struct past {
	void *user;
	/* Digest of what lies at a path now. 0; ERR_NOTFOUND; or another code. */
	int (*source)(void *user, const char *path, struct digest *out, struct err *e);
	/* The files that are the code of a node: plugin, script, required modules. Borrowed until the next call. */
	int (*code)(void *user, uint32_t node, const struct code_file **files, size_t *count,
		struct err *e);
	/* The last success of a task, by its node; NULL: never. */
	const struct record *(*latest)(void *user, uint32_t node);
	/* Any success with that key, of any run and any task with the same outs; NULL: none. */
	const struct record *(*by_key)(void *user, const struct digest *key, uint32_t out_count);
	/* The stored component tree of an attempt. Borrowed until the next call; 0, or ERR_NOTFOUND. */
	int (*parts)(void *user, int64_t attempt, const void **data, size_t *len, struct err *e);
	/* Does the work tree hold this out? */
	enum presence (*presence)(void *user, const char *path, const struct made *want);
	/* Can the out be brought back from the object store? */
	bool (*stored)(void *user, const struct made *want);
	/* What became of the last attempt of a task. *why is set for LAST_DISOWNED: "`in` was changed while it ran", borrowed until
	 * the past is closed. */
	enum last_try (*last_try)(void *user, uint32_t node, const char **why);
	/* Of the task's earlier successes the one whose component tree differs least from `now` (plan/nearest.h), and that tree,
	 * borrowed until the next call; NULL: there is none that can be told. */
	const struct record *(*nearest)(void *user, uint32_t node, const void *now, size_t len, const void **then,
		size_t *then_len);
	/* Did the last attempt of the task have this key, and fail? */
	bool (*failed_with)(void *user, uint32_t node, const struct digest *key);
};

#endif
