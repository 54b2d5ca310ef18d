#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "run/pool.h"

#define JOBS 500

struct job {
	struct pool_job job;
	unsigned input, output;
	int pause_ms;
	bool saw_signals; /* a signal of the loop's could reach the thread */
};

static atomic_uint working, most_working, worked;

static void pause_for(int ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}

static void work(struct pool_job *job)
{
	struct job *j = (struct job *)(void *)job;
	unsigned now = atomic_fetch_add(&working, 1) + 1, most = atomic_load(&most_working);
	sigset_t mask;

	while (now > most && !atomic_compare_exchange_weak(&most_working, &most, now))
		;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
	j->saw_signals = !sigismember(&mask, SIGINT) || !sigismember(&mask, SIGTERM);
	if (j->pause_ms > 0)
		pause_for(j->pause_ms);
	j->output = j->input * j->input;
	atomic_fetch_sub(&working, 1);
	atomic_fetch_add(&worked, 1);
}

static void pool_good(struct pool *p)
{
	struct err e;

	atomic_store(&worked, 0);
	atomic_store(&most_working, 0);
	if (pool_open(p, &e) < 0)
		fail_msg("%s", e.text);
}

static void add(struct pool *p, struct job *j)
{
	struct err e;

	j->job.work = work;
	if (pool_add(p, &j->job, &e) < 0)
		fail_msg("%s", e.text);
}

/* Wait as the loop does; how many came back. */
static unsigned collect(struct pool *p)
{
	struct pollfd ready = { .fd = p->event_fd, .events = POLLIN };
	unsigned count = 0;

	assert_int_equal(poll(&ready, 1, 20000), 1);
	while (pool_done(p) != NULL)
		count++;
	return count;
}

static void every_job_comes_back_once(void **state)
{
	static struct job jobs[JOBS];
	struct pool p;
	unsigned i, count = 0;

	(void)state;
	pool_good(&p);
	for (i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){ .input = i };
		add(&p, &jobs[i]);
	}
	while (count < JOBS)
		count += collect(&p);
	assert_int_equal(count, JOBS);
	assert_int_equal(p.pending, 0);
	for (i = 0; i < JOBS; i++) {
		assert_int_equal(jobs[i].output, i * i);
		assert_false(jobs[i].saw_signals);
	}
	assert_null(pool_done(&p));
	pool_close(&p);
}

static void jobs_are_added_while_others_run(void **state)
{
	static struct job jobs[JOBS];
	struct pool p;
	struct pool_job *done;
	unsigned next = 0, count = 0;

	(void)state;
	pool_good(&p);
	for (; next < 4; next++)
		add(&p, &jobs[next]);
	while (count < JOBS) {
		struct pollfd ready = { .fd = p.event_fd, .events = POLLIN };

		assert_int_equal(poll(&ready, 1, 20000), 1);
		while ((done = pool_done(&p)) != NULL) {
			count++;
			if (next < JOBS)
				add(&p, &jobs[next++]);
		}
	}
	assert_int_equal(p.pending, 0);
	pool_close(&p);
}

static void all_threads_work(void **state)
{
	struct job jobs[POOL_THREADS * 2];
	struct pool p;
	unsigned i, count = 0;

	(void)state;
	memset(jobs, 0, sizeof jobs);
	pool_good(&p);
	for (i = 0; i < POOL_THREADS * 2; i++) {
		jobs[i].pause_ms = 100;
		add(&p, &jobs[i]);
	}
	while (count < POOL_THREADS * 2)
		count += collect(&p);
	assert_int_equal(atomic_load(&most_working), POOL_THREADS);
	pool_close(&p);
}

static void threads_start_with_the_first_job(void **state)
{
	struct job job = { .input = 3 };
	struct pool p;

	(void)state;
	pool_good(&p);
	assert_int_equal(p.started, 0);
	assert_null(pool_done(&p));
	add(&p, &job);
	assert_true(p.started > 0);
	assert_int_equal(collect(&p), 1);
	assert_int_equal(job.output, 9);
	pool_close(&p);
}

static void closing_waits_for_what_runs_and_drops_the_rest(void **state)
{
	struct job jobs[20];
	struct pool p;
	unsigned i;

	(void)state;
	memset(jobs, 0, sizeof jobs);
	pool_good(&p);
	for (i = 0; i < 20; i++) {
		jobs[i].pause_ms = 20;
		add(&p, &jobs[i]);
	}
	pause_for(5);
	pool_close(&p);
	assert_int_equal(atomic_load(&working), 0);
	assert_true(atomic_load(&worked) < 20);
	pool_close(&p); /* once more does no harm */
	memset(&p, 0, sizeof p);
	pool_close(&p); /* never opened */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_comes_back_once),
		cmocka_unit_test(jobs_are_added_while_others_run),
		cmocka_unit_test(all_threads_work),
		cmocka_unit_test(threads_start_with_the_first_job),
		cmocka_unit_test(closing_waits_for_what_runs_and_drops_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
