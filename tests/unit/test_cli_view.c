/*
 * The displays of a run, fed with what a run would tell. Nothing runs.
 */
#include "../support/dag_text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/eta.h"
#include "cli/view.h"

#define ROWS    40
#define COLUMNS 200
#define TASKS   12

/* A session of which only the graph and the plan are there. */
struct scene {
	struct loaded loaded;
	struct session session;
	struct cli cli;
	struct run_result result;
	struct view view;
	struct past past;
	struct record records[TASKS]; /* per node: how long it took; attempt 0: never timed */
};

static const struct record *latest(void *user, uint32_t node)
{
	struct scene *s = user;

	return s->records[node].attempt != 0 ? &s->records[node] : NULL;
}

static void choose(struct scene *s, const char *task, enum verdict verdict)
{
	s->session.plan.choices[node_of(&s->loaded, task)].verdict = (uint8_t)verdict;
}

static void scene_load(struct scene *s, const char *text)
{
	struct plan *p = &s->session.plan;
	uint32_t i;

	memset(s, 0, sizeof *s);
	load_good(&s->loaded, text);
	s->session.graph = s->loaded.graph;
	s->past = (struct past){ .user = s, .latest = latest };
	p->graph = &s->session.graph;
	p->past = &s->past;
	p->choices = mem_zalloc(s->loaded.graph.node_count * sizeof *p->choices);
	for (i = 0; i < s->loaded.graph.node_count; i++)
		p->choices[i] = (struct choice){
			.reason = REASON_NEVER_RUN, .name = "", .was = "", .is = "", .origin = ""
		};
}

static void scene_open(struct scene *s, enum progress form, unsigned columns)
{
	strcpy(s->result.uuid, "019aa3b2-7c1e-7000-8000-000000000000");
	s->cli.dag = "dag.yaml";
	s->cli.progress = form;
	s->cli.talk.fd = memfd_create("talk", MFD_CLOEXEC);
	s->cli.out.fd = memfd_create("out", MFD_CLOEXEC);
	s->cli.talk.columns = s->cli.out.columns = columns;
	s->cli.talk.rows = 24;
	view_open(&s->view, &s->cli, &s->session, &s->result);
}

static void tell(struct scene *s, struct told what)
{
	if (what.text == NULL)
		what.text = "";
	if (what.code == NULL)
		what.code = "";
	if (what.log == NULL)
		what.log = "";
	if (what.tail == NULL)
		what.tail = "";
	s->view.watch.tell(s->view.watch.user, &what);
}

static void tell_task(struct scene *s, enum told_kind kind, const char *task)
{
	tell(s, (struct told){ .kind = kind,
			.task = node_of(&s->loaded, task),
			.attempt = 1,
			.exit_code = -1,
			.took_ms = 1500 });
}

static void tell_source(struct scene *s)
{
	tell(s, (struct told){ .kind = TOLD_RUN, .task = NO_NODE });
	tell(s, (struct told){
			.kind = TOLD_SOURCE, .task = NO_NODE, .text = "3f9c2e1 (dirty: 1 file)" });
}

static void tell_failed(struct scene *s, const char *task)
{
	tell(s, (struct told){ .kind = TOLD_ENDED,
			.task = node_of(&s->loaded, task),
			.attempt = 1,
			.outcome = OUTCOME_ERROR,
			.exit_code = 3,
			.took_ms = 1500,
			.text = "exit 3",
			.log = ".flow/runs/x/log",
			.tail = "one\n\033[31mtwo\n" });
}

static void tick(struct scene *s)
{
	tell(s, (struct told){ .kind = TOLD_TICK, .task = NO_NODE });
}

static void scene_end(struct scene *s, const char *state)
{
	struct err e;

	s->result.state = state;
	view_close(&s->view);
	summary_write(&s->view, &s->result);
	(void)screen_flush(&s->cli.talk, &e);
	view_release(&s->view);
}

static void read_all(int fd, struct buf *out)
{
	struct err e;

	(void)lseek(fd, 0, SEEK_SET);
	assert_int_equal(file_read_fd(out, fd, (size_t)1 << 20, &e), 0);
}

static void scene_close(struct scene *s)
{
	free(s->session.plan.choices);
	arena_release(&s->session.plan.arena);
	arena_release(&s->cli.arena);
	buf_release(&s->cli.talk.text);
	buf_release(&s->cli.out.text);
	(void)close(s->cli.talk.fd);
	(void)close(s->cli.out.fd);
	loaded_release(&s->loaded);
}

/* Time stamps become `[T]`: they are not what is tested. */
static void without_times(struct buf *text)
{
	char *from = text->data, *to = text->data;

	while (from != NULL && *from != '\0') {
		size_t digits = from[0] == '[' ? strspn(from + 1, "0123456789:.") : 0;

		if (digits >= 6 && from[digits + 1] == ']') {
			memcpy(to, "[T]", 3);
			to += 3;
			from += digits + 2;
		} else {
			*to++ = *from++;
		}
	}
	if (to != NULL)
		*to = '\0';
}

static const char two[] = "stages:\n"
			  "  prepare: {cmd: x, outs: [a]}\n"
			  "  train: {cmd: \"make it\", deps: [a], outs: [b]}\n"
			  "  report: {cmd: y, deps: [b]}\n";

static void check_talk(struct scene *s, const char *expect)
{
	struct buf text = { 0 };

	read_all(s->cli.talk.fd, &text);
	without_times(&text);
	assert_string_equal(buf_text(&text), expect);
	buf_release(&text);
}

static void plain_lines_begin_with_the_commit(void **state)
{
	struct scene s;

	(void)state;
	scene_load(&s, two);
	choose(&s, "prepare", VERDICT_REUSE);
	scene_open(&s, PROGRESS_PLAIN, 80);
	tell(&s, (struct told){ .kind = TOLD_RUN, .task = NO_NODE });
	tell_task(&s, TOLD_STARTED, "train");
	/* It ends before the commit is known: the line waits. */
	tell_task(&s, TOLD_ENDED, "train");
	tick(&s);
	tell_source(&s);
	tell_task(&s, TOLD_REUSED, "report");
	s.result.ran = 1;
	s.result.reused = 2;
	s.result.took_ms = 2500;
	scene_end(&s, "SUCCEEDED");
	check_talk(&s, "run 019aa3b2-7c1e  dag.yaml @ 3f9c2e1 (dirty: 1 file)\n"
		       "[T] prepare  cached\n"
		       "[T] train    ran        1.5s\n"
		       "[T] report   cached\n"
		       "done 019aa3b2-7c1e  1 ran, 2 cached in 2.5s\n");
	scene_close(&s);
}

static void a_failure_is_told_with_its_log(void **state)
{
	struct scene s;

	(void)state;
	scene_load(&s, two);
	choose(&s, "prepare", VERDICT_REUSE);
	scene_open(&s, PROGRESS_PLAIN, 80);
	tell_source(&s);
	tell_task(&s, TOLD_STARTED, "train");
	tell_failed(&s, "train");
	tell_task(&s, TOLD_BLOCKED, "report");
	s.result.failed = s.result.blocked = s.result.reused = 1;
	s.result.took_ms = 2500;
	scene_end(&s, "FAILED");
	check_talk(&s, "run 019aa3b2-7c1e  dag.yaml @ 3f9c2e1 (dirty: 1 file)\n"
		       "[T] prepare  cached\n"
		       "[T] train    FAILED     1.5s  exit 3\n"
		       "\n"
		       "train failed: exit 3 (after 1.5s)\n"
		       "  command  make it\n"
		       "  stage    dag.yaml:3\n"
		       "  log      .flow/runs/x/log\n"
		       "  | one\n"
		       "  | ?[31mtwo\n"
		       "  all of it: flow log 019aa3b2-7c1e train\n"
		       "\n"
		       "blocked: report\n"
		       "\n"
		       "FAILED 019aa3b2-7c1e  1 failed, 1 blocked, 1 cached in 2.5s\n");
	scene_close(&s);
}

static void quiet_is_the_last_line(void **state)
{
	struct scene s;

	(void)state;
	scene_load(&s, two);
	s.cli.quiet = true;
	scene_open(&s, PROGRESS_PLAIN, 80);
	tell_source(&s);
	tell_task(&s, TOLD_STARTED, "train");
	tell_task(&s, TOLD_ENDED, "train");
	s.result.ran = 1;
	s.result.took_ms = 10;
	scene_end(&s, "SUCCEEDED");
	check_talk(&s, "done 019aa3b2-7c1e  1 ran in 10 ms\n");
	scene_close(&s);
}

static void the_metrics_of_the_last_task_stand_for_the_run(void **state)
{
	struct scene s;

	(void)state;
	scene_load(&s, two);
	scene_open(&s, PROGRESS_PLAIN, 80);
	s.cli.quiet = true;
	tell(&s, (struct told){
			 .kind = TOLD_METRIC, .task = 0, .text = "rows", .value = 9, .step = -1 });
	tell(&s, (struct told){
			 .kind = TOLD_METRIC, .task = 1, .text = "loss", .value = 2, .step = 7 });
	tell(&s, (struct told){ .kind = TOLD_METRIC,
			 .task = 1,
			 .text = "accuracy",
			 .value = 0.84412,
			 .step = -1 });
	tell(&s, (struct told){ .kind = TOLD_METRIC,
			 .task = 1,
			 .text = "count",
			 .value = 54000,
			 .step = -1 });
	s.result.ran = 1;
	scene_end(&s, "SUCCEEDED");
	check_talk(&s, "done 019aa3b2-7c1e  1 ran in 0 ms   accuracy 0.8441  count 54000\n");
	scene_close(&s);
}

static void events_are_one_object_a_line(void **state)
{
	struct buf text = { 0 };
	struct scene s;

	(void)state;
	scene_load(&s, two);
	choose(&s, "prepare", VERDICT_REUSE);
	scene_open(&s, PROGRESS_JSON, 80);
	tell_source(&s);
	tell_task(&s, TOLD_STARTED, "train");
	tell_failed(&s, "train");
	tell_task(&s, TOLD_BLOCKED, "report");
	scene_end(&s, "FAILED");
	read_all(s.cli.out.fd, &text);
	assert_non_null(strstr(buf_text(&text), "{\"v\":1,\"event\":\"run\",\"run\":\"019aa3b2-"));
	assert_non_null(strstr(buf_text(&text), "\"tail\":\"one\\n\\u001b[31mtwo\\n\"}\n"));
	assert_non_null(strstr(buf_text(&text), "\"event\":\"end\""));
	assert_non_null(strstr(buf_text(&text), "\"state\":\"FAILED\""));
	check_talk(&s, "");
	buf_release(&text);
	scene_close(&s);
}

/* A terminal that knows what the live display writes, and fails at anything else. */
struct terminal {
	char cells[ROWS][COLUMNS * 4]; /* bytes of each row; one cell a character is enough here */
	unsigned row, last;            /* of the cursor; lowest one used */
	bool hidden;
};

static const char *take_escape(struct terminal *t, const char *p)
{
	const char *end = p + 2 + strspn(p + 2, "?0123456789;");

	if (strncmp(p, "\033[?25l", 6) == 0)
		t->hidden = true;
	else if (strncmp(p, "\033[?25h", 6) == 0)
		t->hidden = false;
	else if (*end == 'A')
		t->row -= t->row > 0;
	else if (*end == 'K')
		t->cells[t->row][0] = '\0';
	else if (strncmp(p, "\033[?2026", 7) != 0)
		fail_msg("unknown sequence %s", p + 1);
	return end + 1;
}

static void show(struct terminal *t, const char *p)
{
	while (*p != '\0') {
		if (*p == '\033') {
			p = take_escape(t, p);
			continue;
		}
		if (*p == '\n') {
			assert_true(++t->row < ROWS);
		} else if (*p != '\r') {
			size_t at = strlen(t->cells[t->row]);

			assert_true(at + 2 < sizeof t->cells[0]);
			t->cells[t->row][at] = *p;
			t->cells[t->row][at + 1] = '\0';
		}
		t->last = t->row > t->last ? t->row : t->last;
		p++;
	}
}

static void show_all(struct scene *s, struct terminal *t)
{
	struct buf text = { 0 };

	memset(t, 0, sizeof *t);
	read_all(s->cli.talk.fd, &text);
	show(t, buf_text(&text));
	buf_release(&text);
}

static void a_block_is_drawn_and_taken_away(void **state)
{
	static struct terminal t;
	struct scene s;
	int i;

	(void)state;
	scene_load(&s, two);
	choose(&s, "prepare", VERDICT_REUSE);
	scene_open(&s, PROGRESS_TTY, 80);
	tell_source(&s);
	tell_task(&s, TOLD_STARTED, "train");
	for (i = 0; i < 5; i++) {
		tell(&s, (struct told){ .kind = TOLD_PROGRESS,
				 .task = node_of(&s.loaded, "train"),
				 .text = "epoch",
				 .done = i,
				 .total = 5 });
		tick(&s);
	}
	show_all(&s, &t);
	assert_true(t.hidden);
	assert_string_equal(t.cells[0], "run 019aa3b2-7c1e  dag.yaml @ 3f9c2e1 (dirty: 1 file)");
	assert_string_equal(t.cells[1], "  ok prepare  cached");
	assert_string_equal(t.cells[2], "  > train             [########--]  4/5  epoch");
	assert_non_null(strstr(t.cells[3], "[1/3] 1 running, 1 waiting, 1 cached   elapsed"));
	tell_task(&s, TOLD_ENDED, "train");
	tick(&s);
	tell_task(&s, TOLD_STARTED, "report");
	tick(&s);
	tell_task(&s, TOLD_ENDED, "report");
	s.result.ran = 2;
	scene_end(&s, "SUCCEEDED");
	show_all(&s, &t);
	assert_false(t.hidden);
	assert_string_equal(t.cells[2], "  ok train    ran        1.5s");
	assert_string_equal(t.cells[3], "  ok report   ran        1.5s");
	assert_non_null(strstr(t.cells[4], "done 019aa3b2-7c1e  2 ran"));
	assert_string_equal(t.cells[5], "");
	scene_close(&s);
}

static void no_line_of_the_block_is_wider_than_the_terminal(void **state)
{
	static struct terminal t;
	struct scene s;
	unsigned row;

	(void)state;
	scene_load(&s, two);
	scene_open(&s, PROGRESS_TTY, 30);
	tell_source(&s);
	tell_task(&s, TOLD_STARTED, "train");
	tell(&s, (struct told){ .kind = TOLD_PROGRESS,
			 .task = node_of(&s.loaded, "train"),
			 .text = "a text that is far too long for a terminal as narrow as this" });
	tick(&s);
	show_all(&s, &t);
	for (row = 1; row <= t.last; row++)
		if (text_columns(t.cells[row]) > 29)
			fail_msg("%s", t.cells[row]);
	scene_end(&s, "CANCELLED");
	scene_close(&s);
}

static void many_tasks_are_counted(void **state)
{
	static struct terminal t;
	struct scene s;
	uint32_t i;
	int shown = 0;

	(void)state;
	scene_load(&s, "stages: {a: {foreach: [1,2,3,4,5,6,7,8,9,10,11,12], cmd: x}}");
	scene_open(&s, PROGRESS_TTY, 80);
	tell_source(&s);
	for (i = 0; i < 12; i++)
		tell(&s, (struct told){ .kind = TOLD_STARTED, .task = i, .attempt = 1 });
	tick(&s);
	show_all(&s, &t);
	for (i = 0; i <= t.last; i++)
		shown += strstr(t.cells[i], "  > a@") != NULL;
	assert_int_equal(shown, 7);
	assert_non_null(strstr(t.cells[8], "and 5 more"));
	scene_end(&s, "CANCELLED");
	scene_close(&s);
}

static void the_estimate_is_the_longer_of_chain_and_share(void **state)
{
	struct eta_running running = { .node = 0, .elapsed_ms = 4000 };
	struct scene s;
	struct eta eta;
	uint32_t i;

	(void)state;
	/* a -> b, and six that stand alone. */
	scene_load(&s, "stages:\n  a: {cmd: x, outs: [a]}\n  b: {cmd: x, deps: [a]}\n"
		       "  c: {foreach: [1, 2, 3, 4, 5, 6], cmd: x}\n");
	for (i = 0; i < 8; i++)
		s.records[i] = (struct record){ .attempt = 1, .took_ms = i < 2 ? 10000 : 1000 };
	eta_open(&eta, &s.session.plan, 8);
	assert_int_equal(eta_ms(&eta, NULL, 0), 20000);
	assert_int_equal(eta_ms(&eta, &running, 1), 16000);
	eta_done(&eta, 0);
	assert_int_equal(eta_ms(&eta, NULL, 0), 10000);
	eta_close(&eta);
	eta_open(&eta, &s.session.plan, 1);
	assert_int_equal(eta_ms(&eta, NULL, 0), 26000);
	eta_close(&eta);
	/* One that was never timed makes it unknown, until it is done. */
	s.records[7].attempt = 0;
	eta_open(&eta, &s.session.plan, 1);
	assert_int_equal(eta_ms(&eta, NULL, 0), -1);
	eta_done(&eta, 7);
	assert_int_equal(eta_ms(&eta, NULL, 0), 25000);
	eta_close(&eta);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_lines_begin_with_the_commit),
		cmocka_unit_test(a_failure_is_told_with_its_log),
		cmocka_unit_test(quiet_is_the_last_line),
		cmocka_unit_test(the_metrics_of_the_last_task_stand_for_the_run),
		cmocka_unit_test(events_are_one_object_a_line),
		cmocka_unit_test(a_block_is_drawn_and_taken_away),
		cmocka_unit_test(no_line_of_the_block_is_wider_than_the_terminal),
		cmocka_unit_test(many_tasks_are_counted),
		cmocka_unit_test(the_estimate_is_the_longer_of_chain_and_share),
	};

	(void)unsetenv("GITHUB_ACTIONS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
