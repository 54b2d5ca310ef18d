#include "dag/expand.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "dag/diag.h"
#include "dag/iterate.h"
#include "dag/params.h"
#include "dag/spec.h"
#include "dag/task.h"
#include "dag/value.h"
#include "dag/yaml.h"

#define SCRATCH_TEXT 65536 /* with longer texts than this the scratch arena is emptied each time */

/* All leaves as fields, in their order. */
static void put_params(struct build *b, const struct params *p)
{
	struct buf json = { 0 };
	uint32_t i;

	for (i = 0; i < p->count; i++) {
		struct field field = { .name = text_pool_string(&b->text, p->items[i].name),
			.origin = text_pool_string(&b->text, p->items[i].origin) };

		buf_clear(&json);
		value_json(&json, p->items[i].value);
		field.value = text_pool_add(&b->text, buf_text(&json), json.len);
		vec_push(&b->params, field);
	}
	buf_release(&json);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Equal texts are one text of the pool, so equal names are equal numbers. */
static void check_names(struct build *b, const struct stage_spec *s, uint32_t first)
{
	size_t count = b->nodes.count - first, i;
	uint32_t *names;

	if (count < 2)
		return;
	names = mem_alloc(count * sizeof *names);
	for (i = 0; i < count; i++)
		names[i] = b->nodes.items[first + i].name;
	qsort(names, count, sizeof *names, by_number);
	for (i = 1; i < count && names[i] != names[i - 1];)
		i++;
	if (i < count) {
		struct diag *diag = diag_add(b->diags, "E0208",
			yaml_place(s->foreach != NULL ? s->foreach : s->matrix),
			"two instances have the name `%.300s`", text_pool_text(&b->text, names[i]));
		diag_label(b->diags, diag, "name them by a map: `foreach: {NAME: VALUE}`");
	}
	free(names);
}

/* Memory is bounded: what one file can unfold to is counted as it grows. */
static int check_size(struct build *b, const struct stage_spec *s)
{
	size_t ports =
		b->deps.count + b->outs.count + b->words.count + b->fields.count + b->needs.count;

	if (!b->text.is_full && ports <= BUILD_PORTS_MAX)
		return 0;
	diag_add(b->diags, "E0211", yaml_place(s->name),
		"the pipeline is too large: at `%s` it has over %s", s->name->text,
		b->text.is_full ? "512M of text" : "20000000 deps, outs, words and values");
	return -1;
}

static int expand_stage(struct task_maker *m, const struct stage_spec *s)
{
	struct build *b = m->build;
	struct iteration it;
	struct instance instance;
	int rc = 0;

	task_begin(m, s);
	m->scope.arena = b->arena; /* lists live as long as the iteration */
	if (iteration_begin(&it, &m->scope, s) < 0)
		return 0;
	m->scope.arena = &m->scratch;
	if (it.count > BUILD_NODES_MAX || b->nodes.count + it.count > BUILD_NODES_MAX) {
		diag_add(b->diags, "E0209", yaml_place(it.at != NULL ? it.at : s->name),
			"the pipeline has more than 1000000 tasks: stage `%s` alone adds %llu",
			s->name->text, (unsigned long long)it.count);
		return -1;
	}
	while (rc == 0 && iteration_next(&it, &m->scratch, &instance)) {
		rc = task_add(m, &instance);
		if (it.next % 64 == 0 || it.count == 1 || m->text.cap > SCRATCH_TEXT)
			arena_release(&m->scratch);
		if (check_size(b, s) < 0)
			return -1;
	}
	task_end(m);
	check_names(b, s, m->first_node);
	return 0;
}

int expand(struct build *b, const struct spec *spec, const struct params *params)
{
	struct task_maker m;
	uint32_t i;

	put_params(b, params);
	task_maker_init(&m, b, spec, params);
	for (i = 0; i < spec->stage_count; i++)
		if (expand_stage(&m, &spec->stages[i]) < 0 || b->diags->count == DIAG_MAX)
			break;
	task_maker_release(&m);
	return b->diags->count > 0 ? ERR_INPUT : 0;
}
