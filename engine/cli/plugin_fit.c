#include "cli/plugin_fit.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/near.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "stage/description.h"
#include "stage/option.h"

struct plugin_option {
	struct option takes;
	const char *help;
	bool is_required;
};

/* -- the description ----------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *of, const char *key)
{
	const char *text = json_string_value(json_object_get(of, key));

	return text != NULL ? text : "";
}

static double bound_of(const json_t *option, const char *key, double none)
{
	const json_t *bound = json_object_get(option, key);

	return bound != NULL ? json_number_value(bound) : none;
}

/* NULL: the plugin has none of that name. */
static const json_t *pick(struct plugin_fit *f, const json_t *stages, const char *entry)
{
	const json_t *stage;
	struct near near;
	size_t i;

	near_start(&near, entry);
	json_array_foreach(stages, i, stage)
	{
		if (entry[0] == '\0' || strcmp(text_of(stage, "name"), entry) == 0)
			return stage;
		near_offer(&near, text_of(stage, "name"));
	}
	f->near = near.best != NULL ? arena_strdup(f->arena, near.best) : NULL;
	return NULL;
}

static void read_ports(struct plugin_ports *ports, const json_t *list, struct arena *a)
{
	const json_t *port;
	size_t i;

	ports->required = arena_alloc(a, (json_array_size(list) + 1) * sizeof *ports->required);
	json_array_foreach(list, i, port)
		if (json_is_true(json_object_get(port, "required")))
			ports->required[ports->count++] = arena_strdup(a, text_of(port, "name"));
}

static void read_options(struct plugin_fit *f, const json_t *list)
{
	const json_t *given;
	size_t i;

	if (!json_is_array(list))
		return;
	f->options = arena_zalloc(f->arena, (json_array_size(list) + 1) * sizeof *f->options);
	json_array_foreach(list, i, given)
	{
		struct plugin_option *o = &f->options[f->option_count++];

		o->takes = (struct option){ .key = arena_strdup(f->arena, text_of(given, "key")),
			.min = bound_of(given, "min", -HUGE_VAL),
			.max = bound_of(given, "max", HUGE_VAL) };
		(void)snprintf(o->takes.type, sizeof o->takes.type, "%s", text_of(given, "type"));
		o->help = arena_strdup(f->arena, text_of(given, "help"));
		o->is_required = !json_is_string(json_object_get(given, "default"));
	}
}

bool plugin_fit_read(struct plugin_fit *f, const char *text, const char *entry, struct arena *a)
{
	json_t *root = description_read(text);
	const json_t *stage;

	*f = (struct plugin_fit){ .arena = a };
	stage = pick(f, json_object_get(root, "stages"), entry);
	read_ports(&f->deps, json_object_get(stage, "deps"), a);
	read_ports(&f->outs, json_object_get(stage, "outs"), a);
	read_options(f, json_object_get(stage, "options"));
	json_decref(root);
	return stage != NULL;
}

/* -- a task beside it ------------------------------------------------------------------------------------------------------ */

static bool has_dep(const struct graph *g, const struct node *n, const char *name)
{
	uint32_t i;

	for (i = 0; i < n->deps.count; i++)
		if (strcmp(graph_text(g, g->deps[n->deps.first + i].name), name) == 0)
			return true;
	return false;
}

static bool has_out(const struct graph *g, const struct node *n, const char *name)
{
	uint32_t i;

	for (i = 0; i < n->outs.count; i++)
		if (strcmp(graph_text(g, g->outs[n->outs.first + i].name), name) == 0)
			return true;
	return false;
}

static bool has_key(const struct graph *g, struct span with, const char *key)
{
	uint32_t i;

	for (i = 0; i < with.count; i++)
		if (strcmp(graph_text(g, g->fields[with.first + i].name), key) == 0)
			return true;
	return false;
}

static void add(struct plugin_faults *out, const char *text, const char *key, bool is_unknown)
{
	if (text != NULL)
		vec_push(out, ((struct plugin_fault){ "E0703", text, key, is_unknown }));
}

void plugin_fit_ports(struct plugin_faults *out, const struct plugin_fit *f, const struct graph *g, uint32_t node)
{
	const struct node *n = &g->nodes[node];
	size_t i;

	for (i = 0; i < f->deps.count; i++)
		if (!has_dep(g, n, f->deps.required[i]))
			add(out, arena_printf(f->arena, "`%s` needs a dep named `%s`: deps: {%s: ...}", graph_text(g, n->uses),
					 f->deps.required[i], f->deps.required[i]),
				NULL, false);
	for (i = 0; i < f->outs.count; i++)
		if (!has_out(g, n, f->outs.required[i]))
			add(out, arena_printf(f->arena, "`%s` needs an out named `%s`: outs: {%s: ...}", graph_text(g, n->uses),
					 f->outs.required[i], f->outs.required[i]),
				NULL, false);
}

static const char *unknown(const struct plugin_fit *f, const char *key)
{
	struct near near;
	size_t i;

	near_start(&near, key);
	for (i = 0; i < f->option_count; i++)
		near_offer(&near, f->options[i].takes.key);
	return option_unknown(key, near.best, f->arena);
}

static void check_value(struct plugin_faults *out, const struct plugin_fit *f, const char *key, const char *text)
{
	json_t *value;
	size_t i;

	for (i = 0; i < f->option_count; i++)
		if (strcmp(f->options[i].takes.key, key) == 0)
			break;
	if (i == f->option_count) {
		add(out, unknown(f, key), key, true);
		return;
	}
	value = json_loads(text, JSON_DECODE_ANY, NULL);
	if (value != NULL)
		add(out, option_fault(&f->options[i].takes, value, f->arena), key, false);
	json_decref(value);
}

void plugin_fit_with(struct plugin_faults *out, const struct plugin_fit *f, const struct graph *g, uint32_t node)
{
	struct span with = g->nodes[node].with;
	uint32_t i;
	size_t k;

	if (f->options == NULL)
		return;
	for (i = 0; i < with.count; i++) {
		const struct field *field = &g->fields[with.first + i];

		check_value(out, f, graph_text(g, field->name), graph_text(g, field->value));
	}
	for (k = 0; k < f->option_count; k++)
		if (f->options[k].is_required && !has_key(g, with, f->options[k].takes.key))
			add(out, option_missing(f->options[k].takes.key, f->options[k].help, f->arena), NULL, false);
}
