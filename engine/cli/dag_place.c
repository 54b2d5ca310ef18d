#include "cli/dag_place.h"

#include <string.h>

#include "dag/graph.h"
#include "run/session.h"

struct place place_of_stage(const struct session *s, uint32_t stage)
{
	const struct stage *of = &s->graph.stages[stage];

	return (struct place){ .file = s->options.dag,
		.line = of->at.line,
		.col = of->at.col,
		.width = (uint32_t)strlen(graph_text(&s->graph, of->name)) };
}

static const struct yaml *root_of(struct dag_text *t)
{
	const struct session *s = t->session;
	struct diags none = { .arena = t->arena };

	if (t->file.text == NULL) {
		t->file = (struct yaml_file){ s->options.dag, buf_text(&s->text), s->text.len };
		if (yaml_read(&t->root, t->arena, &t->file, &none) < 0)
			t->root = NULL;
	}
	return t->root;
}

static const struct yaml *value_of(const struct yaml *map, const char *key)
{
	return map != NULL && map->type == YAML_MAP ? yaml_get(map, key) : NULL;
}

struct place place_of_with(struct dag_text *t, uint32_t stage, const char *key, bool is_key)
{
	const struct graph *g = &t->session->graph;
	const struct yaml *node = key != NULL ? value_of(root_of(t), "stages") : NULL;

	node = value_of(value_of(node, graph_text(g, g->stages[stage].name)), "with");
	node = value_of(node, key);
	if (node == NULL)
		return place_of_stage(t->session, stage);
	return yaml_place(is_key ? node - 1 : node); /* a key stands before its value */
}

/* The line of dag.yaml on which the text of an inline script begins; 0 when it cannot be told. */
static uint32_t first_line(const struct session *s, uint32_t stage, const char *script)
{
	size_t script_len = strcspn(script, "\n");
	const char *line = buf_text(&s->text);
	uint32_t number = 1;

	for (; *line != '\0'; number++) {
		const char *text = line + strspn(line, " ");
		size_t len = strcspn(text, "\r\n");

		if (number > s->graph.stages[stage].at.line && len == script_len &&
			strncmp(text, script, len) == 0)
			return number;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return 0;
}

struct place place_of_script(const struct session *s, uint32_t stage, const char *script, uint32_t line)
{
	uint32_t first = first_line(s, stage, script);

	if (first == 0)
		return place_of_stage(s, stage);
	return (struct place){ .file = s->options.dag, .line = first + line - 1 };
}
