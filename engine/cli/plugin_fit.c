#include "cli/with_check.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/near.h"
#include "base/vec.h"
#include "cli/plugin_check.h"
#include "dag/graph.h"
#include "dag/yaml.h"
#include "stage/option.h"

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

static const char *unknown(const json_t *options, const char *key, struct arena *a)
{
	const json_t *option;
	struct near near;
	size_t i;

	near_start(&near, key);
	json_array_foreach(options, i, option)
		near_offer(&near, text_of(option, "key"));
	return option_unknown(key, near.best, a);
}

/* NULL: it fits. */
static const char *fault_of(
	const json_t *options, const char *key, const json_t *value, struct arena *a)
{
	const json_t *option;
	size_t i;

	json_array_foreach(options, i, option)
	{
		struct option o = { .key = key,
			.min = bound_of(option, "min", -HUGE_VAL),
			.max = bound_of(option, "max", HUGE_VAL) };

		if (strcmp(text_of(option, "key"), key) != 0)
			continue;
		(void)snprintf(o.type, sizeof o.type, "%s", text_of(option, "type"));
		return option_fault(&o, value, a);
	}
	return unknown(options, key, a);
}

static bool has(const struct graph *g, struct span with, const char *key)
{
	uint32_t i;

	for (i = 0; i < with.count; i++)
		if (strcmp(graph_text(g, g->fields[with.first + i].name), key) == 0)
			return true;
	return false;
}

static void add(struct plugin_faults *out, const char *text, const char *key)
{
	if (text != NULL)
		vec_push(out, ((struct plugin_fault){ "E0703", text, key }));
}

static void check_given(struct plugin_faults *out, const json_t *options, const struct graph *g,
	struct span with, struct arena *a)
{
	uint32_t i;

	for (i = 0; i < with.count; i++) {
		const struct field *field = &g->fields[with.first + i];
		const char *key = graph_text(g, field->name);
		json_t *value = json_loads(graph_text(g, field->value), JSON_DECODE_ANY, NULL);

		if (value != NULL)
			add(out, fault_of(options, key, value, a), key);
		json_decref(value);
	}
}

void with_check(struct plugin_faults *out, const json_t *stage, const struct graph *g, uint32_t node,
	struct arena *a)
{
	struct span with = g->nodes[node].with;
	const json_t *option, *options = json_object_get(stage, "options");
	size_t i;

	if (!json_is_array(options)) /* it takes any key */
		return;
	check_given(out, options, g, with, a);
	json_array_foreach(options, i, option)
	{
		const char *key = text_of(option, "key");

		if (!json_is_string(json_object_get(option, "default")) && !has(g, with, key))
			add(out, option_missing(key, text_of(option, "help"), a), NULL);
	}
}

struct place with_place(const struct yaml *root, const char *stage, const char *key)
{
	const char *const way[] = { "stages", stage, "with", key };
	const struct yaml *node = root;
	size_t i;

	for (i = 0; node != NULL && i < sizeof way / sizeof way[0]; i++)
		node = node->type == YAML_MAP ? yaml_get(node, way[i]) : NULL;
	return node != NULL ? yaml_place(node) : (struct place){ .line = 0 };
}
