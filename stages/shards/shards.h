/*
 * shards/shards.h - what `flow shards` does: look into shards. A program of its own, flow-shards, which reads
 * files as only stages do, beside flow, which knows of no shard.
 *
 *     flow-shards ls [--json] [--groups] FILE...
 *     flow-shards cat [--columns A,B] [--where CONDITION]... [--limit N] [--format csv|jsonl] FILE
 *     flow-shards verify [--json] FILE...
 *
 * All three return an exit status, and have told on standard error what is wrong.
 */
#ifndef FLOW_STAGES_SHARDS_SHARDS_H
#define FLOW_STAGES_SHARDS_SHARDS_H

#include <stddef.h>
#include <stdint.h>

struct text;

enum {
	SHARDS_DONE = 0,
	SHARDS_USAGE = 2,
	SHARDS_DAMAGED = 4, /* or no shard */
	SHARDS_MACHINE = 5, /* no such file, the answer cannot be written */
};

#define SHARDS_CONDITIONS_MAX 16

struct shards {
	const char *const *file;
	size_t files;
	int json, groups;
	const char *columns; /* NULL: all */
	const char *where[SHARDS_CONDITIONS_MAX];
	size_t conditions;
	uint64_t limit; /* UINT64_MAX: none */
};

int shards_list(const struct shards *s);
int shards_print(const struct shards *s);
int shards_verify(const struct shards *s);

/* "error: ..." on standard error; the status that was given. */
int shards_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* To standard output, and empties it. 0, or a status: SHARDS_DONE when the reader has gone, else told. */
int shards_write(struct text *text, int *status);
/* May the file be read at all? Else it is told, and the status returned. */
int shards_look(const char *path);

#endif
