/*
 * run/pool.h - a few threads for work that would hold up the loop: hashing large outs, making the disk durable.
 *
 *     pool_open(&p, threads, e);  pool_add(&p, job);  poll p.event_fd for reading;  while ((job = pool_done(&p))) ...;  pool_close(&p)
 *
 * A job is a struct that begins with struct pool_job; it belongs to the pool from pool_add() until pool_done() gives it back.
 * work() runs on some thread and may touch only its own job. Threads are started with the first job.
 */
#ifndef FLOW_RUN_POOL_H
#define FLOW_RUN_POOL_H

#include <pthread.h>
#include <stdbool.h>

struct err;

#define POOL_THREADS 2

struct pool_job {
	struct pool_job *next;
	void (*work)(struct pool_job *job);
};

struct pool {
	int event_fd;
	pthread_t threads[POOL_THREADS];
	unsigned started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct pool_job *todo, **todo_end;
	struct pool_job *done, **done_end;
	bool closing;
	unsigned pending;  /* added and not given back; the loop's own count */
};

int pool_open(struct pool *p, struct err *e);
int pool_add(struct pool *p, struct pool_job *job, struct err *e);
struct pool_job *pool_done(struct pool *p); /* NULL: none */
void pool_close(struct pool *p);            /* waits for running jobs; jobs not given back are dropped */

#endif
