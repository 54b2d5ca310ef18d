#include "cli/records.h"

#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "cli/cmd.h"
#include "report/log.h"
#include "store/runs.h"

static int has_runs(struct db *db, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, "SELECT 1 FROM run LIMIT 1", &s, e);

	if (rc == 0)
		rc = db_step(db, s, e);
	db_finish(s);
	return rc == 0 ? err_set(e, ERR_NOTFOUND, "no runs yet") : rc < 0 ? rc : 0;
}

static int simple(struct db *db, const char *sql, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, sql, &s, e);

	if (rc == 0)
		rc = db_run(db, s, e);
	db_finish(s);
	return rc;
}

int records_open(struct records *r, struct cli *c, struct err *e)
{
	const char *folder = path_folder(&c->arena, c->dag);
	int rc;

	memset(r, 0, sizeof *r);
	rc = project_open(&r->project, folder, PROJECT_READ, e);
	if (rc == 0) {
		rc = db_open(&r->db, &r->project, PROJECT_READ, e);
		if (rc == 0)
			rc = simple(&r->db, "BEGIN", e);
		if (rc == 0)
			rc = has_runs(&r->db, e);
		if (rc < 0)
			records_close(r);
	}
	if (rc == ERR_NOTFOUND) {
		err_set(e, ERR_NOTFOUND, "no runs yet");
		err_hint(e, "`flow run` starts the first");
	}
	return rc;
}

int records_attempt(struct cli *c, struct db *db, struct run_record *run, const char **task, struct err *e)
{
	const char *first = c->args.count > 0 ? c->args.items[0] : "@last";
	int rc = run_find(db, first, &c->arena, run, e);

	*task = c->args.count > 1 ? c->args.items[1] : NULL;
	if (rc != ERR_NOTFOUND || c->args.count != 1 || first[0] == '@')
		return rc;
	if (run_find(db, "@last", &c->arena, run, e) < 0)
		return e->code;
	*task = first;
	rc = run_has_task(db, run, first, e);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	err_set(e, ERR_NOTFOUND, "`%.80s` is neither a run nor a task of the last run (%s)", first, run->name);
	return err_hint(e, "`flow runs` lists the runs, `flow runs show` the tasks of the last one");
}

void records_live(struct records *r)
{
	struct err e;

	(void)simple(&r->db, "COMMIT", &e);
}

int records_again(struct records *r, struct err *e)
{
	return simple(&r->db, "BEGIN", e);
}

void records_close(struct records *r)
{
	db_close(&r->db);
	project_close(&r->project);
}

int records_fail(struct cli *c, const struct err *e, const char *empty_json)
{
	if (e->code != ERR_NOTFOUND || empty_json == NULL)
		return cli_fail(c, e);
	if (c->json)
		screen_printf(&c->out, "%s\n", empty_json);
	else
		screen_printf(&c->talk, "%s: %s\n", e->text, e->hint);
	return EXIT_DONE;
}

int records_done(struct cli *c, struct records *r)
{
	if (c->json)
		screen_str(&c->out, "\n");
	records_close(r);
	return EXIT_DONE;
}

int records_lost(struct cli *c, struct records *r, const struct err *e)
{
	records_close(r);
	return cli_fail(c, e);
}
