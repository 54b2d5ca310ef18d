#include "plan/origin.h"

#include <string.h>

#include "base/arena.h"
#include "dag/graph.h"
#include "plan/key.h"
#include "plan/plan.h"

static bool is_named(const struct graph *g, uint32_t name, const struct part_view *v)
{
	const char *text = graph_text(g, name);

	return strlen(text) == v->name_len && memcmp(text, v->name, v->name_len) == 0;
}

static const char *of_field(const struct graph *g, const struct field *fields, uint32_t count,
	const struct part_view *v)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (is_named(g, fields[i].name, v))
			return graph_text(g, fields[i].origin);
	return "";
}

static const char *of_line(struct plan *p, struct pos at, uint32_t line)
{
	if (line == 0)
		return "";
	return arena_printf(&p->arena, "%s:%u", graph_text(p->graph, at.file), line);
}

static const char *of_input(struct plan *p, const struct node *n, const struct part_view *v)
{
	uint32_t i;

	for (i = 0; i < n->deps.count; i++) {
		const struct dep *dep = &p->graph->deps[n->deps.first + i];

		if (dep->producer != NO_NODE && is_named(p->graph, dep->path, v))
			return arena_printf(
				&p->arena, "made by `%s`", node_name(p->graph, dep->producer));
	}
	return "";
}

static const char *of_out(struct plan *p, const struct node *n, const struct part_view *v)
{
	uint32_t i;

	for (i = 0; i < n->outs.count; i++) {
		const struct out *out = &p->graph->outs[n->outs.first + i];

		if (is_named(p->graph, out->name, v))
			return of_line(p, out->at, out->at.line);
	}
	return "";
}

const char *origin_of(struct plan *p, const struct part_view *v)
{
	const struct graph *g = p->graph;
	const struct node *n;

	if (v == NULL || g == NULL)
		return "";
	n = &g->nodes[p->parts_node];
	switch (v->part) {
	case PART_PARAM: return of_field(g, g->params, g->param_count, v);
	case PART_WITH: return of_field(g, g->fields + n->with.first, n->with.count, v);
	case PART_ENV: return of_field(g, g->fields + n->env.first, n->env.count, v);
	case PART_INPUT: return of_input(p, n, v);
	case PART_COMMAND:
	case PART_CWD: return of_line(p, g->stages[n->stage].at, n->line);
	case PART_OUT: return of_out(p, n, v);
	case PART_FORMAT:
	case PART_CODE:
	case PART_ROLE:
	case PART_SECRET: break;
	}
	return "";
}
