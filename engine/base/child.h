/*
 * base/child.h - ask one of flow's own programs a question.
 *
 *     child_ask(&answer, &arena, argv, input, len, CHILD_LIMIT_MS, e)   runs it to its end, or until the time is over
 *
 * What it says is kept up to CHILD_TEXT_MAX bytes, in the arena. A program that cannot be started, or does not end in time, is an
 * error; one that ends with another status than 0 is not.
 */
#ifndef FLOW_BASE_CHILD_H
#define FLOW_BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

#define CHILD_LIMIT_MS 20000
#define CHILD_TEXT_MAX ((size_t)1 << 20)

struct child_answer {
	int status;         /* exit status; 128 + signal when it was killed */
	const char *text;   /* standard output and error, as they came */
};

/* argv ends with NULL. input NULL: none; else it is what the program reads as /dev/stdin. */
int child_ask(struct child_answer *answer, struct arena *a, const char *const *argv,
	const void *input, size_t len, int64_t limit_ms, struct err *e);

/* A descriptor that reads as this text, for the standard input of a program; input NULL: nothing. */
int child_input(const void *input, size_t len, struct err *e);

#endif
