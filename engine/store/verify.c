#include "store/verify.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/parallel.h"
#include "base/vec.h"
#include "store/claims.h"
#include "store/db.h"
#include "store/tree.h"

/* One artifact that the journal claims, while its objects are looked at. */
struct looked {
	int64_t ended_ms;
	struct digest first; /* that is damaged */
	enum damage damage;
};

/* Calls look() for each artifact that should be in the store; columns as below. */
static int each_artifact(struct verify *v,
	void (*look)(struct verify *v, struct sqlite3_stmt *q, const struct made *made),
	struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	struct made made;
	int rc = db_query(v->db,
		"SELECT f.digest, f.size, f.mode, f.attempt, f.position, f.path, a.task, a.run, "
		"a.ended_ms "
		"FROM artifact f JOIN attempt a ON a.id = f.attempt "
		"WHERE f.gone = '' AND a.state = 'SUCCEEDED'",
		&q, e);

	while (rc == 0 && (rc = db_step(v->db, q, e)) > 0) {
		if (claims_read(q, 0, &made))
			look(v, q, &made);
		rc = 0;
	}
	db_finish(q);
	return rc;
}

/* -- first: what sizes and times tell ------------------------------------------------------------------------------------ */

static void suspect_one(void *user, struct shelved *item, const struct digest *d, uint64_t size)
{
	struct looked *l = user;

	(void)d;
	if (item == NULL)
		return;
	if (size != UINT64_MAX && item->size != size)
		item->is_damaged = true;
	if (item->recorded_ms < l->ended_ms)
		item->recorded_ms = l->ended_ms;
}

static void suspect(struct verify *v, struct sqlite3_stmt *q, const struct made *made)
{
	struct looked l = { .ended_ms = db_int(q, 8) };

	(void)shelf_each(&v->shelf, made, suspect_one, &l);
}

/* -- then: the bytes ------------------------------------------------------------------------------------------------------ */

static void read_one(void *user, size_t i)
{
	struct verify *v = user;
	struct shelved *item = &v->shelf.items[i];
	struct digest found;
	struct stat st;
	struct err e;
	char path[80];
	int fd;

	if (!item->is_suspect || item->is_damaged)
		return;
	fd = openat(v->objects.store_fd, object_path(&item->digest, path),
		O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	item->is_damaged = fd < 0 || fstat(fd, &st) < 0 || file_hash(fd, &st, &found, &e) < 0 ||
			   !digest_same(&found, &item->digest);
	if (fd >= 0)
		close(fd);
}

static void read_bytes(struct verify *v, bool all)
{
	size_t i;

	for (i = 0; i < v->shelf.count; i++) {
		struct shelved *item = &v->shelf.items[i];

		item->is_suspect = all || item->is_writable ||
				   (item->recorded_ms != 0 && item->mtime_ms > item->recorded_ms);
		v->read += item->is_suspect;
		v->read_bytes += item->is_suspect ? item->size : 0;
	}
	if (v->read > 0)
		parallel_do(v->shelf.count, read_one, v);
	for (i = 0; i < v->shelf.count; i++)
		v->damaged += v->shelf.items[i].is_damaged;
}

/* -- last: whom it hurts ---------------------------------------------------------------------------------------------- */

static void hurt_one(void *user, struct shelved *item, const struct digest *d, uint64_t size)
{
	struct looked *l = user;

	if (l->damage != DAMAGE_NOT || (item != NULL && !item->is_damaged))
		return;
	l->first = *d;
	l->damage = item == NULL                               ? DAMAGE_MISSING
		    : size != UINT64_MAX && item->size != size ? DAMAGE_SIZE
							       : DAMAGE_BYTES;
}

static void find_hurt(struct verify *v, struct sqlite3_stmt *q, const struct made *made)
{
	struct looked l = { .first = made->digest };

	if (!shelf_each(&v->shelf, made, hurt_one, &l) && l.damage == DAMAGE_NOT)
		l.damage = DAMAGE_LIST;
	if (l.damage == DAMAGE_NOT)
		return;
	v->missing += l.damage == DAMAGE_MISSING;
	vec_push(&v->hurt, ((struct hurt){ .attempt = db_int(q, 3),
				   .position = db_int(q, 4),
				   .path = arena_strdup(&v->arena, db_text(q, 5)),
				   .task = arena_strdup(&v->arena, db_text(q, 6)),
				   .run = db_int(q, 7),
				   .object = l.first,
				   .damage = l.damage }));
}

static int by_task(const void *a, const void *b)
{
	const struct hurt *x = a, *y = b;
	int order = strcmp(x->task, y->task);

	if (order == 0)
		order = strcmp(x->path, y->path);
	return order != 0 ? order : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

int verify_begin(
	struct verify *v, const struct project *p, struct db *db, bool read_data, struct err *e)
{
	*v = (struct verify){ .db = db, .objects = objects_of(p) };
	if (shelf_read(&v->shelf, &v->objects, 0, e) < 0 || each_artifact(v, suspect, e) < 0)
		return e->code;
	read_bytes(v, read_data);
	if (each_artifact(v, find_hurt, e) < 0)
		return e->code;
	if (v->hurt.count > 0)
		qsort(v->hurt.items, v->hurt.count, sizeof *v->hurt.items, by_task);
	return 0;
}

/* -- repair ------------------------------------------------------------------------------------------------------------ */

int verify_repair(struct verify *v, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	size_t i;
	int rc = db_query(v->db,
		"UPDATE artifact SET gone = 'damaged' WHERE attempt = ? AND position = ?", &q, e);

	if (rc == 0)
		rc = db_begin(v->db, e);
	for (i = 0; i < v->hurt.count && rc == 0; i++) {
		db_bind_int(q, 1, v->hurt.items[i].attempt);
		db_bind_int(q, 2, v->hurt.items[i].position);
		rc = db_run(v->db, q, e);
	}
	db_finish(q);
	if (rc == 0)
		rc = db_commit(v->db, e);
	if (rc < 0) {
		db_rollback(v->db);
		return rc;
	}
	for (i = 0; i < v->shelf.count; i++)
		if (v->shelf.items[i].is_damaged)
			object_quarantine(&v->objects, &v->shelf.items[i].digest);
	return 0;
}

const char *damage_text(enum damage damage)
{
	static const char *const texts[] = { "is whole", "is not there", "has another size",
		"has other bytes", "lists a folder and cannot be read" };

	return texts[damage];
}

void verify_release(struct verify *v)
{
	shelf_release(&v->shelf);
	vec_release(&v->hurt);
	arena_release(&v->arena);
}
