#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/units.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "report/artifactpage.h"
#include "report/descent.h"
#include "report/find.h"
#include "report/trace.h"

#define TRACE_LINES 200

static void put_field(struct cli *c, const char *name, const char *text)
{
	screen_paint(&c->out, PAINT_BOLD, arena_printf(&c->arena, "%-9s", name));
	screen_printf(&c->out, " %s\n", text);
}

static void put_users(struct cli *c, const struct artifactpage *p)
{
	size_t i, most = list_most(c, p->users.count);

	if (p->users.count == 0)
		put_field(c, "used by", "no task of the last run, nor of the run that made it");
	for (i = 0; i < most; i++) {
		const struct user_record *u = &p->users.items[i];

		put_field(c, i == 0 ? "used by" : "",
			strcmp(u->path, p->artifact.path) == 0
				? shown(c, u->attempt.task)
				: arena_printf(&c->arena, "%s (as %s)", shown(c, u->attempt.task),
					  shown(c, u->path)));
	}
	list_rest(c, p->users.count);
}

static void put_page(struct cli *c, const struct artifactpage *p, int64_t now)
{
	const struct artifact_record *r = &p->artifact;
	struct arena *a = &c->arena;
	char size[UNITS_TEXT], ago[32], hex[DIGEST_HEX];
	bool absent = artifact_is_absent(r);

	put_field(c, "artifact", shown(c, r->path));
	put_field(c, "digest", absent ? "-" : digest_hex(&r->made.digest, hex));
	put_field(c, "size",
		arena_printf(a, "%s (%llu bytes)", size_text(r->made.size, size),
			(unsigned long long)r->made.size));
	put_field(c, "kind",
		absent                  ? "optional out, not written"
		: artifact_is_folder(r) ? "folder"
					: "file");
	put_field(c, "made by",
		arena_printf(a, "%s:%s, attempt %lld, %s", shown(c, p->attempt.task),
			shown(c, r->name), (long long)p->attempt.number,
			shown_took(c, attempt_took_ms(&p->attempt, now))));
	put_field(c, "in run",
		arena_printf(a, "%s, %s", p->run.name, ago_text(p->attempt.began_ms, now, ago)));
	put_field(c, "source", shown_source(c, &p->run));
	put_field(c, "stored", p->stored ? "yes: it can be brought back" : "no");
	put_users(c, p);
}

/* Opens the journal and finds the artifact that the first argument names. Below 0: *status is set, nothing is open. */
static int find(struct cli *c, struct records *r, struct artifact_record *artifact, int *status)
{
	struct err e;

	if (records_open(r, c, &e) < 0) {
		*status = records_fail(c, &e, NULL);
		return e.code;
	}
	if (artifact_resolve(&r->db, r->project.root, c->args.items[0], &c->arena, artifact, &e) <
		0) {
		*status = records_lost(c, r, &e);
		return e.code;
	}
	return 0;
}

static int show_main(struct cli *c)
{
	int64_t now = clock_wall_ms();
	struct artifact_record artifact;
	struct artifactpage page;
	struct records r;
	struct err e;
	int status;

	if (find(c, &r, &artifact, &status) < 0)
		return status;
	if (artifactpage_make(&page, &r.db, &r.project, &artifact, &c->arena, &e) < 0)
		return records_lost(c, &r, &e);
	if (c->json)
		artifactpage_json(&c->out.text, &page, now);
	else
		put_page(c, &page, now);
	return records_done(c, &r);
}

static void put_trace(struct cli *c, const struct trace *t)
{
	struct trace_style style = { .utf8 = c->out.utf8, .most = c->all ? 0 : TRACE_LINES };
	struct trace_lines lines;
	size_t i;

	trace_draw(&lines, t, &style, &c->arena);
	for (i = 0; i < lines.count; i++) {
		if (lines.items[i].branch[0] != '\0')
			screen_paint(&c->out, PAINT_DIM, lines.items[i].branch);
		screen_foreign(&c->out, lines.items[i].text);
		screen_str(&c->out, "\n");
	}
	if (lines.dropped > 0)
		screen_printf(&c->out, "and %zu more lines: --all shows them\n", lines.dropped);
	vec_release(&lines);
}

static void put_descent(struct cli *c, const struct descent *d, const char *name)
{
	struct table t = { .arena = &c->arena, .columns = 5 };
	size_t i, most = list_most(c, d->steps.count);
	uint32_t k, lines;

	if (d->steps.count == 0) {
		screen_printf(&c->out, "nothing was made from %s\n", shown(c, name));
		return;
	}
	screen_printf(&c->out, "from %s: %zu artifact%s of %zu attempt%s\n", shown(c, name),
		d->outs.count, d->outs.count == 1 ? "" : "s", d->steps.count,
		d->steps.count == 1 ? "" : "s");
	for (i = 0; i < most; i++) {
		const struct descent_step *s = &d->steps.items[i];

		lines = s->from_count > s->out_count ? s->from_count : s->out_count;
		for (k = 0; k < lines; k++) {
			const struct artifact_record *made =
				k < s->out_count ? &d->outs.items[s->first_out + k] : NULL;

			table_cell(&t, PAINT_NONE, "  %s", k == 0 ? shown(c, s->attempt.task) : "");
			table_cell(&t, PAINT_DIM, "%s", k == 0 ? d->runs.items[s->run].name : "");
			table_cell(&t, PAINT_NONE, "%s", made != NULL ? shown(c, made->path) : "");
			table_cell(&t, PAINT_DIM, "%s",
				made != NULL ? shown_digest(c, &made->made.digest) : "");
			table_cell(&t, PAINT_DIM, "%s",
				k < s->from_count
					? arena_printf(&c->arena, "from %s",
						  shown(c, d->froms.items[s->first_from + k].path))
					: "");
		}
	}
	table_write(&t, &c->out);
	list_rest(c, d->steps.count);
}

/* Of an artifact, or of a file that only tasks read. */
static int down_main(struct cli *c)
{
	const char *ref = c->args.items[0], *path = path_clean(&c->arena, ref);
	struct artifact_record artifact;
	struct descent d;
	struct records r;
	struct err e, none;
	int rc;

	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e, NULL);
	rc = artifact_resolve(&r.db, r.project.root, ref, &c->arena, &artifact, &none);
	if (rc == 0)
		rc = descent_make(&d, &r.db, &artifact, NULL, &e);
	else if (rc != ERR_NOTFOUND)
		return records_lost(c, &r, &none);
	else if ((rc = descent_make(&d, &r.db, NULL, path, &e)) == 0 && d.steps.count == 0) {
		descent_release(&d);
		return records_lost(c, &r, &none);
	} else
		artifact.path = path;
	if (rc < 0)
		return records_lost(c, &r, &e);
	if (c->json)
		descent_json(&c->out.text, &d);
	else
		put_descent(c, &d, artifact.path);
	descent_release(&d);
	return records_done(c, &r);
}

static int trace_main(struct cli *c)
{
	struct artifact_record artifact;
	struct trace trace;
	struct records r;
	struct err e;
	int status;

	if (c->down)
		return down_main(c);
	if (find(c, &r, &artifact, &status) < 0)
		return status;
	if (trace_make(&trace, &r.db, &artifact, &e) < 0)
		return records_lost(c, &r, &e);
	if (c->json)
		trace_json(&c->out.text, &trace);
	else
		put_trace(c, &trace);
	trace_release(&trace);
	return records_done(c, &r);
}

static const struct opt opts[] = {
	{ 0, "all", OPT_FLAG, NULL, "show all of it, however long", OPT_AT(all), NULL },
	OPT_END,
};

static const struct opt trace_opts[] = {
	{ 0, "down", OPT_FLAG, NULL, "the other way: all that was made from it", OPT_AT(down),
		NULL },
	{ 0, "all", OPT_FLAG, NULL, "show all of it, however long", OPT_AT(all), NULL },
	OPT_END,
};

#define NAMES                                                                             \
	"ARTIFACT is a path, RUN:PATH, TASK:OUT, RUN:TASK:OUT, the name of an out that\n" \
	"only one task has, or the beginning of a digest (at least six digits). Of\n"     \
	"several that were made, the last run's is meant.\n"

const struct command cmd_artifact_show = { .name = "artifact show",
	.group = GROUP_LOOK,
	.args = "ARTIFACT [FILE.yaml]",
	.summary = "show one artifact: digest, size, who made it, who used it",
	.about = NAMES,
	.examples = "flow artifact show models/softmax.safetensors\n"
		    "flow artifact show train:model\n"
		    "flow artifact show @{1}:train:model    # of the run before the last\n",
	.least = 1,
	.most = 1,
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = show_main };

const struct command cmd_artifact_trace = { .name = "artifact trace",
	.group = GROUP_LOOK,
	.args = "ARTIFACT [FILE.yaml]",
	.summary = "trace an artifact back to commit, parameters, code and raw files",
	.about = "Draws what went into it: the attempt that made it, its source state, code,\n"
		 "parameters and inputs, and the same for each input, down to the files that\n"
		 "no task made. What was drawn once is referred to later. With --down it lists\n"
		 "what was made from it, in any run, and from that, and so on; ARTIFACT may\n"
		 "then also be a file that no task made.\n" NAMES,
	.examples = "flow artifact trace model\n"
		    "flow artifact trace reports/test.json --all\n"
		    "flow artifact trace train:model --json\n"
		    "flow artifact trace raw/data.csv --down\n",
	.least = 1,
	.most = 1,
	.takes_dag = true,
	.shows = true,
	.opts = trace_opts,
	.run = trace_main };
