/*
 * plan/key.h - the key of a task: the digest of all that decides its result.
 *
 *     struct buf parts = { 0 };
 *     key_parts(&parts, &subject);          the component tree, one record a component
 *     key_digest(&key, &parts);             same key = same result = reuse
 *     parts_diff(a, a_len, b, b_len, found, user)   what makes two keys differ, for `flow explain`
 *
 * The record list IS the preimage of the digest, so what is stored explains the key completely. A record is
 * {u8 part, u16 name length, u32 value length, name, value}, little-endian, sorted by (part, name), but outs in dag.yaml's
 * order. Values are the text the user wrote, except for PART_CODE and PART_INPUT: 32 bytes of digest. Raise KEY_FORMAT whenever
 * the meaning changes.
 */
#ifndef FLOW_PLAN_KEY_H
#define FLOW_PLAN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct digest;
struct graph;

#define KEY_FORMAT 1

/* Components, in the order they are stored and, when several differ, named to the user. */
enum part {
	PART_FORMAT = 1, /* version of this format, kind of stage, executor class */
	PART_PARAM,      /* name: dotted; value: JSON */
	PART_INPUT,      /* name: path; value: digest */
	PART_CODE,       /* name: file the user knows; value: digest of a plugin, script or module */
	PART_COMMAND,    /* value: command or inline script */
	PART_WITH,       /* name: key; value: JSON */
	PART_ENV,        /* name: variable; value: text */
	PART_OUT,        /* name: name of the out; value: path, then words that qualify it, each after a NUL */
	PART_CWD,
	PART_ROLE,       /* name: that of a dep which is named; value: its path */
	PART_SECRET,     /* name: a secret that the task gets; never its value */
};

struct code_file {
	const char *name;            /* "lua/report.lua", "plugin train" */
	const struct digest *digest;
};

/* What key_parts needs beside the graph. */
struct key_subject {
	const struct graph *graph;
	uint32_t node;
	const struct digest *const *inputs; /* one per dep of the node, in order; zero: not known yet */
	const struct code_file *code;       /* any order */
	size_t code_count;
};

/* Stands for an input that its producer was free not to write, and did not. */
extern const struct digest key_absent;

struct part_view {
	enum part part;
	const char *name;   /* not NUL-terminated */
	size_t name_len;
	const char *value;  /* not NUL-terminated */
	size_t value_len;
};

void key_parts(struct buf *out, const struct key_subject *s);
void key_digest(struct digest *key, const struct buf *parts);

/* The next record of a stored list; false at its end or when it is damaged (then *at is len + 1). */
bool parts_next(const void *data, size_t len, size_t *at, struct part_view *view);

/* Order of two records by (part, name), as they are stored; are their values the same? */
int part_order(const struct part_view *a, const struct part_view *b);
bool part_same_value(const struct part_view *a, const struct part_view *b);

/* Do two trees declare the same outs, in the same order? */
bool parts_same_outs(const void *then, size_t then_len, const void *now, size_t now_len);

enum change { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_VALUE, CHANGE_NONE };

/* Call found() for each component in which `now` differs from `then`, in the order of `enum part`. `was` is NULL for an added
 * one, `is` for a removed one. An input whose digest is not known yet stands in `now` with 32 zero bytes. */
typedef void part_found(void *user, enum change change, const struct part_view *was,
	const struct part_view *is);
void parts_diff(const void *then, size_t then_len, const void *now, size_t now_len,
	part_found *found, void *user);
/* The same, and CHANGE_NONE for each component that is in both. */
void parts_compare(const void *then, size_t then_len, const void *now, size_t now_len,
	part_found *found, void *user);

#endif
