#include "run/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"

int pool_open(struct pool *p, struct err *e)
{
	memset(p, 0, sizeof *p);
	p->todo_end = &p->todo;
	p->done_end = &p->done;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return p->event_fd < 0 ? err_system(e, "cannot make an event descriptor") : 0;
}

static struct pool_job *take(struct pool_job **head, struct pool_job ***end)
{
	struct pool_job *job = *head;

	if (job != NULL) {
		*head = job->next;
		if (*head == NULL)
			*end = head;
		job->next = NULL;
	}
	return job;
}

static void *thread_main(void *user)
{
	struct pool *p = user;
	struct pool_job *job;

	pthread_mutex_lock(&p->lock);
	while (!p->closing) {
		job = take(&p->todo, &p->todo_end);
		if (job == NULL) {
			pthread_cond_wait(&p->wake, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		job->work(job);
		pthread_mutex_lock(&p->lock);
		*p->done_end = job;
		p->done_end = &job->next;
		(void)!write(p->event_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are the loop's: the threads start with all of them blocked. */
static int start_threads(struct pool *p, struct err *e)
{
	sigset_t all, old;
	int rc = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (rc == 0 && p->started < POOL_THREADS) {
		rc = pthread_create(&p->threads[p->started], NULL, thread_main, p);
		p->started += rc == 0;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (p->started > 0)
		return 0;
	errno = rc;
	return err_system(e, "cannot start a thread");
}

int pool_add(struct pool *p, struct pool_job *job, struct err *e)
{
	if (p->started == 0 && start_threads(p, e) < 0)
		return e->code;
	job->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->todo_end = job;
	p->todo_end = &job->next;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	p->pending++;
	return 0;
}

struct pool_job *pool_done(struct pool *p)
{
	struct pool_job *job;
	uint64_t count;

	(void)!read(p->event_fd, &count, sizeof count);
	pthread_mutex_lock(&p->lock);
	job = take(&p->done, &p->done_end);
	pthread_mutex_unlock(&p->lock);
	if (job != NULL)
		p->pending--;
	return job;
}

void pool_close(struct pool *p)
{
	unsigned i;

	if (p->todo_end == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->started; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	if (p->event_fd >= 0)
		close(p->event_fd);
	p->event_fd = -1;
	p->todo_end = NULL;
}
