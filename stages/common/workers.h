/*
 * common/workers.h - a row of jobs done by several threads, begun and ended in order by one.
 *
 *     struct workers w = { .threads = 2, .jobs = jobs, .job_size = sizeof jobs[0], .job_count = 4,
 *             .context = me, .begin = read_some, .work = parse, .end = write_out };
 *     workers_run(&w);
 *
 * begin() and end() are called from the caller's thread, in the order of the jobs; work() from any,
 * for several jobs at once, and touches nothing but its job and what nobody changes. What comes out
 * is the same for any number of threads. The caller's thread works too: threads 1 makes no other.
 */
#ifndef FLOW_STAGES_COMMON_WORKERS_H
#define FLOW_STAGES_COMMON_WORKERS_H

#include <stddef.h>

struct workers {
	unsigned threads;
	void *jobs; /* job_count of them, used again and again */
	size_t job_size, job_count;
	void *context;
	int (*begin)(void *context, void *job); /* 1: there is work; 0: no more; -1: stop */
	void (*work)(void *context, void *job);
	int (*end)(void *context, void *job); /* 0, or -1: stop */
};

/* 0, or -1 when begin() or end() said so. */
int workers_run(struct workers *workers);

#endif
