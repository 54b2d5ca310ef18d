#include "report/origins.h"

#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "store/runs.h"

#define OUTS_KEPT_MAX 4000000u /* ids; beyond that all are read anew */

int origins_open(struct origins *o, struct db *db, struct err *e)
{
	*o = (struct origins){ .db = db };
	return makers_open(&o->makers, db, e);
}

void origins_close(struct origins *o)
{
	makers_close(&o->makers);
	map_release(&o->known_of);
	map_release(&o->outs_of);
	vec_release(&o->known);
	vec_release(&o->outs);
	arena_release(&o->arena);
	arena_release(&o->outs_arena);
}

static void forget_outs(struct origins *o)
{
	size_t i;

	for (i = 0; i < o->outs.count; i++)
		o->outs.items[i] = (struct run_outs){ 0 };
	arena_release(&o->outs_arena);
	o->outs_kept = 0;
}

static struct run_outs *outs_at(struct origins *o, int64_t run)
{
	const char *key = arena_printf(&o->arena, "%lld", (long long)run);
	uint32_t *at = map_put(&o->outs_of, key, (uint32_t)o->outs.count);
	struct run_outs fresh = { 0 };

	if (at != NULL)
		return &o->outs.items[*at];
	vec_push(&o->outs, fresh);
	return &o->outs.items[o->outs.count - 1];
}

/* Kept until the next call. */
static int outs_had(struct origins *o, int64_t run, const struct id_list **out, struct err *e)
{
	struct run_outs *r = outs_at(o, run);
	struct run_record record;

	if (!r->loaded && o->outs_kept > OUTS_KEPT_MAX)
		forget_outs(o);
	if (!r->loaded) {
		if (run_get(o->db, run, &o->arena, &record, e) < 0 ||
			outs_of_run(o->db, &record, &o->outs_arena, &r->ids, e) < 0)
			return e->code;
		r->loaded = true;
		o->outs_kept += r->ids.count;
	}
	*out = &r->ids;
	return 0;
}

static struct known_path *known_at(struct origins *o, const char *path)
{
	uint32_t *at = map_get(&o->known_of, path);
	struct known_path fresh = { 0 };

	if (at != NULL)
		return &o->known.items[*at];
	(void)map_put(&o->known_of, arena_strdup(&o->arena, path), (uint32_t)o->known.count);
	vec_push(&o->known, fresh);
	return &o->known.items[o->known.count - 1];
}

/* The newest of all that were made at a path. Sources have thousands of readers and no maker: that is asked for once. */
static int ask_newest(struct origins *o, const char *path, struct known_path *p, struct err *e)
{
	int rc = maker_find(&o->makers, path, NULL, INT64_MAX, NULL, &o->arena, &p->maker, e);

	if (rc < 0)
		return rc;
	p->asked = true;
	p->never = rc == 0;
	return rc;
}

/* Whose outs the reader's run had, or the newest before the reader. The newest of all is the answer mostly, and is asked for first. */
static int ask(struct origins *o, const struct attempt_record *reader, const char *path,
	const struct digest *d, struct known_path *p, struct err *e)
{
	const struct id_list *outs;
	int rc;

	if (!p->asked && (rc = ask_newest(o, path, p, e)) <= 0)
		return rc;
	if (outs_had(o, reader->run, &outs, e) < 0)
		return e->code;
	if (p->maker.attempt < reader->id && id_list_has(outs, p->maker.attempt) &&
		(d == NULL || digest_same(d, &p->maker.made.digest)))
		return 1;
	return maker_find(&o->makers, path, d, reader->id, outs, &o->arena, &p->maker, e);
}

int origins_find(struct origins *o, const struct attempt_record *reader, const char *path,
	const struct digest *d, struct artifact_record *out, struct err *e)
{
	static const struct digest any;
	struct known_path *p = known_at(o, path);
	int rc;

	if (p->never)
		return 0;
	if (p->run != reader->run || !digest_same(&p->digest, d != NULL ? d : &any) ||
		(p->found && p->maker.attempt >= reader->id)) {
		rc = ask(o, reader, path, d, p, e);
		if (rc < 0)
			return rc;
		p->found = rc > 0;
		p->run = reader->run;
		p->digest = d != NULL ? *d : any;
	}
	if (p->found)
		*out = p->maker;
	return p->found;
}

int origins_find_around(struct origins *o, const struct attempt_record *reader, const char *path,
	struct artifact_record *out, struct err *e)
{
	char *folder = arena_strdup(&o->arena, path), *slash;
	int rc;

	while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
		*slash = '\0';
		rc = origins_find(o, reader, folder, NULL, out, e);
		if (rc < 0 || (rc > 0 && artifact_is_folder(out)))
			return rc;
	}
	return 0;
}

static int is_partly_made(struct origins *o, const char *folder, struct err *e)
{
	struct known_path *p = known_at(o, folder);
	int rc;

	if (!p->asked_below) {
		rc = maker_below_exists(&o->makers, folder, e);
		if (rc < 0)
			return rc;
		p->asked_below = true;
		p->never_below = rc == 0;
	}
	return !p->never_below;
}

int origins_below(struct origins *o, const struct attempt_record *reader, const char *folder,
	struct arena *a, struct artifact_list *out, struct err *e)
{
	const struct id_list *outs;
	size_t i, kept = 0;
	int rc = is_partly_made(o, folder, e);

	out->count = 0;
	if (rc <= 0)
		return rc;
	if (outs_had(o, reader->run, &outs, e) < 0 ||
		makers_below(&o->makers, folder, outs, a, out, e) < 0)
		return e->code;
	for (i = 0; i < out->count; i++)
		if (out->items[i].attempt < reader->id)
			out->items[kept++] = out->items[i];
	out->count = kept;
	return 0;
}
