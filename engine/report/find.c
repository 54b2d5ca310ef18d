#include "report/find.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/path.h"
#include "store/artifacts.h"
#include "store/db.h"
#include "store/runs.h"
#include "store/tasks.h"

#define DIGEST_LEAST 6
#define NAMED_MAX    5

/* Which attempts count first: those of the last run, then the last success of each task. */
struct present {
	struct id_list run, latest;
};

static int present_load(struct present *p, struct db *db, struct arena *a, struct err *e)
{
	struct run_list last = { 0 };

	*p = (struct present){ 0 };
	if (runs_newest(db, NULL, 1, a, &last, e) < 0)
		return e->code;
	if (last.count > 0 && outs_of_run(db, &last.items[0], a, &p->run, e) < 0)
		return e->code;
	return outs_of_latest(db, a, &p->latest, e);
}

/* The best of rows that are the newest first; count > 0. */
static size_t best_of(const struct present *p, const struct artifact_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (id_list_has(&p->run, list->items[i].attempt))
			return i;
	for (i = 0; i < list->count; i++)
		if (id_list_has(&p->latest, list->items[i].attempt))
			return i;
	return 0;
}

/* 1 found, 0 not, or an error: the same for all that follow. */
static int by_path(struct db *db, const struct present *p, const char *root, const char *ref,
	struct arena *a, struct artifact_record *out, struct err *e)
{
	struct artifact_list list = { 0 };
	const char *path = path_clean(a, ref);
	size_t len = root != NULL ? strlen(root) : 0;

	if (len > 0 && strncmp(path, root, len) == 0 && path[len] == '/')
		path += len + 1;
	if (artifacts_at(db, path, a, &list, e) < 0)
		return e->code;
	if (list.count == 0)
		return 0;
	*out = list.items[best_of(p, &list)];
	return 1;
}

/* The successes of a task, the newest first; of one run only when run is not 0. */
static int best_attempt(struct db *db, const struct present *p, const struct id_list *only,
	const char *task, int64_t *best, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int grade = 0, rc;

	rc = db_query(db,
		"SELECT id FROM attempt WHERE task = ? AND state = 'SUCCEEDED' ORDER BY run DESC, "
		"number DESC",
		&s, e);
	if (rc == 0)
		db_bind_text(s, 1, task);
	while (rc == 0 && grade < 3 && (rc = db_step(db, s, e)) > 0) {
		int64_t id = db_int(s, 0);
		int own = only != NULL                  ? (id_list_has(only, id) ? 3 : 0)
			  : id_list_has(&p->run, id)    ? 3
			  : id_list_has(&p->latest, id) ? 2
							: 1;

		if (own > grade) {
			grade = own;
			*best = id;
		}
		rc = 0;
	}
	db_finish(s);
	return rc < 0 ? rc : grade > 0;
}

static int by_task(struct db *db, const struct present *p, const struct id_list *only,
	const char *task, const char *name, struct arena *a, struct artifact_record *out,
	struct err *e)
{
	struct artifact_list list = { 0 };
	int64_t attempt = 0;
	size_t i;
	int rc = best_attempt(db, p, only, task, &attempt, e);

	if (rc <= 0)
		return rc;
	if (artifacts_of(db, attempt, a, &list, e) < 0)
		return e->code;
	for (i = 0; i < list.count; i++)
		if (strcmp(list.items[i].name, name) == 0 ||
			strcmp(list.items[i].path, name) == 0) {
			*out = list.items[i];
			return 1;
		}
	return 0;
}

/* "@last:models/m.bin": what that run had at a path. */
static int by_run_path(struct db *db, const char *ref, const char *path, struct arena *a,
	struct artifact_record *out, struct err *e)
{
	struct artifact_list list = { 0 };
	struct run_record run;
	struct id_list outs;
	struct err none;
	size_t i;

	if (run_find(db, ref, a, &run, &none) < 0)
		return 0; /* then it is a task */
	if (outs_of_run(db, &run, a, &outs, e) < 0 ||
		artifacts_at(db, path_clean(a, path), a, &list, e) < 0)
		return e->code;
	for (i = 0; i < list.count; i++)
		if (id_list_has(&outs, list.items[i].attempt)) {
			*out = list.items[i];
			return 1;
		}
	return 0;
}

/* "train:model", "@last:train:model". */
static int by_parts(struct db *db, const struct present *p, const char *ref, struct arena *a,
	struct artifact_record *out, struct err *e)
{
	char *first = arena_strdup(a, ref), *second = strchr(first, ':'), *third;
	struct run_record run;
	struct id_list outs;

	if (second == NULL)
		return 0;
	*second++ = '\0';
	third = strchr(second, ':');
	if (third == NULL) {
		int rc = by_task(db, p, NULL, first, second, a, out, e);

		return rc != 0 ? rc : by_run_path(db, first, second, a, out, e);
	}
	*third++ = '\0';
	if (run_find(db, first, a, &run, e) < 0 || outs_of_run(db, &run, a, &outs, e) < 0)
		return e->code;
	return by_task(db, p, &outs, second, third, a, out, e);
}

static int ambiguous(const char *ref, const char *names, size_t count, struct err *e)
{
	err_set(e, ERR_USAGE, "`%.80s` could be %zu artifacts: %s%s", ref, count, names,
		count > NAMED_MAX ? ", ..." : "");
	return err_hint(e, "name one of them by its path or as TASK:OUT");
}

/* The outs of that name among the results of the last run, or of all that succeeded last. */
static int by_name(struct db *db, const struct id_list *ids, const char *ref, struct arena *a,
	struct artifact_record *out, struct err *e)
{
	struct artifact_list list = { 0 };
	char names[NAMED_MAX * 100] = "";
	size_t i, count = 0, at = 0;

	if (artifacts_of_all(db, ids, a, &list, e) < 0)
		return e->code;
	for (i = 0; i < list.count; i++) {
		if (strcmp(list.items[i].name, ref) != 0)
			continue;
		*out = list.items[i];
		if (count++ < NAMED_MAX)
			at += (size_t)snprintf(names + at, sizeof names - at, "%s%.90s",
				at > 0 ? ", " : "", list.items[i].path);
	}
	return count > 1 ? ambiguous(ref, names, count, e) : (int)count;
}

/* The least and the greatest digest that begin so; false: it is no beginning of one. */
static bool digest_range(const char *ref, struct digest *least, struct digest *most)
{
	char hex[DIGEST_HEX];
	size_t len = strlen(ref), i;

	if (len < DIGEST_LEAST || len > DIGEST_HEX - 1)
		return false;
	for (i = 0; i < len; i++) {
		if (!isxdigit((unsigned char)ref[i]))
			return false;
		hex[i] = (char)tolower((unsigned char)ref[i]);
	}
	hex[DIGEST_HEX - 1] = '\0';
	memset(hex + len, '0', DIGEST_HEX - 1 - len);
	(void)digest_parse(least, hex);
	memset(hex + len, 'f', DIGEST_HEX - 1 - len);
	return digest_parse(most, hex);
}

static int by_digest(struct db *db, const struct present *p, const char *ref, struct arena *a,
	struct artifact_record *out, struct err *e)
{
	struct artifact_list list = { 0 };
	struct digest least, most;
	char names[NAMED_MAX * 24] = "", hex[DIGEST_HEX];
	size_t i, k, count = 0, at = 0;

	if (!digest_range(ref, &least, &most))
		return 0;
	if (artifacts_between(db, &least, &most, a, &list, e) < 0)
		return e->code;
	for (i = 0; i < list.count && count <= NAMED_MAX; i++) {
		for (k = 0; k < i; k++)
			if (digest_same(&list.items[k].made.digest, &list.items[i].made.digest))
				break;
		if (k == i && count++ < NAMED_MAX)
			at += (size_t)snprintf(names + at, sizeof names - at, "%s%.16s",
				at > 0 ? ", " : "", digest_hex(&list.items[i].made.digest, hex));
	}
	if (count > 1)
		return ambiguous(ref, names, count, e);
	if (count == 1)
		*out = list.items[best_of(p, &list)];
	return (int)count;
}

int artifact_resolve(struct db *db, const char *root, const char *ref, struct arena *a,
	struct artifact_record *out, struct err *e)
{
	struct present p;
	int rc;

	if (present_load(&p, db, a, e) < 0)
		return e->code;
	rc = by_path(db, &p, root, ref, a, out, e);
	if (rc == 0)
		rc = by_parts(db, &p, ref, a, out, e);
	if (rc == 0)
		rc = by_name(db, &p.run, ref, a, out, e);
	if (rc == 0)
		rc = by_name(db, &p.latest, ref, a, out, e);
	if (rc == 0)
		rc = by_digest(db, &p, ref, a, out, e);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	err_set(e, ERR_NOTFOUND, "no artifact `%.200s` is recorded", ref);
	return err_hint(e,
		"name it by path, RUN:PATH, TASK:OUT, RUN:TASK:OUT, the name of an out or the "
		"beginning of its digest; `flow runs show @last` lists them");
}
