#include <string.h>

#include "base/path.h"
#include "base/vec.h"
#include "dag/diag.h"
#include "dag/load.h"
#include "dag/spec.h"
#include "dag/task.h"
#include "dag/yaml.h"

#define PATH_LENGTH_MAX 4096

static bool has_control(const char *path)
{
	for (; *path != '\0'; path++)
		if ((unsigned char)*path < 0x20 || *path == 0x7f)
			return true;
	return false;
}

/* The path of a port, resolved and clean, in the scratch arena; or NULL. */
static const char *read_path(struct task_maker *m, const struct port_spec *port)
{
	const char *path, *why = NULL;

	buf_clear(&m->text);
	if (expr_text(&m->scope, port->path, false, &m->text) < 0)
		return NULL;
	path = buf_text(&m->text);
	if (path[0] == '\0')
		why = "a path may not be empty";
	else if (m->text.len >= PATH_LENGTH_MAX)
		why = "a path may not be longer than 4095 bytes";
	else if (has_control(path))
		why = "a path may not hold control characters";
	if (why != NULL) {
		diag_add(m->build->diags, "E0212", yaml_place(port->path), "%s", why);
		return NULL;
	}
	return path_clean(&m->scratch, path);
}

/* Outs lie in the project and leave flow's own files alone. */
static int check_out(struct task_maker *m, const struct port_spec *port, const char *path)
{
	const char *why = NULL;

	if (path_leaves(path))
		why = "is outside the project's folder";
	else if (strcmp(path, ".") == 0)
		why = "is the project's folder itself";
	else if (path_is_inside(path, ".flow"))
		why = "is inside .flow, where flow keeps its state";
	else if (path_is_inside(path, ".git"))
		why = "is inside .git";
	else if (strcmp(path, path_base(m->build->input->path)) == 0)
		why = "is the pipeline's own file";
	if (why == NULL)
		return 0;
	diag_add(
		m->build->diags, "E0205", yaml_place(port->path), "the out `%.200s` %s", path, why);
	return -1;
}

static struct pos pos_of(struct task_maker *m, const struct yaml *node)
{
	return (struct pos){ .file = text_pool_string(&m->build->text, node->file->name),
		.line = node->line,
		.col = node->col };
}

static int add_dep(struct task_maker *m, const struct port_spec *port)
{
	const char *path = read_path(m, port), *name = port->name;
	struct build *b = m->build;
	struct dep dep = { .producer = NO_NODE, .out = NO_OUT };
	struct binding binding;

	if (path == NULL)
		return -1;
	dep.path = text_pool_string(&b->text, path);
	dep.name = name != NULL ? text_pool_string(&b->text, name) : dep.path;
	dep.at = pos_of(m, port->path);
	vec_push(&b->deps, dep);
	binding = (struct binding){ .name = name != NULL ? name : path, .value = path };
	vec_push(&m->deps, binding);
	return 0;
}

/* metrics and plots may name a path that outs has: one out then, with both flags. */
static struct out *same_out(struct build *b, const struct node *n, uint32_t path)
{
	size_t i;

	for (i = n->outs.first; i < b->outs.count; i++)
		if (b->outs.items[i].path == path)
			return &b->outs.items[i];
	return NULL;
}

static int add_out(struct task_maker *m, struct node *n, const struct port_spec *port)
{
	const char *path = read_path(m, port), *name = port->name;
	struct build *b = m->build;
	struct out out = { .kind = port->kind, .flags = port->flags }, *same = NULL;
	struct binding binding;

	if (path == NULL || check_out(m, port, path) < 0)
		return -1;
	out.path = text_pool_string(&b->text, path);
	if ((port->flags & (OUT_METRICS | OUT_PLOTS)) != 0)
		same = same_out(b, n, out.path);
	if (same != NULL) {
		same->flags |= port->flags;
		return 0;
	}
	out.name = name != NULL ? text_pool_string(&b->text, name) : out.path;
	out.at = pos_of(m, port->path);
	vec_push(&b->outs, out);
	binding = (struct binding){ .name = name != NULL ? name : path, .value = path };
	vec_push(&m->outs, binding);
	return 0;
}

int task_ports(struct task_maker *m, struct node *n)
{
	const struct stage_spec *stage = m->stage;
	struct build *b = m->build;
	uint32_t i;
	int rc = 0;

	m->deps.count = m->outs.count = 0;
	m->scope.deps = m->scope.outs = NULL;
	n->deps.first = (uint32_t)b->deps.count;
	n->outs.first = (uint32_t)b->outs.count;
	for (i = 0; i < stage->deps.count; i++)
		if (add_dep(m, &stage->deps.items[i]) < 0)
			rc = -1;
	for (i = 0; i < stage->outs.count; i++)
		if (add_out(m, n, &stage->outs.items[i]) < 0)
			rc = -1;
	n->deps.count = (uint32_t)b->deps.count - n->deps.first;
	n->outs.count = (uint32_t)b->outs.count - n->outs.first;
	m->scope.deps = &m->deps;
	m->scope.outs = &m->outs;
	return rc;
}
