#include "store/gc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/vec.h"
#include "store/claims.h"
#include "store/db.h"
#include "store/project.h"
#include "store/shared.h"

/* -- what may go ------------------------------------------------------------------------------------------------------ */

/* Cheap to make again for each byte first; of equals the oldest. */
static int by_worth(const void *x, const void *y)
{
	const struct gc_choice *a = x, *b = y;
	/* One byte more, so that an empty out has a price, too. */
	double cost_a = (double)a->took_ms * ((double)b->bytes + 1),
	       cost_b = (double)b->took_ms * ((double)a->bytes + 1);

	if (cost_a != cost_b)
		return cost_a < cost_b ? -1 : 1;
	return (a->attempt > b->attempt) - (a->attempt < b->attempt);
}

/* Successes that something is left of and that nothing needs. */
static int find_choices(struct gc *g, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	int rc = db_query(g->db,
		"SELECT a.id, a.ended_ms - a.began_ms, sum(f.size) FROM artifact f JOIN attempt a "
		"ON a.id = f.attempt WHERE f.gone = '' GROUP BY f.attempt",
		&q, e);

	while (rc == 0 && (rc = db_step(g->db, q, e)) > 0) {
		struct gc_choice c = { .attempt = db_int(q, 0),
			.took_ms = db_int(q, 1) > 0 ? db_int(q, 1) : 0,
			.bytes = db_int(q, 2) > 0 ? (uint64_t)db_int(q, 2) : 0 };

		if (needs_why(&g->needs, c.attempt) == KEPT_NOT)
			vec_push(&g->choices, c);
		rc = 0;
	}
	db_finish(q);
	if (g->choices.count > 0)
		qsort(g->choices.items, g->choices.count, sizeof *g->choices.items, by_worth);
	return rc;
}

/* Give up what an attempt claims. */
static int evict(struct gc *g, struct sqlite3_stmt *q, struct input_claims *inputs,
	struct gc_choice *c, struct err *e)
{
	struct made made;
	int rc;

	db_bind_int(q, 1, c->attempt);
	while ((rc = db_step(g->db, q, e)) > 0)
		if (claims_read(q, 0, &made))
			shelf_unclaim(&g->shelf, &made);
	db_reset(q);
	c->evicted = true;
	g->needs.why[c->attempt] = KEPT_EVICTED;
	g->evicted++;
	return rc == 0 ? claims_inputs(inputs, c->attempt, true, e) : rc;
}

static int choose(struct gc *g, struct err *e)
{
	struct input_claims inputs = { .db = NULL };
	struct sqlite3_stmt *q = NULL;
	size_t i;
	int rc;

	rc = db_query(g->db,
		"SELECT digest, size, mode FROM artifact WHERE attempt = ? AND gone = ''", &q, e);
	if (rc == 0)
		rc = claims_inputs_open(&inputs, &g->shelf, g->db, e);
	for (i = 0; i < g->choices.count && rc == 0; i++) {
		if (g->wish.has_budget && g->shelf.claimed <= g->wish.budget)
			break;
		rc = evict(g, q, &inputs, &g->choices.items[i], e);
	}
	db_finish(q);
	claims_inputs_close(&inputs);
	return rc;
}

/* -- what is swept ---------------------------------------------------------------------------------------------------- */

/* Claimed by nobody. `was` tells the objects that had a claim before this gc: no grace for them. */
static bool goes(const struct shelved *item, bool was)
{
	return item->claims == 0 && (was || !item->is_young);
}

static bool *claimed_now(const struct shelf *s)
{
	bool *was = mem_zalloc(s->count + 1);
	size_t i;

	for (i = 0; i < s->count; i++)
		was[i] = s->items[i].claims > 0;
	return was;
}

static void count_freed(struct gc *g)
{
	size_t i;

	for (i = 0; i < g->shelf.count; i++) {
		const struct shelved *item = &g->shelf.items[i];

		if (!goes(item, g->was_claimed[i]))
			continue;
		g->freed_objects++;
		g->freed_bytes += item->size;
		g->shared_bytes += item->is_linked ? item->size : 0;
		g->unclaimed_objects += !g->was_claimed[i];
	}
}

/* -- who else shares the store ---------------------------------------------------------------------------------------- */

static int claim_for(struct gc *g, const struct project *p, struct err *e)
{
	static const struct keep_rule rule = { .last = 1 };
	struct needs needs;
	struct db db;
	int rc = db_open(&db, p, PROJECT_READ, e);

	if (rc < 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	rc = needs_make(&needs, &db, p->root_fd, &rule, e);
	if (rc == 0) {
		rc = claims_of(&g->shelf, &db, &needs, e);
		needs_release(&needs);
	}
	db_close(&db);
	return rc;
}

/* What another project has in the store and has not given up itself is not ours to take. */
static int claim_of_other(void *user, const char *root, struct err *e)
{
	struct gc *g = user;
	struct project p;
	int rc = project_open(&p, root, PROJECT_READ, e);

	if (rc == 0) {
		rc = claim_for(g, &p, e);
		project_close(&p);
	}
	if (rc == 0)
		return 0;
	err_context(e, "nobody can tell what `%s` needs", root);
	e->code = ERR_POLICY;
	err_id(e, "E0518");
	return err_hint(e, "if it is gone for good: flow gc --forget %s", root);
}

int gc_plan(
	struct gc *g, struct project *p, struct db *db, const struct gc_wish *wish, struct err *e)
{
	*g = (struct gc){ .project = p, .db = db, .wish = *wish, .objects = objects_of(p) };
	if (db->writes && shared_own(g->project, e) < 0)
		return e->code;
	if (shelf_read(&g->shelf, &g->objects, clock_wall_ns() - wish->grace_ms * 1000000, e) < 0 ||
		needs_make(&g->needs, db, p->root_fd, &wish->keep, e) < 0 ||
		claims_of(&g->shelf, db, &g->needs, e) < 0 ||
		shared_each(p, claim_of_other, g, e) < 0 || find_choices(g, e) < 0)
		return e->code;
	g->had_objects = g->shelf.count;
	g->had_bytes = g->shelf.bytes;
	g->was_claimed = claimed_now(&g->shelf);
	if (choose(g, e) < 0)
		return e->code;
	if (claims_of_dead_runs(&g->shelf, db, &g->needs, wish->has_budget, e) < 0)
		return e->code;
	if (wish->logs && old_logs_find(&g->logs, p->flow_fd, db, &g->needs, e) < 0)
		return e->code;
	count_freed(g);
	return 0;
}

/* -- do it ------------------------------------------------------------------------------------------------------------- */

static int record_evicted(struct gc *g, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	size_t i;
	int rc = db_query(g->db,
		"UPDATE artifact SET gone = 'evicted' WHERE attempt = ? AND gone = ''", &q, e);

	for (i = 0; i < g->choices.count && rc == 0; i++) {
		if (!g->choices.items[i].evicted)
			continue;
		db_bind_int(q, 1, g->choices.items[i].attempt);
		rc = db_run(g->db, q, e);
	}
	db_finish(q);
	return rc;
}

static int sweep(struct gc *g, struct err *e)
{
	size_t i;

	for (i = 0; i < g->shelf.count; i++)
		if (goes(&g->shelf.items[i], g->was_claimed[i]) &&
			shelf_remove(&g->shelf, i, e) < 0)
			return e->code;
	return 0;
}

/* What lies in a folder of the store and did not change since then. */
static int clear_old(struct gc *g, const char *folder, int64_t before_ms, struct err *e)
{
	int fd = openat(
		g->objects.store_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat st;
	int rc = 0;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			st.st_ctim.tv_sec * INT64_C(1000) <= before_ms)
			rc = tree_remove(fd, entry->d_name, e);
	closedir(dir);
	return rc;
}

int gc_do(struct gc *g, struct err *e)
{
	int64_t now = clock_wall_ms();

	/* On the disk before anything is removed. */
	if (db_strict(g->db, e) < 0 || db_begin(g->db, e) < 0)
		return e->code;
	if (record_evicted(g, e) < 0 || claims_take_back(&g->shelf, g->db, &g->needs, e) < 0 ||
		db_commit(g->db, e) < 0) {
		db_rollback(g->db);
		return e->code;
	}
	if (sweep(g, e) < 0 || old_logs_remove(&g->logs, g->project->flow_fd, e) < 0 || clear_old(g, "objects/tmp", now, e) < 0)
		return e->code;
	if (clear_old(g, "quarantine", now - GC_QUARANTINE_MS, e) < 0)
		return e->code;
	return db_empty_log(g->db, e);
}

void gc_release(struct gc *g)
{
	free(g->was_claimed);
	shelf_release(&g->shelf);
	needs_release(&g->needs);
	old_logs_release(&g->logs);
	vec_release(&g->choices);
}
