#include "store/history.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "dag/graph.h"
#include "plan/nearest.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/project.h"
#include "store/slots.h"
#include "store/stats.h"

#define COMPARED_OF_TASK 1000  /* attempts of a task among which the nearest is looked for */
#define COMPARED_IN_ALL  100000 /* of all tasks of a plan */

static int source(void *user, const char *path, struct digest *out, struct err *e)
{
	struct history *h = user;

	return stats_digest(h->stats, h->objects.root_fd, path, out, e);
}

static const struct record *latest(void *user, uint32_t node)
{
	struct history *h = user;

	return h->latest[node];
}

/* Is what lies there one file with the object that it was? */
static bool is_one_file(const struct history *h, const char *path, const struct digest *d)
{
	struct stat here, stored;
	char object[80];

	return fstatat(h->objects.root_fd, path, &here, 0) == 0 &&
	       fstatat(h->objects.store_fd, object_path(d, object), &stored, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(here.st_mode) && here.st_ino == stored.st_ino && here.st_dev == stored.st_dev;
}

static enum presence presence(void *user, const char *path, const struct made *want)
{
	struct history *h = user;
	struct digest d;
	struct err e;
	int rc = stats_digest(h->stats, h->objects.root_fd, path, &d, &e);

	if (rc == ERR_NOTFOUND)
		return PRESENT_MISSING;
	if (rc == 0 && digest_same(&d, &want->digest))
		return PRESENT_SAME;
	return is_one_file(h, path, &want->digest) ? PRESENT_SPOILED : PRESENT_OTHER;
}

static bool stored(void *user, const struct made *want)
{
	struct history *h = user;

	return object_has(&h->objects, want);
}

/* The outs of an attempt as a record in the arena; NULL when their number is not the one asked for. */
static const struct record *record_of(struct history *h, int64_t attempt, const struct digest *key,
	int64_t took_ms, uint32_t out_count)
{
	struct sqlite3_stmt *s = NULL;
	struct record *r = arena_zalloc(&h->arena, sizeof *r);
	struct made *outs = arena_zalloc(&h->arena, (out_count + 1) * sizeof *outs);
	uint32_t i = 0;
	struct err e;
	int rc;

	if (db_prepare(h->db, SLOT_OUTS,
		    "SELECT digest, size, mode FROM artifact WHERE attempt = ? ORDER BY position", &s,
		    &e) < 0)
		return NULL;
	db_bind_int(s, 1, attempt);
	for (; (rc = db_step(h->db, s, &e)) > 0 && i < out_count; i++) {
		if (!db_digest(s, 0, &outs[i].digest))
			break;
		outs[i].size = (uint64_t)db_int(s, 1);
		outs[i].mode = (uint32_t)db_int(s, 2);
	}
	db_reset(s);
	*r = (struct record){ attempt, *key, outs, out_count, took_ms };
	return rc == 0 && i == out_count ? r : NULL;
}

static const struct record *by_key(void *user, const struct digest *key, uint32_t out_count)
{
	struct history *h = user;
	struct sqlite3_stmt *s = NULL;
	int64_t attempt = 0, took = 0;
	struct err e;

	if (!h->has_attempts ||
		db_prepare(h->db, SLOT_BY_KEY,
			"SELECT id, ended_ms - began_ms FROM attempt WHERE key = ? AND "
			"state = 'SUCCEEDED' ORDER BY id DESC LIMIT 1",
			&s, &e) < 0)
		return NULL;
	db_bind_blob(s, 1, key->bytes, DIGEST_SIZE);
	if (db_step(h->db, s, &e) > 0) {
		attempt = db_int(s, 0);
		took = db_int(s, 1);
	}
	db_reset(s);
	return attempt != 0 ? record_of(h, attempt, key, took, out_count) : NULL;
}

static int parts(void *user, int64_t attempt, const void **data, size_t *len, struct err *e)
{
	struct history *h = user;
	struct sqlite3_stmt *s = NULL;
	const void *blob;
	int rc;

	if (h->db == NULL || db_prepare(h->db, SLOT_PARTS, "SELECT parts FROM attempt WHERE id = ?", &s, e) < 0)
		return err_set(e, ERR_NOTFOUND, "no attempt %lld", (long long)attempt);
	db_bind_int(s, 1, attempt);
	rc = db_step(h->db, s, e);
	if (rc > 0) {
		buf_clear(&h->parts);
		blob = db_blob(s, 0, len);
		buf_add(&h->parts, blob, *len);
		*data = h->parts.data;
	}
	db_reset(s);
	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "no attempt %lld", (long long)attempt);
	return rc < 0 ? rc : 0;
}

/* What the journal says of a success that is not to be reused, without what follows from it. */
static const char *disowned_why(struct history *h, const char *error)
{
	const char *end = error + strlen(error), *p;

	for (p = error; (p = strstr(p, ": ")) != NULL; p++)
		end = p;
	return arena_strndup(&h->arena, error, (size_t)(end - error));
}

static enum last_try last_try(void *user, uint32_t node, const char **why)
{
	struct history *h = user;
	enum last_try found = LAST_NONE;
	struct sqlite3_stmt *s = NULL;
	struct err e;

	if (!h->has_attempts ||
		db_prepare(h->db, SLOT_LAST_TRY,
			"SELECT state, error FROM attempt WHERE task = ? ORDER BY run DESC, number DESC "
			"LIMIT 1",
			&s, &e) < 0)
		return LAST_NONE;
	db_bind_text(s, 1, node_name(h->graph, node));
	if (db_step(h->db, s, &e) > 0) {
		const char *state = db_text(s, 0), *error = db_text(s, 1);

		if (strcmp(state, "FAILED") == 0 || strcmp(state, "TIMEOUT") == 0)
			found = LAST_FAILED;
		if (strcmp(state, "SUCCEEDED") == 0 && error[0] != '\0') {
			found = LAST_DISOWNED;
			*why = disowned_why(h, error);
		}
	}
	db_reset(s);
	return found;
}

/* One whose result is not trusted was given another key. */
static bool is_key_of(struct sqlite3_stmt *s, const void *parts, size_t len)
{
	struct digest key, of_parts;

	digest_of(&of_parts, parts, len);
	return db_digest(s, 1, &key) && digest_same(&key, &of_parts);
}

/* The newest attempts of the task, and of all tasks together no more than a plan has time for: then the newest alone. */
static const struct record *nearest(void *user, uint32_t node, const void *now, size_t len,
	const void **then, size_t *then_len)
{
	struct history *h = user;
	uint32_t best = UINT32_MAX, distance;
	struct record *found = NULL;
	struct sqlite3_stmt *s = NULL;
	struct err e;

	if (!h->has_attempts ||
		db_prepare(h->db, SLOT_NEAREST,
			"SELECT id, key, parts, ended_ms - began_ms FROM attempt WHERE task = ? AND "
			"state = 'SUCCEEDED' ORDER BY run DESC, number DESC LIMIT ?",
			&s, &e) < 0)
		return NULL;
	db_bind_text(s, 1, node_name(h->graph, node));
	db_bind_int(s, 2, h->compared < COMPARED_IN_ALL ? COMPARED_OF_TASK : 1);
	while (best > 0 && db_step(h->db, s, &e) > 0) {
		size_t size;
		const void *parts = db_blob(s, 2, &size);

		h->compared++;
		if (!is_key_of(s, parts, size))
			continue;
		distance = parts_distance(parts, size, now, len, best);
		if (distance >= best)
			continue;
		best = distance;
		if (found == NULL)
			found = arena_zalloc(&h->arena, sizeof *found);
		*found = (struct record){ .attempt = db_int(s, 0), .took_ms = db_int(s, 3) };
		(void)db_digest(s, 1, &found->key);
		buf_clear(&h->parts);
		buf_add(&h->parts, parts, size);
	}
	db_reset(s);
	*then = h->parts.data;
	*then_len = h->parts.len;
	return found;
}

static bool failed_with(void *user, uint32_t node, const struct digest *key)
{
	struct history *h = user;
	struct sqlite3_stmt *s = NULL;
	bool failed = false;
	struct digest tried;
	struct err e;

	if (!h->has_attempts ||
		db_prepare(h->db, SLOT_LAST_KEY,
			"SELECT state, key FROM attempt WHERE task = ? ORDER BY run DESC, number DESC "
			"LIMIT 1",
			&s, &e) < 0)
		return false;
	db_bind_text(s, 1, node_name(h->graph, node));
	if (db_step(h->db, s, &e) > 0)
		failed = (strcmp(db_text(s, 0), "FAILED") == 0 ||
				 strcmp(db_text(s, 0), "TIMEOUT") == 0) &&
			 db_digest(s, 1, &tried) && digest_same(&tried, key);
	db_reset(s);
	return failed;
}

static void load_record(struct history *h, uint32_t node, struct sqlite3_stmt *s)
{
	uint32_t want = h->graph->nodes[node].outs.count;
	struct record *r = arena_alloc(&h->arena, sizeof *r);
	struct made *outs = arena_alloc(&h->arena, (want + 1) * sizeof *outs);
	size_t len, count;
	const void *blob = db_blob(s, 3, &len);

	count = made_unpack(outs, want, blob, len);
	if (count > want)
		count = 0; /* declared differently now: its key differs too */
	*r = (struct record){ db_int(s, 1), { { 0 } }, outs, (uint32_t)count, db_int(s, 4) };
	(void)db_digest(s, 2, &r->key);
	h->latest[node] = r;
}

static int load_latest(struct history *h, struct err *e)
{
	struct map names = { 0 };
	struct sqlite3_stmt *s = NULL;
	uint32_t i, *node;
	int rc;

	map_reserve(&names, h->graph->node_count);
	for (i = 0; i < h->graph->node_count; i++)
		map_put(&names, node_name(h->graph, i), i);
	rc = db_query(h->db, "SELECT task, attempt, key, outs, took_ms FROM latest", &s, e);
	while (rc == 0 && (rc = db_step(h->db, s, e)) > 0) {
		h->has_attempts = true;
		node = map_get(&names, db_text(s, 0));
		if (node != NULL)
			load_record(h, *node, s);
		rc = 0;
	}
	db_finish(s);
	map_release(&names);
	return rc;
}

static int look_for_attempts(struct history *h, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(h->db, "SELECT 1 FROM attempt LIMIT 1", &s, e);

	if (rc == 0)
		rc = db_step(h->db, s, e);
	h->has_attempts = rc > 0;
	db_finish(s);
	return rc < 0 ? rc : 0;
}

int history_open(struct history *h, const struct graph *g, const struct project *p, struct db *db,
	struct stats *stats, struct err *e)
{
	memset(h, 0, sizeof *h);
	h->past = (struct past){ .user = h,
		.source = source,
		.latest = latest,
		.by_key = by_key,
		.parts = parts,
		.presence = presence,
		.stored = stored,
		.last_try = last_try,
		.nearest = nearest,
		.failed_with = failed_with };
	h->graph = g;
	h->objects = objects_of(p);
	h->db = db;
	h->stats = stats;
	h->latest = mem_zalloc((g->node_count + 1) * sizeof *h->latest);
	if (db == NULL)
		return 0;
	if (load_latest(h, e) < 0)
		return e->code;
	return h->has_attempts ? 0 : look_for_attempts(h, e);
}

void history_close(struct history *h)
{
	free(h->latest);
	buf_release(&h->parts);
	arena_release(&h->arena);
	memset(h, 0, sizeof *h);
}
