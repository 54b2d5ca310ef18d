/*
 * tests/support/random_dag.h - the text of a dag.yaml of 1 to 60 tasks, drawn from dice.
 *
 *     struct buf text = { 0 };  random_dag(&text, &dice);
 * Stages have one to four instances. Each may read an out of an earlier instance, something inside it, or the folder that
 * holds the outs of all of them; or only wait for a stage or an instance. Resources, max_parallel, retry, timeout and
 * allow_failure are drawn as well.
 */
#ifndef FLOW_TESTS_RANDOM_DAG_H
#define FLOW_TESTS_RANDOM_DAG_H

#include "base/buf.h"
#include "random.h"

#define RANDOM_STAGES_MAX    24u
#define RANDOM_TASKS_MAX     60u
#define RANDOM_INSTANCES_MAX 4u

struct random_stages {
	uint32_t instances[RANDOM_STAGES_MAX];
	uint32_t count, tasks;
};

static inline void random_dep(struct buf *out, struct dice *d, const struct random_stages *s)
{
	uint32_t from = dice_below(d, s->count);

	buf_printf(out, "o/s%u", from);
	if (dice_one_in(d, 4))
		return;
	buf_printf(out, "/%u", dice_below(d, s->instances[from]));
	if (dice_one_in(d, 4))
		buf_str(out, "/part");
}

/* Names are listed once: a dep that is listed twice is an error. */
static inline void random_list(struct buf *out, struct dice *d, const struct random_stages *s, bool is_deps)
{
	uint32_t count = dice_below(d, 4), i;
	struct buf list = { 0 }, item = { 0 };

	for (i = 0; i < count && s->count > 0; i++) {
		uint32_t from = dice_below(d, s->count);

		buf_clear(&item);
		if (is_deps)
			random_dep(&item, d, s);
		else if (dice_one_in(d, 2))
			buf_printf(&item, "s%u", from);
		else
			buf_printf(&item, "s%u@%u", from, dice_below(d, s->instances[from]));
		buf_char(&item, ',');
		if (strstr(buf_text(&list), buf_text(&item)) == NULL)
			buf_add(&list, item.data, item.len);
	}
	if (list.len > 0)
		buf_printf(out, "    %s: [%.*s]\n", is_deps ? "deps" : "needs", (int)list.len - 1, list.data);
	buf_release(&list);
	buf_release(&item);
}

static inline void random_retry(struct buf *out, struct dice *d)
{
	static const char *const on[] = { "error", "signal", "timeout", "oom", "missing_out", "'exit:75'" };
	uint32_t i;

	buf_printf(out, "    retry: {limit: %u, delay: %ums, backoff: %u, max_delay: %ums, jitter: %s",
		dice_below(d, 4), dice_below(d, 3000), dice_between(d, 1, 3), dice_below(d, 6000),
		dice_one_in(d, 2) ? "0" : "0.5");
	if (dice_one_in(d, 2)) {
		buf_str(out, ", on: [lost");
		for (i = 0; i < sizeof on / sizeof *on; i++)
			if (dice_one_in(d, 2))
				buf_printf(out, ", %s", on[i]);
		buf_char(out, ']');
	}
	if (dice_one_in(d, 3))
		buf_printf(out, ", scale: {timeout: %u, mem: 1.5}", dice_between(d, 1, 4));
	buf_str(out, "}\n");
}

static inline void random_stage(struct buf *out, struct dice *d, struct random_stages *s)
{
	uint32_t instances = dice_between(d, 1, RANDOM_INSTANCES_MAX), i;

	buf_printf(out, "  s%u:\n    cmd: 'x ${key}'\n    foreach: {", s->count);
	for (i = 0; i < instances; i++)
		buf_printf(out, "%s'%u': x", i > 0 ? ", " : "", i);
	buf_printf(out, "}\n    outs: ['o/s%u/${key}']\n", s->count);
	random_list(out, d, s, true);
	random_list(out, d, s, false);
	if (dice_one_in(d, 2))
		buf_printf(out, "    resources: {cpu: %u.%u, mem: %uM}\n", dice_below(d, 5),
			dice_between(d, 1, 9), dice_below(d, 5000));
	if (dice_one_in(d, 4))
		buf_printf(out, "    max_parallel: %u\n", dice_between(d, 1, 3));
	if (dice_one_in(d, 3))
		buf_printf(out, "    timeout: %us\n", dice_between(d, 1, 20));
	if (dice_one_in(d, 2))
		random_retry(out, d);
	if (dice_one_in(d, 5))
		buf_str(out, "    allow_failure: true\n");
	s->instances[s->count++] = instances;
	s->tasks += instances;
}

static inline void random_dag(struct buf *out, struct dice *d)
{
	struct random_stages s = { .count = 0 };
	uint32_t wanted = dice_between(d, 1, RANDOM_STAGES_MAX);

	buf_clear(out);
	buf_str(out, "stages:\n");
	while (s.count < wanted && s.tasks + RANDOM_INSTANCES_MAX <= RANDOM_TASKS_MAX)
		random_stage(out, d, &s);
}

#endif
