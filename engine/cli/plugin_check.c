#include "cli/plugin_check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"
#include "cli/dag_place.h"
#include "cli/plugin_fit.h"
#include "dag/graph.h"
#include "plan/key.h"
#include "run/session.h"
#include "stage/description.h"
#include "stage/registry.h"
#include "store/description_cache.h"

struct check {
	struct session *session;
	unsigned flags;
	struct arena arena;             /* of the check */
	struct dag_text dag;
	struct description_cache known;
	bool is_read;                   /* known is */
};

static bool may_run(const struct session *s, uint32_t node)
{
	unsigned verdict = s->plan.choices != NULL ? s->plan.choices[node].verdict : VERDICT_RUN;

	return verdict == VERDICT_RUN || verdict == VERDICT_MAYBE;
}

/* The first at or after `node` that may run; `end`: none. */
static uint32_t next_node(const struct session *s, uint32_t node, uint32_t end)
{
	while (node < end && !may_run(s, node))
		node++;
	return node;
}

/* -- the description ----------------------------------------------------------------------------------------------------- */

static const char *known(struct check *c, const struct digest *code)
{
	const struct session *s = c->session;

	if (!s->has_project || (c->flags & PLUGIN_ASK_ANEW) != 0)
		return NULL;
	if (!c->is_read)
		description_cache_load(&c->known, s->project.flow_fd);
	c->is_read = true;
	return description_cache_find(&c->known, code);
}

/* text NULL: it is not known, and may not be asked. */
static int describe(struct check *c, const char **text, const struct code_list *list, struct err *e)
{
	const struct session *s = c->session;
	const struct digest *code = list->files[0].digest;

	*text = known(c, code);
	if (*text != NULL || ((c->flags & PLUGIN_LOAD_ALL) == 0 && !registry_is_own(&s->registry, list->path)))
		return 0;
	if (description_ask(text, &c->arena, s->worker, path_join(&c->arena, s->root, list->path), e) < 0)
		return e->code;
	description_cache_add(&c->known, code, *text);
	return 0;
}

static bool is_elf(const struct session *s, const char *path)
{
	int fd = openat(s->root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char magic[4] = "";
	ssize_t n = fd >= 0 ? read(fd, magic, sizeof magic) : 0;

	if (fd >= 0)
		(void)close(fd);
	return n == (ssize_t)sizeof magic && memcmp(magic, "\177ELF", sizeof magic) == 0;
}

/* -- what is wrong ------------------------------------------------------------------------------------------------------- */

static void tell_broken(struct check *c, uint32_t stage, const struct err *fault)
{
	if ((c->flags & PLUGIN_TELL_BROKEN) != 0)
		diag_add_err(&c->session->diags, "E0701", place_of_stage(c->session, stage), fault);
}

static void tell_no_such(struct check *c, uint32_t stage, const char *uses, const char *entry, const char *near)
{
	(void)diag_add(&c->session->diags, "E0701", place_of_stage(c->session, stage), "`%.*s` has no stage `%s`%s%s%s",
		(int)strcspn(uses, "#"), uses, entry, near != NULL ? ", did you mean `" : "", near != NULL ? near : "",
		near != NULL ? "`?" : "");
}

static void tell_faults(struct check *c, uint32_t stage, const struct plugin_faults *faults)
{
	size_t i;

	for (i = 0; i < faults->count; i++) {
		const struct plugin_fault *f = &faults->items[i];

		(void)diag_add(&c->session->diags, f->code, place_of_with(&c->dag, stage, f->key, f->is_unknown), "%s", f->text);
	}
}

/* Instances of a stage may differ in what they are given; those beside each other often share it. */
static void check_nodes(struct check *c, uint32_t stage, const struct plugin_fit *fit)
{
	const struct graph *g = &c->session->graph;
	uint32_t node = g->stages[stage].nodes.first, end = node + g->stages[stage].nodes.count, before = NO_NODE;
	struct plugin_faults faults = { 0 };

	for (; (node = next_node(c->session, node, end)) < end; node++) {
		plugin_fit_ports(&faults, fit, g, node);
		if (before == NO_NODE || g->nodes[node].with.first != g->nodes[before].with.first)
			plugin_fit_with(&faults, fit, g, node);
		tell_faults(c, stage, &faults);
		faults.count = 0;
		before = node;
	}
	vec_release(&faults);
}

/* A task of this run builds it: what lies there now says nothing. */
static bool will_be_made(const struct session *s, const char *path)
{
	const struct graph *g = &s->graph;
	uint32_t node, i;

	for (node = 0; s->plan.choices != NULL && node < g->node_count; node++) {
		struct span outs = g->nodes[node].outs;

		for (i = 0; i < outs.count && may_run(s, node); i++)
			if (path_is_inside(path, graph_text(g, g->outs[outs.first + i].path)))
				return true;
	}
	return false;
}

/* NULL: there is nothing to look at, which may have been told. */
static const struct code_list *find_code(struct check *c, uint32_t stage, uint32_t node)
{
	struct session *s = c->session;
	const struct code_list *list;
	struct err fault;

	if (code_of(&s->code, node, &list, &fault) < 0) {
		tell_broken(c, stage, &fault);
		return NULL;
	}
	if ((c->flags & PLUGIN_TELL_BROKEN) != 0 && !is_elf(s, list->path)) {
		err_set(&fault, ERR_INPUT, "`%s` is not a plugin: it is no shared library", list->path);
		tell_broken(c, stage, &fault);
		return NULL;
	}
	return will_be_made(s, list->path) ? NULL : list;
}

/* Its tasks use the same plugin: one of them is asked for it. */
static int check_stage(struct check *c, uint32_t stage, struct err *e)
{
	struct session *s = c->session;
	struct span nodes = s->graph.stages[stage].nodes;
	uint32_t end = nodes.first + nodes.count, node = next_node(s, nodes.first, end);
	const struct code_list *list = NULL;
	const char *text = NULL;
	struct plugin_fit fit;
	struct err fault;

	if (s->graph.stages[stage].kind == STAGE_PLUGIN && node < end)
		list = find_code(c, stage, node);
	if (list == NULL)
		return 0;
	if (describe(c, &text, list, &fault) < 0) {
		if (fault.code != ERR_INPUT && (c->flags & PLUGIN_TELL_BROKEN) != 0) {
			*e = fault;
			return e->code;
		}
		tell_broken(c, stage, &fault);
		return 0;
	}
	if (text != NULL && plugin_fit_read(&fit, text, list->entry, &c->arena))
		check_nodes(c, stage, &fit);
	else if (text != NULL)
		tell_no_such(c, stage, graph_text(&s->graph, s->graph.nodes[node].uses), list->entry, fit.near);
	return 0;
}

int plugin_check(struct session *s, unsigned flags, struct err *e)
{
	struct check c = { .session = s, .flags = flags };
	bool is_idle = s->plan.choices != NULL && s->plan.count[VERDICT_RUN] + s->plan.count[VERDICT_MAYBE] == 0;
	uint32_t i;
	int rc = 0;

	c.dag = (struct dag_text){ .session = s, .arena = &c.arena };
	for (i = 0; i < s->graph.stage_count && !is_idle && rc == 0; i++)
		rc = check_stage(&c, i, e);
	if (s->has_project && s->options.mode == PROJECT_WRITE)
		description_cache_save(&c.known, s->project.flow_fd);
	description_cache_release(&c.known);
	arena_release(&c.arena);
	return rc == 0 && s->diags.count > 0 ? err_set(e, ERR_INPUT, "the dag has errors") : rc;
}
