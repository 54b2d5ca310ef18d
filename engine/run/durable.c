/*
 * What is on the disk to stay. A commit outlives any process, but not the power: a sync begins SYNC_MS after the first commit that the
 * last one has not seen, on a thread of the pool, so that twice SYNC_MS of finished work is what power loss may cost. The journal says up
 * to which attempt a sync has seen everything; what is newer is looked at again after a reboot (recover.c). A sync that fails ends the
 * run and is never tried again: the kernel forgets what it could not write, and the next sync would say that all is well.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "run/engine.h"
#include "store/journal.h"
#include "store/project.h"

#define SYNC_MS 25

static void sync_all(struct pool_job *job)
{
	struct durable *d = (struct durable *)(void *)job;

	d->rc = FAILPOINT("sync.begin", NULL) < 0 || project_sync(d->project) < 0 ? errno : 0;
	(void)FAILPOINT("sync.end", NULL);
}

void durable_open(struct durable *d, const struct project *p)
{
	*d = (struct durable){ .job = { .work = sync_all }, .project = p, .due_ms = INT64_MAX };
}

bool durable_behind(const struct durable *d)
{
	return d->committed > d->syncing;
}

int64_t durable_due(const struct durable *d)
{
	return d->busy ? INT64_MAX : d->due_ms;
}

/* The last attempt with no unfinished one before it: they end in another order than they begin. */
static int64_t last_of_finished(const struct engine *n)
{
	int64_t last = n->durable.newest;
	uint32_t i;

	for (i = 0; i < n->slots.count; i++) {
		const struct attempt *a = &n->attempts[i];

		if (a->phase != PHASE_NONE && a->phase != PHASE_TAKEN && a->id <= last)
			last = a->id - 1;
	}
	return last;
}

int durable_begin(struct engine *n, struct err *e)
{
	struct durable *d = &n->durable;

	d->syncing = d->committed;
	d->covering = last_of_finished(n);
	d->due_ms = INT64_MAX;
	d->busy = true;
	return pool_add(&n->pool, &d->job, e);
}

int durable_taken(struct durable *d, struct err *e)
{
	d->busy = false;
	if (d->rc == 0) {
		d->synced = d->covering;
		return 0;
	}
	errno = d->rc;
	return err_system(e, "the disk could not be made to keep what was written");
}

int durable_record(struct durable *d, struct db *db, struct err *e)
{
	char boot[37];

	if (d->synced == 0)
		return 0;
	if (journal_durable(db, boot_id(boot), d->synced, e) < 0)
		return e->code;
	d->synced = 0;
	return 0;
}

void durable_committed(struct durable *d)
{
	d->committed = d->recorded;
	if (d->due_ms == INT64_MAX && durable_behind(d))
		d->due_ms = clock_mono_ms() + SYNC_MS;
}
