/*
 * flow cache verify: are the objects what their names say? flow fsck: and does the journal agree with itself?
 */
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "base/units.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "run/recover.h"
#include "store/fsck.h"
#include "store/runs.h"
#include "store/stats.h"
#include "store/verify.h"

struct checkup {
	struct cli *c;
	struct records r;
	struct verify v;
	struct texts faults; /* of the journal, in the command's arena */
	bool has_faults;     /* the journal was asked, too */
};

/* -- what was found --------------------------------------------------------------------------------------------------- */

static void add_fault(void *user, const char *fault)
{
	struct checkup *k = user;

	vec_push(&k->faults, arena_strdup(&k->c->arena, fault));
}

static int put_hurt(struct checkup *k, struct err *e)
{
	static const char *const heads[] = { "TASK", "OUT", "RUN", "OBJECT", "" };
	struct cli *c = k->c;
	struct table t = { .arena = &c->arena, .columns = 5 };
	size_t i, most = list_most(c, k->v.hurt.count);

	for (i = 0; i < 5; i++)
		table_cell(&t, PAINT_BOLD, "%s", heads[i]);
	for (i = 0; i < most; i++) {
		const struct hurt *h = &k->v.hurt.items[i];
		struct run_record run;

		if (run_get(&k->r.db, h->run, &c->arena, &run, e) < 0)
			return e->code;
		table_cell(&t, PAINT_NONE, "%s", shown(c, h->task));
		table_cell(&t, PAINT_NONE, "%s", shown(c, h->path));
		table_cell(&t, PAINT_NONE, "%s", shown(c, run.name));
		table_cell(&t, PAINT_NONE, "%s", shown_digest(c, &h->object));
		table_cell(&t, PAINT_RED, "%s", damage_text(h->damage));
	}
	table_write(&t, &c->out);
	list_rest(c, k->v.hurt.count);
	return 0;
}

static void put_sum(struct checkup *k)
{
	char size[UNITS_TEXT], read[UNITS_TEXT];
	struct screen *o = &k->c->out;
	const struct verify *v = &k->v;

	screen_printf(o, "objects  %zu, %s; the bytes of %llu were read, %s", v->shelf.count,
		size_text(v->shelf.bytes, size), (unsigned long long)v->read,
		size_text(v->read_bytes, read));
	if (v->shelf.strangers > 0)
		screen_printf(o, "; %u names that are no object's", v->shelf.strangers);
	screen_str(o, "\n");
	if (v->damaged == 0 && v->hurt.count == 0)
		return;
	screen_printf(o, "damage   %llu object%s, %zu result%s cannot be brought back",
		(unsigned long long)v->damaged, v->damaged == 1 ? "" : "s", v->hurt.count,
		v->hurt.count == 1 ? "" : "s");
	screen_str(o, k->c->repair ? "; put aside: the tasks run again when they are needed\n"
				   : "; --repair puts it aside, so that the tasks run again\n");
}

static int put_all(struct checkup *k, struct err *e)
{
	size_t i;

	for (i = 0; i < k->faults.count; i++)
		screen_printf(&k->c->out, "journal  %s\n", shown(k->c, k->faults.items[i]));
	if (k->has_faults && k->faults.count == 0)
		screen_str(&k->c->out, "journal  ok\n");
	if (k->v.hurt.count > 0 && put_hurt(k, e) < 0)
		return e->code;
	put_sum(k);
	return 0;
}

static int put_json(struct checkup *k, struct err *e)
{
	struct json j;
	size_t i;

	json_init(&j, &k->c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	if (k->has_faults) {
		json_key(&j, "journal");
		json_open_array(&j);
		for (i = 0; i < k->faults.count; i++)
			json_text(&j, k->faults.items[i]);
		json_end(&j);
	}
	json_key_int(&j, "objects", (int64_t)k->v.shelf.count);
	json_key_int(&j, "read", (int64_t)k->v.read);
	json_key_int(&j, "damaged", (int64_t)k->v.damaged);
	json_key(&j, "hurt");
	json_open_array(&j);
	for (i = 0; i < k->v.hurt.count; i++) {
		const struct hurt *h = &k->v.hurt.items[i];
		struct run_record run;
		char hex[DIGEST_HEX];

		if (run_get(&k->r.db, h->run, &k->c->arena, &run, e) < 0)
			return e->code;
		json_open_object(&j);
		json_key_string(&j, "task", h->task);
		json_key_string(&j, "out", h->path);
		json_key_string(&j, "run", run.uuid);
		json_key_string(&j, "object", digest_hex(&h->object, hex));
		json_key_string(&j, "damage", damage_text(h->damage));
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	screen_str(&k->c->out, "\n");
	return 0;
}

/* -- looking ----------------------------------------------------------------------------------------------------------- */

/* To repair, the project must be ours, and what a dead run left is settled first. */
static int open_to_repair(struct checkup *k, struct err *e)
{
	const char *folder = path_folder(&k->c->arena, k->c->dag);
	struct stats stats = { .count = 0 };
	struct recovery found;
	int rc;

	records_close(&k->r);
	memset(&k->r, 0, sizeof k->r);
	rc = project_open(&k->r.project, folder, PROJECT_WRITE, e);
	if (rc == 0)
		rc = db_open(&k->r.db, &k->r.project, PROJECT_WRITE, e);
	if (rc == 0)
		rc = recover(&k->r.project, &k->r.db, &stats, &found, e);
	stats_release(&stats);
	return rc;
}

static int check_all(struct checkup *k, struct err *e)
{
	struct cli *c = k->c;

	if (c->repair && open_to_repair(k, e) < 0)
		return e->code;
	if (k->has_faults && fsck_database(&k->r.db, add_fault, k, e) < 0)
		return e->code;
	if (verify_begin(&k->v, &k->r.project, &k->r.db, c->read_data, e) < 0 ||
		(c->repair && verify_repair(&k->v, e) < 0))
		return e->code;
	return c->json ? put_json(k, e) : put_all(k, e);
}

static int checkup(struct cli *c, bool journal)
{
	struct checkup k = { .c = c, .has_faults = journal };
	struct err e;
	int rc;
	bool bad;

	if (records_open(&k.r, c, &e) < 0)
		return records_fail(c, &e, "{\"v\":1,\"objects\":0,\"damaged\":0,\"hurt\":[]}");
	rc = check_all(&k, &e);
	bad = k.faults.count > 0 || (!c->repair && (k.v.damaged > 0 || k.v.hurt.count > 0));
	verify_release(&k.v);
	vec_release(&k.faults);
	if (rc < 0) {
		buf_clear(&c->out.text);
		return records_lost(c, &k.r, &e);
	}
	records_close(&k.r);
	return bad ? EXIT_NO : EXIT_DONE;
}

static int verify_main(struct cli *c)
{
	return checkup(c, false);
}

static int fsck_main(struct cli *c)
{
	return checkup(c, true);
}

static const struct opt opts[] = {
	{ 0, "read-data", OPT_FLAG, NULL,
		"read every byte, not only what looks as if it was written to", OPT_AT(read_data),
		NULL },
	{ 0, "repair", OPT_FLAG, NULL, "put damaged objects aside, so that their tasks run again",
		OPT_AT(repair), NULL },
	{ 0, "all", OPT_FLAG, NULL, "the whole list", OPT_AT(all), NULL },
	OPT_END,
};

const struct command cmd_cache_verify = { .name = "cache verify",
	.group = GROUP_UPKEEP,
	.args = "",
	.summary = "look whether the objects of the store are whole",
	.about = "Compares the sizes of all objects with what the journal says, and reads those\n"
		 "that were written to after they were recorded, as by an editor that wrote into\n"
		 "a hard link. With --read-data every byte is read. Names the results, and\n"
		 "their runs, that cannot be brought back; the exit status is then 4.\n"
		 "\n"
		 "A damaged object is never served, whether it was found here or not: what\n"
		 "comes back from the store is compared with its digest first.\n",
	.examples = "flow cache verify\n"
		    "flow cache verify --read-data --repair\n",
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = verify_main };

const struct command cmd_fsck = { .name = "fsck",
	.group = GROUP_UPKEEP,
	.args = "",
	.summary = "look whether the journal and the store are whole",
	.about =
		"`flow cache verify`, and before it the journal: SQLite's own check, then whether\n"
		"its runs, tasks, attempts and events agree with each other. The exit status is 4\n"
		"when something is wrong.\n",
	.examples = "flow fsck\n"
		    "flow fsck --read-data --json\n",
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = fsck_main };
