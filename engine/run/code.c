#include "run/code.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/path.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "plan/key.h"
#include "stage/lua_scan.h"
#include "stage/registry.h"
#include "store/stats.h"

#define SCRIPT_MAX  ((size_t)16 << 20)
#define MODULES_MAX 1000u

/* Everything found for one `uses`, while it grows. */
struct gathering {
	struct code *code;
	struct {
		struct code_file *items;
		size_t count, cap;
	} files;
	struct {
		struct wire_pair *items;
		size_t count, cap;
	} modules;
	const char *folder;  /* of the script */
	const char *missing; /* a required module that was not found, or NULL */
	size_t next;         /* first module whose own text has not been read */
};

static int add_file(struct gathering *g, const char *name, const char *path, struct err *e)
{
	struct code *c = g->code;
	struct digest *d = arena_alloc(&c->arena, sizeof *d);
	int rc = stats_digest(c->stats, c->root_fd, path, d, e);

	if (rc == ERR_NOTFOUND) {
		err_set(e, ERR_INPUT, "`%s` is not there", path);
		return err_id(e, "E0403");
	}
	if (rc == 0)
		vec_push(&g->files, ((struct code_file){ name, d }));
	return rc;
}

/* NULL: no module has that name. Names are words with dots between them, no paths: those could lead anywhere. */
static const char *module_path(struct gathering *g, const char *name)
{
	struct code *c = g->code;
	char *file = arena_printf(&c->arena, "%s.lua", name), *p;
	const char *path;

	if (!name_is_valid(name) || name[0] == '.' || strstr(name, "..") != NULL)
		return NULL;
	for (p = file; p < file + strlen(name); p++)
		if (*p == '.')
			*p = '/';
	path = path_join(&c->arena, g->folder, file);
	if (file_exists(c->root_fd, path))
		return path;
	path = path_join(&c->arena, "lua", file);
	return file_exists(c->root_fd, path) ? path : registry_module(c->registry, name, &c->arena);
}

static void found(void *user, const char *name, uint32_t line)
{
	struct gathering *g = user;
	const char *path;
	size_t i;

	(void)line;
	for (i = 0; i < g->modules.count; i++)
		if (strcmp(g->modules.items[i].name, name) == 0)
			return;
	if (g->modules.count >= MODULES_MAX)
		return;
	path = module_path(g, name);
	if (path == NULL)
		g->missing = arena_strdup(&g->code->arena, name);
	else
		vec_push(&g->modules,
			((struct wire_pair){ arena_strdup(&g->code->arena, name), path }));
}

static int scan_file(struct gathering *g, const char *path, struct err *e)
{
	struct buf text = { 0 };
	int rc = file_read(&text, g->code->root_fd, path, SCRIPT_MAX, e);

	if (rc == 0)
		lua_scan(buf_text(&text), text.len, found, g);
	buf_release(&text);
	return rc;
}

/* The modules of the modules, until no new one turns up. */
static int close_modules(struct gathering *g, struct err *e)
{
	struct code *c = g->code;
	int rc = 0;

	for (; rc == 0 && g->next < g->modules.count && g->missing == NULL; g->next++) {
		struct wire_pair m = g->modules.items[g->next];

		rc = add_file(g, arena_printf(&c->arena, "module %s", m.name), m.value, e);
		if (rc == 0)
			rc = scan_file(g, m.value, e);
	}
	if (rc == 0 && g->missing != NULL) {
		err_set(e, ERR_INPUT, "no Lua module `%s`", g->missing);
		err_hint(e,
			"modules are looked for beside the script, in lua/ and among flow's own");
		rc = err_id(e, "E0608");
	}
	return rc;
}

/* Where `uses: X` lies: a path of the project, or one that comes with flow. */
static const char *resolve(struct code *c, const char *uses)
{
	enum wire_stage kind;
	const char *path;

	if (strchr(uses, '/') == NULL && registry_find(c->registry, uses, &c->arena, &path, &kind))
		return path;
	return path_clean(&c->arena, uses);
}

static int gather(struct gathering *g, const struct node *n, enum stage_kind kind,
	struct code_list *list, struct err *e)
{
	struct code *c = g->code;
	const char *uses = graph_text(c->graph, n->uses), *hash = strrchr(uses, '#');
	int rc;

	list->entry = list->path = "";
	g->folder = ".";
	if (kind == STAGE_INLINE) {
		const char *text = graph_text(c->graph, n->text);

		lua_scan(text, strlen(text), found, g);
		return close_modules(g, e);
	}
	if (kind == STAGE_PLUGIN && hash != NULL) {
		list->entry = hash + 1;
		uses = arena_strndup(&c->arena, uses, (size_t)(hash - uses));
	}
	list->path = resolve(c, uses);
	rc = add_file(g, kind == STAGE_PLUGIN ? arena_printf(&c->arena, "plugin %s", uses) : uses,
		list->path, e);
	if (rc < 0 || kind == STAGE_PLUGIN)
		return rc;
	list->entry = uses;
	g->folder = path_folder(&c->arena, list->path);
	rc = scan_file(g, list->path, e);
	return rc == 0 ? close_modules(g, e) : rc;
}

void code_open(struct code *c, const struct graph *g, struct stats *stats, int root_fd,
	const struct registry *registry)
{
	memset(c, 0, sizeof *c);
	c->graph = g;
	c->stats = stats;
	c->root_fd = root_fd;
	c->registry = registry;
}

int code_of(struct code *c, uint32_t node, const struct code_list **out, struct err *e)
{
	const struct node *n = &c->graph->nodes[node];
	enum stage_kind kind = (enum stage_kind)c->graph->stages[n->stage].kind;
	const char *name = graph_text(c->graph, kind == STAGE_INLINE ? n->text : n->uses);
	struct map *names = kind == STAGE_INLINE ? &c->by_text : &c->by_uses;
	uint32_t *known = map_get(names, name);
	struct gathering g = { .code = c };
	struct code_list *list;
	int rc;

	if (known != NULL) {
		*out = c->lists.items[*known];
		return 0;
	}
	list = arena_zalloc(&c->arena, sizeof *list);
	rc = gather(&g, n, kind, list, e);
	if (rc == 0) {
		list->count = g.files.count;
		list->files =
			arena_dup(&c->arena, g.files.items, g.files.count * sizeof *list->files);
		list->module_count = (uint32_t)g.modules.count;
		list->modules = arena_dup(
			&c->arena, g.modules.items, g.modules.count * sizeof *list->modules);
		map_put(names, name, (uint32_t)c->lists.count);
		vec_push(&c->lists, list);
		*out = list;
	} else {
		err_context(e, "stage `%s`", graph_text(c->graph, c->graph->stages[n->stage].name));
	}
	vec_release(&g.files);
	vec_release(&g.modules);
	return rc;
}

void code_close(struct code *c)
{
	vec_release(&c->lists);
	map_release(&c->by_uses);
	map_release(&c->by_text);
	arena_release(&c->arena);
}
