#include "script/script.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/text.h"
#include "script/launch.h"
#include "script/lines.h"
#include "script/watch.h"

#define LOOK_MS 50 /* between two looks at what it reports */

struct script {
	const flow_host *host;
	flow_ctx *ctx;
	struct launch launch;
	struct lines lines;
	struct watch watch;
	struct text stop_path;
	char why[LINE_TEXT_MAX]; /* what the program says it failed of */
};

static int take(void *user, const struct line_record *r, struct fault *fault)
{
	struct script *s = user;

	if (r->kind == LINE_FAIL && s->why[0] == '\0')
		memcpy(s->why, r->text, sizeof s->why);
	if (r->kind == LINE_PROGRESS)
		s->host->progress(s->ctx, r->value, r->total, r->text);
	if (r->kind == LINE_METRIC)
		s->host->metric(s->ctx, r->key, r->value, r->step);
	return watch_take(&s->watch, r, fault);
}

/* The program sees a file that was not there. */
static int tell_stop(struct script *s, struct fault *fault)
{
	const struct watch *w = &s->watch;
	char line[400];

	if (!w->is_over || w->is_told)
		return 0;
	s->watch.is_told = 1;
	(void)snprintf(line, sizeof line, "stop: %s was not better than %g for %ld values", w->key,
		w->best, w->since);
	s->host->log(s->ctx, line);
	return output_file(s->stop_path.data, line, strlen(line), fault);
}

/* Until it has ended; of what it had said by then, all. */
static int attend(struct script *s, struct fault *fault)
{
	int has_ended = 0;

	while (!has_ended) {
		has_ended = launch_wait(&s->launch, LOOK_MS);
		/* The end of a program that was killed may be half a line. */
		if (lines_read(&s->lines, has_ended && s->launch.status == 0, take, s, fault) < 0 ||
			tell_stop(s, fault) < 0)
			return -1;
	}
	return 0;
}

/* The channels beyond those of every attempt, and the folder for checkpoints. */
static int open_channels(struct script *s, struct fault *fault)
{
	const char *folder = s->host->tmpdir(s->ctx), *checkpoint = s->host->checkpoint(s->ctx);
	struct text metrics = { 0 };
	int rc;

	if (checkpoint != NULL && mkdir(checkpoint, 0777) != 0 && errno != EEXIST)
		return fault_system(
			fault, "cannot make the folder '%s' for checkpoints", checkpoint);
	text_format(&metrics, "%s/script.ndjson", folder);
	text_format(&s->stop_path, "%s/stop", folder);
	rc = lines_open(&s->lines, metrics.data, fault);
	if (rc == 0 && (setenv("FLOW_METRICS", metrics.data, 1) != 0 ||
			       setenv("FLOW_STOP", s->stop_path.data, 1) != 0))
		rc = fault_system(fault, "cannot set the environment");
	text_release(&metrics);
	return rc;
}

static int run_program(struct script *s, struct fault *fault)
{
	if (watch_read(&s->watch, s->host, s->ctx, fault) < 0 ||
		launch_read(&s->launch, s->host, s->ctx, fault) < 0 ||
		open_channels(s, fault) < 0 || launch_start(&s->launch, fault) < 0)
		return -1;
	return attend(s, fault);
}

/* End as the program did: `retry.on` asks for the signal or the status of the attempt. */
static void end_alike(int status)
{
	const struct rlimit none = { 0, 0 };

	if (WIFSIGNALED(status)) {
		(void)setrlimit(RLIMIT_CORE, &none); /* the program has left its own */
		(void)signal(WTERMSIG(status), SIG_DFL);
		(void)raise(WTERMSIG(status));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) > 1)
		_exit(WEXITSTATUS(status));
}

static int tell_end(const struct script *s, int status, const char *script)
{
	char line[1200];

	if (s->why[0] != '\0')
		(void)snprintf(line, sizeof line, "%s", s->why);
	else if (WIFSIGNALED(status))
		(void)snprintf(line, sizeof line, "'%s' was killed by signal %d", script,
			WTERMSIG(status));
	else
		(void)snprintf(line, sizeof line, "'%s' ended with exit %d: its log says why", script,
			WEXITSTATUS(status));
	return s->host->fail(s->ctx, line);
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct script s = { .host = host, .ctx = ctx, .lines = { .fd = -1 } };
	const char *script = host->dep(ctx, "script");
	struct fault fault = { "" };
	int rc = run_program(&s, &fault), status = s.launch.status;

	if (rc == 0 && s.watch.has_best) {
		host->metric(ctx, "best_step", (double)s.watch.best_step, -1);
		host->metric(ctx, "best_value", s.watch.best, -1);
	}
	if (rc == 0 && (status != 0 || s.why[0] != '\0'))
		rc = tell_end(&s, status, script);
	else if (rc < 0 && fault.text[0] != '\0')
		rc = host->fail(ctx, fault.text);
	lines_close(&s.lines);
	launch_release(&s.launch);
	text_release(&s.stop_path);
	if (fault.text[0] == '\0')
		end_alike(status);
	return rc;
}

static const flow_port deps[] = {
	{ "script", "the program's file; other deps are FLOW_DEP_<NAME> in its environment", 1 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "checkpoint",
		"a folder of kind checkpoint, FLOW_CHECKPOINT, from which the next attempt goes on; "
		"other outs are FLOW_OUT_<NAME>",
		0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "program", "any", "",
		"what runs the file, as python3, or a list with its first arguments; without it "
		"the file itself" },
	{ "args", "list", "[]", "what comes after the file: texts and numbers" },
	{ "env", "map", "{}", "variables of its environment, beyond flow's own" },
	{ "watch", "text", "",
		"a metric: training fails when it is no number, and is told to stop when it no "
		"longer gets better" },
	{ "goal", "text", "min", "which values of it are better: min or max" },
	{ "patience", "integer 0..1000000000", "0",
		"values without a better one before the file FLOW_STOP appears; 0: never" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_script = { sizeof(flow_stage), "script", "1",
	"run a training program of your own: PyTorch or anything", deps, outs, options, run };
