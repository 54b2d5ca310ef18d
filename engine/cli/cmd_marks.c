#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/shown.h"
#include "store/db.h"
#include "store/marks.h"
#include "store/project.h"
#include "store/runs.h"

/* The journal, to be written. */
struct writing {
	struct project project;
	struct db db;
};

static int open_writing(struct writing *w, struct cli *c, struct err *e)
{
	struct project there;

	/* A project without runs is not to get a .flow by this. */
	if (project_open(&there, path_folder(&c->arena, c->dag), PROJECT_READ, e) < 0) {
		if (e->code == ERR_NOTFOUND) {
			err_set(e, ERR_NOTFOUND, "no runs yet");
			err_hint(e, "`flow run` starts the first");
		}
		return e->code;
	}
	project_close(&there);
	if (project_open(&w->project, path_folder(&c->arena, c->dag), PROJECT_WRITE, e) < 0)
		return e->code;
	if (db_open(&w->db, &w->project, PROJECT_WRITE, e) < 0) {
		project_close(&w->project);
		return e->code;
	}
	return 0;
}

/* What a command does to a run. */
typedef int mark(struct cli *c, struct db *db, const struct run_record *run, struct err *e);

static int with_run(struct cli *c, const char *ref, mark *todo)
{
	struct run_record run = { 0 };
	struct writing w;
	struct err e;
	int rc;

	if (open_writing(&w, c, &e) < 0)
		return cli_fail(c, &e);
	rc = ref != NULL ? run_find(&w.db, ref, &c->arena, &run, &e) : 0;
	if (rc == 0)
		rc = todo(c, &w.db, &run, &e);
	db_close(&w.db);
	project_close(&w.project);
	return rc < 0 ? cli_fail(c, &e) : EXIT_DONE;
}

static void tell(struct cli *c, const struct run_record *run, const char *what)
{
	if (!c->quiet)
		screen_printf(&c->talk, "run %s %s\n", run->name, what);
}

static int do_tag(struct cli *c, struct db *db, const struct run_record *run, struct err *e)
{
	const char *name = c->args.items[0];

	if (c->remove) {
		if (mark_untag(db, name, e) < 0)
			return e->code;
		if (!c->quiet)
			screen_printf(&c->talk, "tag %s is gone\n", shown(c, name));
		return 0;
	}
	if (mark_tag(db, run, name, c->move, e) < 0)
		return e->code;
	tell(c, run, arena_printf(&c->arena, "is %s", name));
	return 0;
}

static int tag_main(struct cli *c)
{
	struct err e;

	/* Before the run is looked for: the two may have been given the other way round. */
	if (!c->remove && mark_check_tag(c->args.items[0], &e) < 0)
		return cli_fail(c, &e);
	return with_run(c,
		c->remove           ? NULL
		: c->args.count > 1 ? c->args.items[1]
				    : "@last",
		do_tag);
}

static int do_note(struct cli *c, struct db *db, const struct run_record *run, struct err *e)
{
	const char *text = c->args.items[1];

	if (mark_note(db, run, text, e) < 0)
		return e->code;
	tell(c, run, text[0] != '\0' ? "has that note" : "has no note");
	return 0;
}

static int note_main(struct cli *c)
{
	return with_run(c, c->args.items[0], do_note);
}

static int do_pin(struct cli *c, struct db *db, const struct run_record *run, struct err *e)
{
	if (mark_pin(db, run, !c->remove, e) < 0)
		return e->code;
	tell(c, run, c->remove ? "is not pinned" : "is pinned: gc keeps all it needs");
	return 0;
}

static int pin_main(struct cli *c)
{
	return with_run(c, c->args.count > 0 ? c->args.items[0] : "@last", do_pin);
}

static int do_rm(struct cli *c, struct db *db, const struct run_record *run, struct err *e)
{
	if (mark_removed(db, run, !c->undo, e) < 0)
		return e->code;
	if (c->undo)
		tell(c, run, "is shown again");
	else
		tell(c, run,
			arena_printf(&c->arena, "is removed (flow runs rm %s --undo)", run->uuid));
	return 0;
}

static int rm_main(struct cli *c)
{
	size_t i;
	int status = EXIT_DONE;

	for (i = 0; i < c->args.count && status == EXIT_DONE; i++)
		status = with_run(c, c->args.items[i], do_rm);
	return status;
}

static const struct opt tag_opts[] = {
	{ 0, "remove", OPT_FLAG, NULL, "take the tag away", OPT_AT(remove), NULL },
	{ 0, "move", OPT_FLAG, NULL, "take it from the run that has it", OPT_AT(move), NULL },
	OPT_END,
};

static const struct opt pin_opts[] = {
	{ 0, "remove", OPT_FLAG, NULL, "pinned no longer", OPT_AT(remove), NULL },
	OPT_END,
};

static const struct opt rm_opts[] = {
	{ 0, "undo", OPT_FLAG, NULL, "show it again (RUN is its whole id)", OPT_AT(undo), NULL },
	OPT_END,
};

const struct command cmd_runs_tag = { .name = "runs tag",
	.group = GROUP_LOOK,
	.args = "TAG [RUN] [FILE.yaml]",
	.summary = "give a run a name",
	.about = "A tag names a run wherever a RUN is asked for, until it is removed or moved.\n"
		 "`flow gc` keeps all that a tagged run needs. RUN as in `flow runs show`.\n",
	.examples = "flow runs tag best              # the last run\n"
		    "flow runs tag best @{3} --move\n"
		    "flow diff best @last\n",
	.least = 1,
	.most = 2,
	.takes_dag = true,
	.opts = tag_opts,
	.run = tag_main };

const struct command cmd_runs_note = { .name = "runs note",
	.group = GROUP_LOOK,
	.args = "RUN TEXT [FILE.yaml]",
	.summary = "write something about a run",
	.about = "The text is shown by `flow runs` and `flow runs show`; an empty one takes the\n"
		 "note away.\n",
	.examples = "flow runs note @last \"with the new labels\"\n",
	.least = 2,
	.most = 2,
	.takes_dag = true,
	.run = note_main };

const struct command cmd_runs_pin = { .name = "runs pin",
	.group = GROUP_LOOK,
	.args = "[RUN] [FILE.yaml]",
	.summary = "have gc keep all that a run needs",
	.about = "RUN as in `flow runs show`; the default is @last.\n",
	.examples = "flow runs pin\n"
		    "flow runs pin best --remove\n",
	.most = 1,
	.takes_dag = true,
	.opts = pin_opts,
	.run = pin_main };

const struct command cmd_runs_rm = { .name = "runs rm",
	.group = GROUP_LOOK,
	.args = "RUN... [FILE.yaml]",
	.summary = "take runs out of the lists",
	.about = "No list shows a removed run and only its whole id names it. Nothing is\n"
		 "deleted by this: `flow gc` may take what no other run has. Refused while the\n"
		 "run is pinned, tagged or has not ended.\n",
	.examples = "flow runs rm 019aa3b2-7c1e\n",
	.least = 1,
	.most = 100,
	.takes_dag = true,
	.opts = rm_opts,
	.run = rm_main };
