#include "dag/dot.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "dag/graph.h"
#include "dag/shape.h"

/* "..." of Graphviz: quotes and backslashes are escaped. */
static void put_quoted(struct buf *out, const char *text)
{
	buf_char(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_char(out, '\\');
		buf_char(out, *text);
	}
	buf_char(out, '"');
}

static void put_label(struct buf *out, const struct vertex *v)
{
	struct buf label = { 0 };

	buf_str(&label, v->name);
	if (v->instances != 1)
		buf_printf(&label, " (x%u)", v->instances);
	put_quoted(out, buf_text(&label));
	buf_release(&label);
}

static void write_graphviz(struct buf *out, const struct graph *g, const struct shape *s)
{
	uint32_t i, j;

	buf_str(out, "digraph ");
	put_quoted(out, graph_name(g));
	buf_str(out, " {\n\trankdir=LR;\n\tnode [shape=box];\n");
	for (i = 0; i < s->count; i++) {
		buf_char(out, '\t');
		put_quoted(out, s->vertices[i].name);
		buf_str(out, " [label=");
		put_label(out, &s->vertices[i]);
		buf_str(out, "];\n");
	}
	for (i = 0; i < s->count; i++) {
		struct span before = s->vertices[i].before;

		for (j = before.first; j < before.first + before.count; j++) {
			buf_char(out, '\t');
			put_quoted(out, s->vertices[s->links[j]].name);
			buf_str(out, " -> ");
			put_quoted(out, s->vertices[i].name);
			buf_str(out, ";\n");
		}
	}
	buf_str(out, "}\n");
}

/* Mermaid has no escapes in "..." but entities. Ids are numbers, so that no name can be a
 * keyword. */
static void put_entities(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("\"#<>&;`", *text) != NULL)
			buf_printf(out, "#%d;", *text);
		else
			buf_char(out, *text);
	}
}

static void write_mermaid(struct buf *out, const struct shape *s)
{
	uint32_t i, j;

	buf_str(out, "flowchart LR\n");
	for (i = 0; i < s->count; i++) {
		const struct vertex *v = &s->vertices[i];

		buf_printf(out, "\tn%u[\"", i);
		put_entities(out, v->name);
		if (v->instances != 1)
			buf_printf(out, " (x%u)", v->instances);
		buf_str(out, "\"]\n");
	}
	for (i = 0; i < s->count; i++) {
		struct span before = s->vertices[i].before;

		for (j = before.first; j < before.first + before.count; j++)
			buf_printf(out, "\tn%u --> n%u\n", s->links[j], i);
	}
}

static void write_names(struct json *j, const struct shape *s, const char *key, struct span span)
{
	uint32_t i;

	json_key(j, key);
	json_open_array(j);
	for (i = span.first; i < span.first + span.count; i++)
		json_text(j, s->vertices[s->links[i]].name);
	json_end(j);
}

/* deps and outs: [{"name","path"}], a dep with the task that makes it. */
static void write_ports(struct json *j, const struct graph *g, const struct node *n)
{
	uint32_t i;

	json_key(j, "deps");
	json_open_array(j);
	for (i = n->deps.first; i < n->deps.first + n->deps.count; i++) {
		const struct dep *d = &g->deps[i];

		json_open_object(j);
		json_key_string(j, "name", graph_text(g, d->name));
		json_key_string(j, "path", graph_text(g, d->path));
		json_key_string(
			j, "producer", d->producer != NO_NODE ? node_name(g, d->producer) : NULL);
		json_end(j);
	}
	json_end(j);
	json_key(j, "outs");
	json_open_array(j);
	for (i = n->outs.first; i < n->outs.first + n->outs.count; i++) {
		json_open_object(j);
		json_key_string(j, "name", graph_text(g, g->outs[i].name));
		json_key_string(j, "path", graph_text(g, g->outs[i].path));
		json_end(j);
	}
	json_end(j);
}

static void write_json(struct buf *out, const struct graph *g, const struct shape *s, bool by_stage)
{
	struct json j;
	uint32_t i;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key_string(&j, "name", graph_name(g));
	json_key_string(&j, "level", by_stage ? "stage" : "task");
	json_key(&j, "nodes");
	json_open_array(&j);
	for (i = 0; i < s->count; i++) {
		const struct vertex *v = &s->vertices[i];

		json_open_object(&j);
		json_key_string(&j, "name", v->name);
		json_key_string(&j, "stage", graph_text(g, g->stages[v->stage].name));
		json_key_int(&j, "line", g->stages[v->stage].at.line);
		if (by_stage)
			json_key_int(&j, "instances", v->instances);
		write_names(&j, s, "before", v->before);
		if (!by_stage)
			write_ports(&j, g, &g->nodes[i]);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	buf_char(out, '\n');
}

void dot_write(struct buf *out, const struct graph *g, enum dot_format format, enum dot_level level)
{
	bool by_stage = level == DOT_STAGES || (level == DOT_AUTO && g->node_count > DOT_TASKS_MAX);
	struct shape s;

	shape_make(&s, g, by_stage);
	switch (format) {
	case DOT_GRAPHVIZ: write_graphviz(out, g, &s); break;
	case DOT_MERMAID: write_mermaid(out, &s); break;
	case DOT_JSON: write_json(out, g, &s, by_stage); break;
	}
	shape_release(&s);
}
