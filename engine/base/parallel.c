#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#define THREADS_MAX 64

struct crowd {
	void (*work)(void *user, size_t i);
	void *user;
	size_t count;
	atomic_size_t next;
};

static void *take_turns(void *user)
{
	struct crowd *c = user;
	size_t i;

	while ((i = atomic_fetch_add(&c->next, 1)) < c->count)
		c->work(c->user, i);
	return NULL;
}

unsigned parallel_cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static unsigned helpers_for(size_t count)
{
	size_t cores = parallel_cores();

	cores = cores < count ? cores : count;
	cores = cores < THREADS_MAX ? cores : THREADS_MAX;
	return cores > 0 ? (unsigned)cores - 1 : 0;
}

void parallel_do(size_t count, void (*work)(void *user, size_t i), void *user)
{
	struct crowd c = { .work = work, .user = user, .count = count };
	pthread_t threads[THREADS_MAX];
	unsigned wanted = helpers_for(count), started = 0;
	sigset_t all, before;

	/* Signals are the caller's business. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	while (started < wanted && pthread_create(&threads[started], NULL, take_turns, &c) == 0)
		started++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)take_turns(&c);
	while (started > 0)
		(void)pthread_join(threads[--started], NULL);
}
