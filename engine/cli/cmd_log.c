#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "report/log.h"
#include "report/rows_json.h"
#include "report/tame.h"
#include "store/runs.h"

#define POLL_MS      200
#define FOLLOW_LINES 10
#define JSON_MAX     ((uint64_t)1 << 20) /* bytes of a log in an answer: its end */

struct request {
	struct records records;
	struct run_record run;
	const char *task; /* NULL: none was named */
	struct log_list logs;
};

static int flush(struct cli *c, struct err *e)
{
	if (screen_flush(&c->out, e) < 0)
		return e->code;
	return c->out.broken ? err_set(e, ERR_CANCELED, "nobody reads any more") : 0;
}

/* All that the reader has now: as it is into a pipe, harmless onto a terminal. */
static int copy(struct cli *c, struct log_reader *reader, struct tamer *tamer, struct err *e)
{
	struct buf chunk = { 0 };
	int rc = flush(c, e);

	while (rc == 0 && (rc = log_next(reader, &chunk, e)) > 0) {
		if (c->out.tty)
			tame(tamer, &c->out.text, chunk.data, chunk.len);
		else
			buf_add(&c->out.text, chunk.data, chunk.len);
		buf_clear(&chunk);
		rc = flush(c, e);
	}
	buf_release(&chunk);
	return rc;
}

static int follow(struct cli *c, struct request *q, struct log_reader *reader, struct tamer *tamer,
	struct err *e)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	int rc = 1;

	/* Each look at the journal must see what it holds then. */
	records_live(&q->records);
	while (rc > 0) {
		(void)nanosleep(&pause, NULL);
		rc = log_grow(reader, &q->records.db, e);
		if (rc >= 0 && copy(c, reader, tamer, e) < 0)
			rc = e->code;
	}
	return rc;
}

static void put_heading(struct cli *c, const struct log_part *part, bool is_first)
{
	const char *word = task_word(part->attempt.state);

	screen_str(&c->out, is_first ? "" : "\n");
	screen_paint(&c->out, PAINT_BOLD,
		arena_printf(&c->arena, "==> %s", shown(c, part->attempt.task)));
	screen_printf(&c->out, "  attempt %lld  ", (long long)part->attempt.number);
	screen_paint(&c->out, run_paint(word), shown(c, word));
	if (part->reused)
		screen_str(&c->out, "  (cached: the log is of an earlier run)");
	else if (part->attempt.why[0] != '\0')
		screen_printf(&c->out, "  %s", shown(c, part->attempt.why));
	screen_str(&c->out, "\n");
}

static int put_log(struct cli *c, struct request *q, size_t i, struct err *e)
{
	const struct log_part *part = &q->logs.items[i];
	unsigned lines = c->lines != 0 ? c->lines : FOLLOW_LINES;
	struct tamer tamer = { 0 };
	struct log_reader reader;
	int rc;

	if (q->logs.count > 1 || c->out.tty)
		put_heading(c, part, i == 0);
	else if (part->reused)
		screen_printf(&c->talk, "`%s` was cached: the log is of an earlier run\n",
			shown(c, part->attempt.task));
	(void)screen_flush(&c->talk, e);
	rc = log_open(&reader, &q->records.project, &part->attempt, e);
	if (rc == 0 && (c->lines != 0 || c->follow))
		rc = log_last(&reader, lines, e);
	if (rc == 0)
		rc = copy(c, &reader, &tamer, e);
	if (rc == 0 && c->follow)
		rc = follow(c, q, &reader, &tamer, e);
	log_close(&reader);
	/* Of many logs one that has been removed is no reason to hide the others. */
	if (rc != ERR_NOTFOUND || q->logs.count == 1)
		return rc;
	screen_printf(&c->out, "(%s)\n", e->text);
	return 0;
}

static int text_json(struct json *j, struct cli *c, struct log_reader *reader, struct err *e)
{
	struct buf text = { 0 };
	bool cut = false;
	size_t i;
	int rc = c->lines != 0 ? log_last(reader, c->lines, e) : 0;

	if (rc == 0 && reader->end - reader->at > JSON_MAX) {
		reader->at = reader->end - JSON_MAX;
		cut = true;
	}
	while (rc == 0 && (rc = log_next(reader, &text, e)) > 0)
		rc = 0;
	for (i = 0; i < text.len; i++)
		if (text.data[i] == '\0')
			text.data[i] = '?';
	buf_char(&text, '\0');
	json_key_int(j, "bytes", (int64_t)(reader->end - reader->from));
	json_key_bool(j, "cut", cut);
	json_key_string(j, "text", text.data);
	buf_release(&text);
	return rc;
}

static int logs_json(struct cli *c, struct request *q, struct err *e)
{
	int64_t now = clock_wall_ms();
	struct log_reader reader;
	struct json j;
	size_t i;
	int rc = 0;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "run");
	run_json(&j, &q->run, q->run.ended_ms == 0 && run_is_alive(&q->records.project, &q->run),
		now);
	json_key(&j, "logs");
	json_open_array(&j);
	for (i = 0; i < q->logs.count && rc == 0; i++) {
		const struct log_part *part = &q->logs.items[i];

		json_open_object(&j);
		attempt_members(&j, &part->attempt, now);
		json_key_bool(&j, "of_earlier_run", part->reused);
		json_key_string(&j, "file", arena_printf(&c->arena, ".flow/%s", part->attempt.log));
		json_key_int(&j, "from", part->attempt.log_from);
		rc = log_open(&reader, &q->records.project, &part->attempt, e);
		if (rc == 0)
			rc = text_json(&j, c, &reader, e);
		else if (rc == ERR_NOTFOUND)
			rc = 0;
		log_close(&reader);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	return rc;
}

/* Only one attempt can be followed: the one that runs, when the names leave several. */
static int choose_followed(struct request *q, struct arena *a, struct err *e)
{
	size_t i, open = 0, count = 0;
	const char *names = "";

	if (q->logs.count < 2)
		return 0;
	for (i = 0; i < q->logs.count; i++)
		if (attempt_is_open(&q->logs.items[i].attempt)) {
			names = arena_printf(a, "%s%s%.60s", names, count++ > 0 ? ", " : ": ",
				q->logs.items[i].attempt.task);
			open = i;
		}
	if (count != 1) {
		err_set(e, ERR_USAGE, "%zu tasks are running%s", count, names);
		return err_hint(e, "name the one to follow: `flow log -f TASK`");
	}
	q->logs.items[0] = q->logs.items[open];
	q->logs.count = 1;
	return 0;
}

static int answer(struct cli *c, struct request *q, struct err *e)
{
	size_t i;
	int rc = records_attempt(c, &q->records.db, &q->run, &q->task, e);

	if (rc == 0)
		rc = logs_find(
			&q->logs, &q->records.db, &q->run, q->task, c->attempt, &c->arena, e);
	if (rc < 0 || c->json)
		return rc < 0 ? rc : logs_json(c, q, e);
	if (q->logs.count == 0)
		screen_printf(&c->talk,
			"nothing ran in %s: every task was cached; `flow log %s TASK` shows one\n",
			q->run.name, q->run.name);
	if (c->follow)
		rc = choose_followed(q, &c->arena, e);
	for (i = 0; i < q->logs.count && rc == 0; i++)
		rc = put_log(c, q, i, e);
	return rc;
}

static int log_main(struct cli *c)
{
	struct request q = { 0 };
	struct err e;
	int rc;

	if (records_open(&q.records, c, &e) < 0)
		return records_fail(
			c, &e, c->args.count > 0 ? NULL : "{\"v\":1,\"run\":null,\"logs\":[]}");
	rc = answer(c, &q, &e);
	if (rc < 0 && c->json)
		buf_clear(&c->out.text);
	if (c->out.broken)
		rc = 0;
	return rc < 0 ? records_lost(c, &q.records, &e) : records_done(c, &q.records);
}

static const struct opt opts[] = {
	{ 'f', "follow", OPT_FLAG, NULL, "go on while the attempt runs, from its last 10 lines on",
		OPT_AT(follow), NULL },
	{ 'n', "lines", OPT_NUMBER, "N", "only the last N lines", OPT_AT(lines), NULL },
	{ 0, "attempt", OPT_NUMBER, "N", "of this attempt, from 1 (default: the last)",
		OPT_AT(attempt), NULL },
	{ 0, "file", OPT_TEXT, "FILE", "the pipeline (default: dag.yaml)", OPT_AT(dag), NULL },
	OPT_END,
};

const struct command cmd_log = { .name = "log",
	.group = GROUP_LOOK,
	.args = "[RUN] [TASK]",
	.summary = "show what tasks wrote",
	.about = "Without TASK: of the tasks that failed, or when none did of all that ran,\n"
		 "each under a heading that says why it ran. TASK may be a stage: then all its\n"
		 "tasks. RUN as in `flow runs show`; the default is @last. Into a pipe the bytes\n"
		 "are those the task wrote; on a terminal control characters other than colours\n"
		 "are made harmless. Of a log that grew too long (resources: {log: ...}) the\n"
		 "middle was left out; a line says how much.\n",
	.examples = "flow log\n"
		    "flow log train -n 20\n"
		    "flow log @{1} train --attempt 1\n"
		    "flow log -f train\n",
	.most = 2,
	.shows = true,
	.opts = opts,
	.run = log_main };
