#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "base/units.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/replay.h"
#include "cli/shown.h"
#include "report/find.h"
#include "report/reproduce.h"
#include "report/rows_json.h"

#define TIMES_MAX 1000u

/* What one comparison came to. */
struct judged {
	const struct remade *out;
	struct difference difference;
	const char *where; /* file of a folder, or "" */
	bool looked;       /* difference is set */
	bool within;       /* only numbers differ, none by more than --tolerance */
};

static int tell(struct cli *c, const char *text)
{
	struct err e;

	if (!c->quiet && !c->json)
		screen_printf(&c->talk, "%s\n", text);
	return screen_flush(&c->talk, &e);
}

static int judge_out(struct cli *c, struct reproduction *r, const struct remade *out,
	struct judged *v, double tolerance, struct err *e)
{
	int rc;

	*v = (struct judged){ .out = out, .where = "" };
	if (out->same) {
		v->within = true;
		return 0;
	}
	rc = reproduce_difference(r, &out->was, &out->is, &v->difference, &v->where, e);
	v->looked = rc > 0;
	v->within =
		v->looked && c->tolerance != NULL && difference_within(&v->difference, tolerance);
	return rc < 0 ? rc : 0;
}

static void put_numbers(struct cli *c, const struct difference *d)
{
	char was[32], is[32], most[32];

	if (d->where[0] != '\0')
		screen_printf(&c->out,
			"    largest difference %s at %s: %s, now %s (%llu of %llu numbers "
			"differ)\n",
			isinf(d->most) ? "infinite" : short_number(d->most, 6, most),
			shown(c, d->where), number_text(d->was, was), number_text(d->is, is),
			(unsigned long long)d->differing, (unsigned long long)d->numbers);
	else if (d->format[0] != '\0' && d->other[0] == '\0')
		screen_str(&c->out, "    the same numbers, written in another way\n");
}

static void put_difference(struct cli *c, const struct judged *v)
{
	const struct difference *d = &v->difference;
	char was[UNITS_TEXT], is[UNITS_TEXT];

	if (v->where[0] != '\0')
		screen_printf(&c->out, "    in %s\n", shown(c, v->where));
	if (!v->looked) {
		screen_printf(&c->out, "    %s\n",
			(v->out->is.mode & MADE_ABSENT) != 0
				? "it was not made this time"
				: "the recorded bytes are no longer stored");
		return;
	}
	if (d->was_size + d->is_size > 0)
		screen_printf(&c->out, "    first differing byte %llu (of %s, now %s)\n",
			(unsigned long long)d->first, size_text(d->was_size, was),
			size_text(d->is_size, is));
	put_numbers(c, d);
	if (d->other[0] != '\0')
		screen_printf(&c->out, "    %s\n", shown(c, d->other));
}

static void put_verdict(struct cli *c, const struct judged *v, const char *word, enum paint paint)
{
	const struct remade *out = v->out;

	screen_paint(&c->out, paint, word);
	screen_printf(&c->out, ": %s  %s", shown(c, out->path), shown_digest(c, &out->was.digest));
	if (!out->same)
		screen_printf(&c->out, ", now %s",
			(out->is.mode & MADE_ABSENT) != 0 ? "not made"
							  : shown_digest(c, &out->is.digest));
	screen_printf(&c->out, "  (%s)\n", shown(c, out->task));
	if (!out->same)
		put_difference(c, v);
}

static void judged_members(struct json *j, const struct judged *v)
{
	const struct difference *d = &v->difference;

	json_key_string(j, "task", v->out->task);
	json_key_string(j, "path", v->out->path);
	json_key_digest(j, "recorded", &v->out->was.digest);
	json_key_digest(j, "made", &v->out->is.digest);
	json_key_bool(j, "same", v->out->same);
	if (!v->looked)
		return;
	json_key_string(j, "file", v->where[0] != '\0' ? v->where : NULL);
	json_key_int(j, "first_byte", (int64_t)d->first);
	json_key_string(j, "format", d->format[0] != '\0' ? d->format : NULL);
	json_key_string(j, "where", d->where[0] != '\0' ? d->where : NULL);
	json_key(j, "largest_difference");
	if (d->where[0] != '\0')
		json_number(j, d->most);
	else
		json_nothing(j);
	json_key_string(j, "other", d->other[0] != '\0' ? d->other : NULL);
	json_key_bool(j, "within_tolerance", v->within);
}

static void write_json(struct cli *c, const struct reproduction *r, const struct judged *target,
	const struct judged *first)
{
	struct json j;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key_string(&j, "run", r->run->uuid);
	json_key_string(&j, "verdict",
		target->out->same ? "identical"
		: target->within  ? "within_tolerance"
				  : "differs");
	judged_members(&j, target);
	if (first != NULL) {
		json_key(&j, "first_difference");
		json_open_object(&j);
		judged_members(&j, first);
		json_end(&j);
	}
	json_end(&j);
}

/* Where a difference comes from, if not from the artifact's own task; and outs that differ though the artifact does not. */
static void put_first(struct cli *c, const struct judged *first, const struct judged *target)
{
	if (first == NULL)
		return;
	put_verdict(c, first,
		target->out->same ? "but on the way this differs" : "first difference",
		PAINT_YELLOW);
}

static int conclude(struct cli *c, struct reproduction *r, double tolerance)
{
	struct judged target, first;
	bool has_first = r->first < r->outs.count && r->first != r->target;
	struct err e;

	if (judge_out(c, r, &r->outs.items[r->target], &target, tolerance, &e) < 0 ||
		(has_first && judge_out(c, r, &r->outs.items[r->first], &first, tolerance, &e) < 0))
		return cli_fail(c, &e);
	if (c->json) {
		write_json(c, r, &target, has_first ? &first : NULL);
		return target.within ? EXIT_DONE : EXIT_NO;
	}
	if (!target.out->same && has_first)
		put_first(c, &first, &target);
	put_verdict(c, &target,
		target.out->same ? "identical"
		: target.within  ? "within tolerance"
				 : "differs",
		target.within ? PAINT_GREEN : PAINT_RED);
	if (target.out->same && has_first)
		put_first(c, &first, &target);
	return target.within ? EXIT_DONE : EXIT_NO;
}

static int given(void *user, const struct graph *g, struct err *e)
{
	return reproduce_given(user, g, e);
}

static int run_again(struct cli *c, struct reproduction *r)
{
	struct replay replay = { .dag = replay_dag(c, &r->scratch),
		.params = &r->params,
		.task = r->task,
		.alone = r->alone,
		.force = true,
		.given = given,
		.user = r };

	return replay_run(c, &replay);
}

/* -- --check-determinism -------------------------------------------------------------------------------------------- */

/* Each time against the first time; the first also against the record. */
static int compare_times(struct cli *c, struct reproduction *r, struct remade_list *first,
	unsigned time, double tolerance, bool *good, struct err *e)
{
	struct judged v;
	size_t i, k = 0;

	for (i = 0; i < r->outs.count; i++) {
		struct remade out = r->outs.items[i];

		if (strcmp(out.task, r->task) != 0)
			continue;
		if (time == 1) {
			vec_push(first, out);
		} else {
			out.was = first->items[k++].is;
			out.same = digest_same(&out.was.digest, &out.is.digest);
			if (judge_out(c, r, &out, &v, tolerance, e) < 0)
				return e->code;
			if (!v.within) {
				*good = false;
				screen_printf(&c->out, "time %u is not time 1\n", time);
				put_verdict(c, &v, "differs", PAINT_RED);
			}
		}
	}
	return 0;
}

static int repeat(struct cli *c, struct reproduction *r, double tolerance)
{
	struct remade_list first = { 0 };
	bool good = true, recorded = true;
	int status = EXIT_DONE;
	unsigned time;
	struct err e;
	size_t i;

	for (time = 1; time <= c->times && status == EXIT_DONE && good; time++) {
		status = run_again(c, r);
		if (status == EXIT_DONE &&
			(reproduce_judge(r, &e) < 0 ||
				compare_times(c, r, &first, time, tolerance, &good, &e) < 0))
			status = cli_fail(c, &e);
	}
	for (i = 0; i < first.count; i++)
		recorded = recorded && first.items[i].same;
	vec_release(&first);
	if (status != EXIT_DONE)
		return status;
	if (good)
		screen_printf(&c->out, "%s: %u times the same bytes%s\n", shown(c, r->task),
			c->times,
			recorded ? ", those of the record" : "; they are not those of the record");
	return good ? EXIT_DONE : EXIT_NO;
}

/* -- the command ---------------------------------------------------------------------------------------------------- */

static int read_tolerance(struct cli *c, double *tolerance, struct err *e)
{
	char *end;

	*tolerance = 0.0;
	if (c->tolerance == NULL)
		return 0;
	*tolerance = strtod(c->tolerance, &end);
	if (end != c->tolerance && *end == '\0' && *tolerance >= 0.0 && isfinite(*tolerance))
		return 0;
	err_set(e, ERR_USAGE, "--tolerance is not a number: `%.60s`", c->tolerance);
	return err_hint(e, "as in --tolerance 1e-6: how far apart two numbers may be");
}

static int check_options(struct cli *c, double *tolerance, struct err *e)
{
	if (read_tolerance(c, tolerance, e) < 0)
		return e->code;
	if (c->times == 1 || c->times > TIMES_MAX) {
		err_set(e, ERR_USAGE, "--check-determinism takes a number from 2 to %u", TIMES_MAX);
		return err_hint(e, "each time is compared with the first");
	}
	return 0;
}

static void tell_source(struct cli *c, const struct reproduction *r)
{
	const struct run_record *run = r->run;

	if (run->commit_id[0] == '\0')
		(void)tell(c,
			arena_printf(&c->arena,
				"run %s was in no commit (%s): its files come from the work tree "
				"and the store",
				run->name,
				shown(c, run->note[0] != '\0' ? run->note : "git was not asked")));
	else
		(void)tell(c,
			arena_printf(&c->arena, "run %s was at %.7s%s", run->name, run->commit_id,
				run->dirty == 0
					? ""
					: arena_printf(&c->arena, " with %lld changed file%s",
						  (long long)run->dirty,
						  run->dirty == 1 ? "" : "s")));
}

static int reproduce(struct cli *c, struct reproduction *r, double tolerance)
{
	struct err e;
	int status;

	tell_source(c, r);
	if (reproduce_prepare(r, c->times > 0, &e) < 0)
		return cli_fail(c, &e);
	r->scratch.keep = c->keep;
	if (r->scratch.submodules[0] != '\0')
		(void)tell(c, arena_printf(&c->arena, "not checked out: submodules %s",
				      shown(c, r->scratch.submodules)));
	if (c->times > 0) {
		status = repeat(c, r, tolerance);
	} else {
		status = run_again(c, r);
		if (status == EXIT_DONE)
			status = reproduce_judge(r, &e) < 0 ? cli_fail(c, &e)
							    : conclude(c, r, tolerance);
	}
	if (status == EXIT_STAGE) /* for its log */
		r->scratch.keep = true;
	if (r->scratch.keep)
		(void)tell(c, arena_printf(&c->arena, "kept: %s",
				      path_folder(&c->arena, replay_dag(c, &r->scratch))));
	return status;
}

static int reproduce_main(struct cli *c)
{
	struct artifact_record artifact;
	struct reproduction r;
	struct records records;
	double tolerance;
	struct err e;
	int status;

	if (c->json)
		c->progress = PROGRESS_NONE;
	if (check_options(c, &tolerance, &e) < 0)
		return cli_fail(c, &e);
	if (records_open(&records, c, &e) < 0)
		return records_fail(c, &e, NULL);
	if (artifact_resolve(&records.db, records.project.root, c->args.items[0], &c->arena,
		    &artifact, &e) < 0 ||
		reproduce_open(&r, &records.db, &records.project, &artifact, &e) < 0)
		return records_lost(c, &records, &e);
	records_live(&records);
	status = reproduce(c, &r, tolerance);
	reproduce_close(&r);
	if (c->json && status != EXIT_DONE && status != EXIT_NO)
		records_close(&records);
	else
		(void)records_done(c, &records);
	return status;
}

static const struct opt opts[] = {
	{ 0, "tolerance", OPT_TEXT, "X", "numbers that differ by no more than this are the same",
		OPT_AT(tolerance), NULL },
	{ 0, "check-determinism", OPT_NUMBER, "N",
		"run the artifact's own task N times and compare", OPT_AT(times), NULL },
	{ 0, "keep", OPT_FLAG, NULL, "leave the scratch work tree for you to look at", OPT_AT(keep),
		NULL },
	{ 'j', "jobs", OPT_NUMBER, "N", "tasks at once (default: one for each core)", OPT_AT(jobs),
		NULL },
	OPT_END,
};

const struct command cmd_artifact_reproduce = { .name = "artifact reproduce",
	.group = GROUP_LOOK,
	.args = "ARTIFACT [FILE.yaml]",
	.summary = "make an artifact again from its record, and compare",
	.about = "Checks out the recorded commit into a scratch work tree, with the files that\n"
		 "differed from it, restores inputs by their digests, and runs the task that\n"
		 "made the artifact and all above it without reuse. Your work tree stays as it\n"
		 "is. Ends with 0 when the bytes are the recorded ones, or all numbers within\n"
		 "--tolerance; else with 4, and says which task's out differs first, at which\n"
		 "byte, and for NPY, safetensors and JSON by how much.\n",
	.examples = "flow artifact reproduce model\n"
		    "flow artifact reproduce @{3}:train:model --tolerance 1e-6\n"
		    "flow artifact reproduce train:model --check-determinism 3\n",
	.least = 1,
	.most = 1,
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = reproduce_main };
