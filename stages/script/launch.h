/*
 * script/launch.h - a program started from `with:`: its words, its environment, its end.
 *
 *     struct launch l = { 0 };
 *     launch_read(&l, host, ctx, fault);
 *     launch_start(&l, fault);
 *     while (!launch_wait(&l, 100)) ...;       l.status as waitpid() has it
 *     launch_release(&l);
 *
 * with.program goes before the file of the dep `script`, with.args behind it. Variables are set in
 * this process, which is the attempt's own. The program is in the attempt's process group: what is
 * sent to the attempt reaches it as well. launch_release() ends a program that still runs.
 */
#ifndef FLOW_STAGES_SCRIPT_LAUNCH_H
#define FLOW_STAGES_SCRIPT_LAUNCH_H

#include <flow/plugin.h>

#include <sys/types.h>

#include "common/text.h"

struct fault;

#define LAUNCH_WORDS_MAX 256

struct launch {
	struct text words;                /* one after the other, each with its NUL */
	char *word[LAUNCH_WORDS_MAX + 1]; /* from launch_start() on */
	size_t count;
	size_t script; /* which word is the file */
	pid_t pid;     /* 0: none runs */
	int status;
	int ended_fd; /* at its end when no process of the program holds the other end */
};

/* Words and with.env; what it sets stays set. */
int launch_read(struct launch *l, const flow_host *host, flow_ctx *ctx, struct fault *fault);
int launch_start(struct launch *l, struct fault *fault);
/* 1: it has ended, and l->status says how; 0: it has not within that time. */
int launch_wait(struct launch *l, int milliseconds);
void launch_release(struct launch *l); /* zeroed: nothing */

#endif
