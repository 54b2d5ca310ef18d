#include "cli/plugin_check.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/near.h"
#include "base/vec.h"
#include "cli/with_check.h"
#include "dag/graph.h"

#define DESCRIPTION "{\"abi\":" /* as it begins */

json_t *plugin_description(const char *text)
{
	const char *begin = NULL, *next = text;

	while ((next = strstr(next, DESCRIPTION)) != NULL)
		begin = next++;
	return begin != NULL ? json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

static const char *name_of(const json_t *named)
{
	const char *name = json_string_value(json_object_get(named, "name"));

	return name != NULL ? name : "";
}

/* The stage that is used; NULL: the plugin has none of that name, which is a fault. */
static const json_t *pick(struct plugin_faults *out, const json_t *stages, const char *uses,
	const char *entry, struct arena *a)
{
	struct near near;
	const json_t *stage;
	size_t i;

	near_start(&near, entry);
	json_array_foreach(stages, i, stage)
	{
		if (entry[0] == '\0' || strcmp(name_of(stage), entry) == 0)
			return stage;
		near_offer(&near, name_of(stage));
	}
	vec_push(out,
		((struct plugin_fault){ "E0701",
			arena_printf(a, "`%.*s` has no stage `%s`%s%s%s", (int)strcspn(uses, "#"),
				uses, entry, near.best != NULL ? ", did you mean `" : "",
				near.best != NULL ? near.best : "",
				near.best != NULL ? "`?" : ""),
			NULL }));
	return NULL;
}

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

static void check_ports(struct plugin_faults *out, const json_t *stage, bool is_out,
	const struct graph *g, const struct node *n, struct arena *a)
{
	const char *what = is_out ? "out" : "dep";
	const json_t *port;
	size_t i;

	json_array_foreach(json_object_get(stage, is_out ? "outs" : "deps"), i, port)
	{
		const char *name = name_of(port);

		if (!json_is_true(json_object_get(port, "required")) ||
			(is_out ? has_out(g, n, name) : has_dep(g, n, name)))
			continue;
		vec_push(out, ((struct plugin_fault){ "E0703",
				      arena_printf(a, "`%s` needs %s named `%s`: %ss: {%s: ...}",
					      graph_text(g, n->uses), is_out ? "an out" : "a dep",
					      name, what, name),
				      NULL }));
	}
}

void plugin_check(struct plugin_faults *out, const char *text, const struct graph *g, uint32_t node,
	const char *entry, struct arena *a)
{
	const struct node *n = &g->nodes[node];
	json_t *root = plugin_description(text);
	const json_t *stage = NULL;

	if (root != NULL)
		stage = pick(
			out, json_object_get(root, "stages"), graph_text(g, n->uses), entry, a);
	if (stage != NULL) {
		check_ports(out, stage, false, g, n, a);
		check_ports(out, stage, true, g, n, a);
		with_check(out, stage, g, node, a);
	}
	json_decref(root);
}
