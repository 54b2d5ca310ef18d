#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "dag/diag.h"
#include "dag/params.h"
#include "dag/secrets.h"
#include "dag/spec.h"
#include "dag/task.h"
#include "dag/value.h"
#include "dag/yaml.h"

static uint32_t origin_of(struct task_maker *m, const struct yaml *value)
{
	char text[300];

	if (value->line == 0)
		return 0;
	(void)snprintf(text, sizeof text, "%.200s:%u", value->file->name, value->line);
	return text_pool_string(&m->build->text, text);
}

/* A text that is the same for every instance: it has no expression. */
static bool is_constant(const struct yaml *node)
{
	size_t count = node->type == YAML_MAP ? (size_t)node->count * 2 : node->count, i;

	if (yaml_is_scalar(node))
		return !expr_present(node->text);
	for (i = 0; i < count; i++)
		if (!is_constant(&node->items[i]))
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct binding *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* One more variable, or another value for one that is there. NULL: not set. */
static void bind(struct bindings *list, const char *name, const char *value, uint32_t origin)
{
	struct binding binding = { .name = name, .value = value, .origin = origin };
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].name, name) == 0) {
			list->items[i] = binding;
			return;
		}
	}
	vec_push(list, binding);
}

/* Value of a variable for this instance; empty in dag.yaml: what the process environment has,
 * which may be nothing. */
static int read_variable(struct task_maker *m, const struct yaml *name, const struct yaml *value)
{
	uint32_t origin = origin_of(m, name);
	const char *text;

	if (secret_is_named(m->build, name->text) ||
		(value->type == YAML_NULL && secret_is_variable(m->build, name->text))) {
		expr_refuse_secret(m->build, yaml_place(name), name->text);
		return -1;
	}
	if (value->type == YAML_NULL) {
		text = expr_process_env(m->build, name->text);
		bind(&m->env, name->text, text, origin);
		return 0;
	}
	if (!expr_present(value->text)) { /* may outlive the scratch arena: see env_done */
		bind(&m->env, name->text, value->text, origin);
		return 0;
	}
	buf_clear(&m->text);
	if (expr_text(&m->scope, value, true, &m->text) < 0)
		return -1;
	bind(&m->env, name->text, buf_in(&m->text, &m->scratch), origin);
	return 0;
}

static int read_layer(struct task_maker *m, const struct yaml *env, bool *is_same)
{
	uint32_t i;
	int rc = 0;

	if (env == NULL)
		return 0;
	*is_same = *is_same && is_constant(env);
	for (i = 0; i < env->count; i++)
		if (read_variable(m, yaml_key(env, i), yaml_value(env, i)) < 0)
			rc = -1;
	return rc;
}

static struct span put_env(struct task_maker *m)
{
	struct build *b = m->build;
	struct span span = { .first = (uint32_t)b->fields.count };
	size_t i;

	if (m->env.count > 1)
		qsort(m->env.items, m->env.count, sizeof *m->env.items, by_name);
	for (i = 0; i < m->env.count; i++) {
		struct field field = { 0 };

		if (m->env.items[i].value == NULL)
			continue;
		field.name = text_pool_string(&b->text, m->env.items[i].name);
		field.value = text_pool_string(&b->text, m->env.items[i].value);
		field.origin = m->env.items[i].origin;
		vec_push(&b->fields, field);
	}
	span.count = (uint32_t)b->fields.count - span.first;
	return span;
}

/* Three layers: the dag's, that of defaults, the stage's. Later ones win. */
int task_env(struct task_maker *m, struct node *n)
{
	bool is_same = true;
	int rc = 0;

	if (m->env_done) {
		n->env = m->env_span;
		return 0;
	}
	m->env.count = 0;
	m->scope.env = NULL;
	rc |= read_layer(m, m->spec->env, &is_same);
	rc |= read_layer(m, m->spec->default_env, &is_same);
	rc |= read_layer(m, m->stage->env, &is_same);
	n->env = m->env_span = put_env(m);
	m->env_done = is_same;
	m->scope.env = &m->env;
	return rc;
}

static int field_by_name(const void *a, const void *b)
{
	const struct yaml *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

static int put_with(struct task_maker *m, const struct yaml *key)
{
	const struct yaml *value = expr_value(&m->scope, key + 1);
	struct build *b = m->build;
	struct field field = { .name = text_pool_string(&b->text, key->text) };

	if (value == NULL)
		return -1;
	buf_clear(&m->text);
	value_json(&m->text, value);
	field.value = text_pool_add(&b->text, buf_text(&m->text), m->text.len);
	field.origin = origin_of(m, key);
	vec_push(&b->fields, field);
	return 0;
}

int task_with(struct task_maker *m, struct node *n)
{
	const struct yaml *with = m->stage->with, **keys;
	struct build *b = m->build;
	uint32_t i;
	int rc = 0;

	if (with == NULL || m->with_done) {
		n->with = m->with_span;
		return 0;
	}
	keys = arena_alloc(&m->scratch, with->count * sizeof *keys);
	for (i = 0; i < with->count; i++)
		keys[i] = yaml_key(with, i);
	if (with->count > 1)
		qsort(keys, with->count, sizeof *keys, field_by_name);
	n->with.first = (uint32_t)b->fields.count;
	for (i = 0; i < with->count; i++)
		if (put_with(m, keys[i]) < 0)
			rc = -1;
	n->with.count = (uint32_t)b->fields.count - n->with.first;
	m->with_span = n->with;
	m->with_done = is_constant(with);
	return rc;
}

/* The tracked params of the stage, for all its nodes. */
void task_params(struct task_maker *m)
{
	struct build *b = m->build;
	struct span span = { .first = (uint32_t)b->fields.count };
	uint32_t i;

	for (i = 0; i < m->params->count; i++)
		if (m->used[i] != 0)
			vec_push(&b->fields, b->params.items[i]);
	span.count = (uint32_t)b->fields.count - span.first;
	for (i = m->first_node; i < b->nodes.count; i++)
		b->nodes.items[i].params = span;
}
