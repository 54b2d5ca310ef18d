#include "report/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "base/path.h"
#include "store/gap.h"
#include "store/project.h"
#include "store/rows.h"
#include "store/runs.h"

#define CHUNK 65536u

static bool has_failed(const struct task_record *t)
{
	return strcmp(t->state, "FAILED") == 0 && t->last.id != 0;
}

static void add_last(struct log_list *found, const struct task_record *t)
{
	struct log_part part = { .attempt = t->last };

	if (t->last.id != 0)
		vec_push(found, part);
}

/* No task was named: what failed, else everything that was tried. */
static int find_any(struct log_list *found, struct db *db, const struct run_record *run,
	struct arena *a, struct err *e)
{
	struct task_list tasks = { 0 };
	size_t i;

	if (tasks_with_rows(db, run->id, a, &tasks, e) < 0)
		return e->code;
	for (i = 0; i < tasks.count; i++)
		if (has_failed(&tasks.items[i]))
			add_last(found, &tasks.items[i]);
	if (found->count > 0)
		return 0;
	for (i = 0; i < tasks.count; i++)
		add_last(found, &tasks.items[i]);
	return 0;
}

static int no_task(const struct run_record *run, const struct task_list *tasks, const char *name,
	struct arena *a, struct err *e)
{
	struct near near;
	size_t i;

	near_start(&near, name);
	for (i = 0; i < tasks->count; i++) {
		near_offer(&near, tasks->items[i].name);
		near_offer(&near,
			arena_strndup(a, tasks->items[i].name, stage_length(tasks->items[i].name)));
	}
	err_set(e, ERR_NOTFOUND, "run %s has no task or stage `%.100s`", run->name, name);
	if (near.best != NULL)
		return err_hint(e, "did you mean `%s`?", near.best);
	return err_hint(e, "`flow runs show %s` lists its tasks", run->name);
}

/* The attempt of a task that is asked for, of the run that made what this run has. */
static int choose(struct log_part *part, struct db *db, const struct run_record *run,
	const struct task_record *t, uint32_t number, struct arena *a, struct err *e)
{
	struct attempt_list tries = { 0 };
	size_t i;

	part->reused = t->last.id == 0;
	part->attempt = t->last;
	if (part->reused && t->outs_of == 0) {
		err_set(e, ERR_NOTFOUND, "`%s` has not run in run %s%s%s", t->name, run->name,
			t->why[0] != '\0' ? ": " : "", t->why);
		return err_hint(e, "`flow runs show %s` tells the state of each task", run->name);
	}
	if (part->reused && attempt_get(db, t->outs_of, a, &part->attempt, e) < 0)
		return e->code;
	if (number == 0)
		return 0;
	if (attempts_of_task(db, part->attempt.run, part->attempt.task, a, &tries, e) < 0)
		return e->code;
	for (i = 0; i < tries.count; i++)
		if (tries.items[i].number == (int64_t)number) {
			part->attempt = tries.items[i];
			return 0;
		}
	err_set(e, ERR_NOTFOUND, "`%s` has no attempt %u", t->name, number);
	return err_hint(e, "it had %zu", tries.count);
}

static int find_named(struct log_list *found, struct db *db, const struct run_record *run,
	const char *name, uint32_t number, struct arena *a, struct err *e)
{
	struct task_list tasks = { 0 };
	bool is_known = false;
	size_t i;

	if (tasks_of_run(db, run, a, &tasks, e) < 0)
		return e->code;
	for (i = 0; i < tasks.count; i++) {
		const struct task_record *t = &tasks.items[i];
		struct log_part part;

		if (!task_is_of(t->name, name))
			continue;
		is_known = true;
		if (choose(&part, db, run, t, number, a, e) == 0)
			vec_push(found, part);
		else if (e->code !=
			 ERR_NOTFOUND) /* of many tasks some may not have had their turn */
			return e->code;
	}
	if (found->count > 0)
		return 0;
	return is_known ? e->code : no_task(run, &tasks, name, a, e);
}

int logs_find(struct log_list *out, struct db *db, const struct run_record *run, const char *name,
	uint32_t number, struct arena *a, struct err *e)
{
	struct log_list found = { 0 };
	int rc = name != NULL ? find_named(&found, db, run, name, number, a, e)
			      : find_any(&found, db, run, a, e);

	if (rc == 0)
		rows_keep(out, &found, a);
	rows_drop(&found);
	return rc;
}

int run_has_task(struct db *db, const struct run_record *run, const char *name, struct err *e)
{
	struct task_list tasks = { 0 };
	struct arena a = { 0 };
	int rc = tasks_of_run(db, run, &a, &tasks, e);
	size_t i;

	for (i = 0; i < tasks.count && rc == 0; i++)
		rc = task_is_of(tasks.items[i].name, name);
	arena_release(&a);
	return rc;
}

static int is_gone(const struct attempt_record *attempt, struct err *e)
{
	err_set(e, ERR_NOTFOUND, "the log of `%s`, attempt %lld, is not there any more",
		attempt->task, (long long)attempt->number);
	return err_hint(e, "it was .flow/%s", attempt->log);
}

int log_open(struct log_reader *r, const struct project *p, const struct attempt_record *attempt,
	struct err *e)
{
	uint64_t size;
	struct stat st;

	*r = (struct log_reader){ .project = p, .attempt = attempt->id, .fd = -1 };
	if (attempt->log[0] == '\0' || strstr(attempt->log, "..") != NULL ||
		path_leaves(attempt->log))
		return is_gone(attempt, e);
	r->fd = openat(p->flow_fd, attempt->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (r->fd < 0 && errno != ENOENT)
		return err_system(e, "cannot open `.flow/%s`", attempt->log);
	if (r->fd < 0 || fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		log_close(r);
		return is_gone(attempt, e);
	}
	size = (uint64_t)st.st_size;
	r->is_open_ended = attempt_is_open(attempt);
	r->end = r->is_open_ended || (uint64_t)attempt->log_to > size ? size
								      : (uint64_t)attempt->log_to;
	r->from = (uint64_t)attempt->log_from < r->end ? (uint64_t)attempt->log_from : r->end;
	r->at = r->from;
	return 0;
}

void log_close(struct log_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static ssize_t read_at(const struct log_reader *r, char *data, size_t len, uint64_t at)
{
	ssize_t n;

	do
		n = pread(r->fd, data, len, (off_t)at);
	while (n < 0 && errno == EINTR);
	return n;
}

int log_last(struct log_reader *r, uint32_t lines, struct err *e)
{
	uint64_t from = r->end, found = 0;
	char chunk[4096];
	struct gap gap;

	gap_find(r->fd, r->from, r->end, &gap);
	while (from > r->from) {
		uint64_t begin = from > gap.to ? gap.to : r->from;
		size_t want, i;
		ssize_t n;

		if (from == gap.to && gap.from < gap.to) {
			/* The line that stands for the gap, and the one behind it. */
			if (from < r->end && ++found == lines) {
				r->at = gap.to;
				return 0;
			}
			if (++found == lines) {
				r->at = gap.from;
				return 0;
			}
			from = gap.from;
		}
		want = from - begin < sizeof chunk ? (size_t)(from - begin) : sizeof chunk;
		n = read_at(r, chunk, want, from - want);
		if (n != (ssize_t)want)
			return err_system(e, "cannot read a log");
		for (i = want; i > 0; i--)
			/* The end of the last line begins no further one. */
			if (chunk[i - 1] == '\n' && from - want + i < r->end && ++found == lines) {
				r->at = from - want + i;
				return 0;
			}
		from -= want;
	}
	r->at = lines > 0 ? r->from : r->end;
	return 0;
}

int log_next(struct log_reader *r, struct buf *out, struct err *e)
{
	char text[GAP_TEXT];
	struct gap gap;
	size_t want;
	ssize_t n;

	if (r->at >= r->end)
		return 0;
	gap_find(r->fd, r->at, r->end, &gap);
	if (gap.from == r->at && gap.to > r->at) {
		buf_add(out, text, gap_text(&gap, text));
		r->at = gap.to;
		return 1;
	}
	want = gap.from - r->at < CHUNK ? (size_t)(gap.from - r->at) : CHUNK;
	n = read_at(r, buf_room(out, want), want, r->at);
	if (n < 0)
		return err_system(e, "cannot read a log");
	out->len += (size_t)n;
	r->at = n > 0 ? r->at + (uint64_t)n : r->end;
	return n > 0;
}

/* The journal calls an attempt running for ever when its run has died. */
static int is_at_work(const struct log_reader *r, struct db *db, const struct attempt_record *now,
	struct arena *a, struct err *e)
{
	struct run_record run;

	if (!attempt_is_open(now))
		return 0;
	if (run_get(db, now->run, a, &run, e) < 0)
		return e->code;
	return run.ended_ms == 0 && run_is_alive(r->project, &run);
}

/* A failed attempt's log is moved to a file of its own. */
static int reopen(struct log_reader *r, const struct attempt_record *now, struct err *e)
{
	const struct project *p = r->project;
	uint64_t done = r->at - r->from;

	log_close(r);
	if (log_open(r, p, now, e) < 0)
		return e->code;
	r->at = r->end - r->from > done ? r->from + done : r->end;
	return 0;
}

int log_grow(struct log_reader *r, struct db *db, struct err *e)
{
	struct attempt_record now = { 0 };
	struct arena a = { 0 };
	struct stat st;
	int rc;

	if (!r->is_open_ended)
		return 0;
	if (fstat(r->fd, &st) < 0)
		return err_system(e, "cannot stat a log");
	rc = attempt_get(db, r->attempt, &a, &now, e);
	if (rc == 0)
		rc = is_at_work(r, db, &now, &a, e);
	if (rc > 0)
		r->end = (uint64_t)st.st_size > r->end ? (uint64_t)st.st_size : r->end;
	else if (rc == 0)
		rc = reopen(r, &now, e);
	arena_release(&a);
	return rc;
}
