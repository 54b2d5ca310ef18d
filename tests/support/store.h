/*
 * tests/support/store.h - a project with an open database in a temporary folder.
 *
 *     struct store s;  store_open(&s);  ...s.project, s.db...  store_close(&s);
 *     store_number(&s, "SELECT count(*) FROM run");  store_do(&s, "UPDATE ...", &e);
 */
#ifndef FLOW_TESTS_STORE_H
#define FLOW_TESTS_STORE_H

#include "folder.h"
#include "store/db.h"
#include "store/project.h"

struct store {
	struct folder folder;
	struct project project;
	struct db db;
	char text[256]; /* answer of store_text */
};

static inline void store_open_again(struct store *s)
{
	struct err e;

	GOOD(project_open(&s->project, s->folder.path, PROJECT_WRITE, &e));
	GOOD(db_open(&s->db, &s->project, PROJECT_WRITE, &e));
}

static inline void store_open(struct store *s)
{
	folder_open(&s->folder);
	store_open_again(s);
}

/* Only the database and the lock; the folder stays. */
static inline void store_shut(struct store *s)
{
	db_close(&s->db);
	project_close(&s->project);
}

static inline void store_close(struct store *s)
{
	store_shut(s);
	folder_close(&s->folder);
}

static inline int store_do(struct store *s, const char *sql, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	int rc = db_query(&s->db, sql, &q, e);

	if (rc == 0)
		rc = db_run(&s->db, q, e);
	db_finish(q);
	return rc;
}

static inline const char *store_text(struct store *s, const char *sql)
{
	struct sqlite3_stmt *q = NULL;
	struct err e;
	int rc;

	GOOD(db_query(&s->db, sql, &q, &e));
	rc = db_step(&s->db, q, &e);
	GOOD(rc);
	(void)snprintf(s->text, sizeof s->text, "%s", rc == 0 ? "(none)" : db_text(q, 0));
	db_finish(q);
	return s->text;
}

static inline int64_t store_number(struct store *s, const char *sql)
{
	return strtoll(store_text(s, sql), NULL, 10);
}

#endif
