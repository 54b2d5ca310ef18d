/*
 * tests/power/effect.h - what a call changes below the folder that is recorded, as lines of the log (record.c says which there are).
 *
 *     effect_log(file);                                                          once
 *     call.pid, .number and .args are set;  effect_widen(&call);
 *     if (effect_begins(&call)) { ...it is done...  effect_ended(&call, result); }
 *
 * Between the two nobody else may change anything there, unless the call is a sync.
 */
#ifndef FLOW_TESTS_POWER_EFFECT_H
#define FLOW_TESTS_POWER_EFFECT_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "place.h"

/* A call under way. */
struct call {
	pid_t pid;
	long number;
	uint64_t args[6];
	int waits; /* for the one that is under way */
	int is_sync;
	unsigned serial;
	struct place from, to;
	int was_there;
	uint64_t ino;
};

void effect_log(FILE *file);
/* The calls without a folder's descriptor, as those with one. */
void effect_widen(struct call *c);
/* Before the call: does it concern the folder? 0 when not. */
int effect_begins(struct call *c);
/* After the call, which gave `result`. */
void effect_ended(struct call *c, int64_t result);

/* With errno's text. Of record.c. */
__attribute__((noreturn)) void die(const char *what);

#endif
