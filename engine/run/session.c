#include "run/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/program.h"
#include "dag/load.h"
#include "plan/key.h"
#include "store/graph_cache.h"
#include "store/journal.h"

#define PARAMS_MAX ((size_t)16 << 20)

static int open_project(struct session *s, const char *folder, struct err *e)
{
	int rc = project_open(&s->project, folder, s->options.mode, e);

	if (rc == ERR_NOTFOUND && s->options.mode == PROJECT_READ) {
		s->root = realpath(folder, NULL);
		s->root_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return s->root != NULL && s->root_fd >= 0
			       ? 0
			       : err_system(e, "cannot open folder `%s`", folder);
	}
	if (rc < 0)
		return rc;
	s->has_project = true;
	s->root = s->project.root;
	s->root_fd = s->project.root_fd;
	rc = db_open(&s->db, &s->project, s->options.mode, e);
	if (rc == ERR_NOTFOUND && s->options.mode == PROJECT_READ)
		return 0;
	s->has_db = rc == 0;
	return rc;
}

int session_open(struct session *s, const struct session_options *options, struct err *e)
{
	const char *folder;

	memset(s, 0, sizeof *s);
	s->options = *options;
	s->root_fd = -1;
	s->diags.arena = &s->arena;
	registry_open(&s->registry, &s->arena, NULL);
	s->worker = program_path(&s->arena, "flow-worker");
	s->helper = program_path(&s->arena, "flow-source");
	folder = path_folder(&s->arena, options->dag);
	if (file_read(&s->text, AT_FDCWD, options->dag, DAG_TEXT_MAX, e) < 0) {
		if (e->code == ERR_NOTFOUND)
			err_hint(e, "`flow init` writes a first dag.yaml; -f names another one");
		if (e->code != ERR_SYSTEM)
			e->code = ERR_INPUT;
		return err_id(e, "E0100");
	}
	return open_project(s, folder, e);
}

static int read_file(void *user, const char *path, struct buf *out, struct err *e)
{
	struct session *s = user;

	return file_read(out, s->root_fd, path, PARAMS_MAX, e);
}

static const char *get_env(void *user, const char *name)
{
	(void)user;
	return getenv(name);
}

static int builtin(void *user, const char *name)
{
	struct session *s = user;
	enum wire_stage kind;
	const char *path;

	if (!registry_find(&s->registry, name, &s->arena, &path, &kind))
		return -1;
	return kind == WIRE_LUA ? STAGE_LUA : STAGE_PLUGIN;
}

static bool dep_exists(void *user, uint32_t dep)
{
	struct session *s = user;
	const char *path = graph_text(&s->graph, s->graph.deps[dep].path);
	struct digest d;
	struct err e;

	if (s->options.only_looks)
		return faccessat(s->root_fd, path, F_OK, 0) == 0 || (errno != ENOENT && errno != ENOTDIR);
	/* The answer is kept: the plan asks for the same digest. */
	return stats_digest(&s->stats, s->root_fd, path, &d, &e) != ERR_NOTFOUND;
}

/* Every path that is read and that no task makes will be asked for. */
static void learn_sources(struct session *s)
{
	const struct graph *g = &s->graph;
	const char **paths;
	size_t count = 0;
	uint32_t i, k, dep_count = 0;

	for (i = 0; i < g->node_count; i++)
		dep_count += g->nodes[i].deps.count;
	paths = mem_alloc((dep_count + 1) * sizeof *paths);
	for (i = 0; i < g->node_count; i++)
		for (k = 0; k < g->nodes[i].deps.count; k++) {
			const struct dep *dep = &g->deps[g->nodes[i].deps.first + k];

			if (dep->producer == NO_NODE)
				paths[count++] = graph_text(g, dep->path);
		}
	stats_learn(&s->stats, s->root_fd, paths, count);
	free(paths);
}

static int load_graph(struct session *s, struct err *e)
{
	struct dag_input input = { .path = s->options.dag,
		.text = buf_text(&s->text),
		.len = s->text.len,
		.sets = s->options.sets,
		.set_count = s->options.set_count,
		.files = s->options.files,
		.file_count = s->options.file_count,
		.read = read_file,
		.getenv = get_env,
		.builtin = builtin,
		.user = s };
	const char *const *names = NULL, **list;
	size_t count, i;
	int rc;

	if (s->has_project && graph_cache_load(&s->graph, s->project.flow_fd, &input) == 1) {
		s->from_cache = true;
		return 0;
	}
	count = registry_names(&s->registry, &s->arena, &names);
	list = arena_zalloc(&s->arena, (count + 1) * sizeof *list);
	for (i = 0; i < count; i++)
		list[i] = names[i];
	input.builtins = list;
	rc = dag_load(&s->graph, &input, &s->diags, e);
	if (rc == 0 && s->has_project && s->options.mode == PROJECT_WRITE)
		graph_cache_save(&s->graph, s->project.flow_fd, &input);
	return rc;
}

/* After a reboot nothing is known of files: power loss may have left one the times that belong to bytes it has not. */
static int read_sources(struct session *s, struct err *e)
{
	bool rebooted = true;

	if (s->has_db && journal_rebooted(&s->db, &rebooted, e) < 0)
		return e->code;
	if (!rebooted && stats_load(&s->stats, &s->db, e) < 0)
		return e->code;
	learn_sources(s);
	return 0;
}

int session_load(struct session *s, struct err *e)
{
	int rc = load_graph(s, e);

	if (rc < 0)
		return rc;
	if (!s->options.only_looks && read_sources(s, e) < 0)
		return e->code;
	dag_check_deps(&s->graph, dep_exists, s, &s->diags);
	if (s->diags.count == 0)
		return 0;
	return err_set(e, ERR_INPUT, "the dag has errors");
}

static int code_for_plan(
	void *user, uint32_t node, const struct code_file **files, size_t *count, struct err *e)
{
	struct history *h = user;
	struct session *s =
		(struct session *)(void *)((char *)h - offsetof(struct session, history));
	const struct code_list *list;

	if (code_of(&s->code, node, &list, e) < 0)
		return e->code;
	*files = list->files;
	*count = list->count;
	return 0;
}

static bool *mask_of(struct session *s, const struct selection *selection)
{
	bool *mask = arena_zalloc(&s->arena, s->graph.node_count + 1);
	uint32_t i;

	for (i = 0; i < s->graph.node_count; i++)
		mask[i] = selection_has(selection, i);
	return mask;
}

/* Tasks of a wish for one stage or task at a time, added to the mask. */
static int add_forced(struct session *s, const char *name, struct err *e)
{
	struct selection_wish wish = { .only = name };
	struct selection selection;
	uint32_t i;

	if (selection_make(&selection, &s->graph, &wish, e) < 0)
		return e->code;
	for (i = 0; i < s->graph.node_count; i++)
		s->forced[i] = s->forced[i] || selection_has(&selection, i);
	selection_release(&selection);
	return 0;
}

static int apply_wish(struct session *s, const struct session_wish *wish, struct err *e)
{
	struct selection selection;
	size_t i;

	if (selection_make(&selection, &s->graph, &wish->select, e) < 0)
		return e->code;
	if (selection.count < s->graph.node_count)
		s->chosen = mask_of(s, &selection);
	selection_release(&selection);
	if (!wish->force_all && wish->forced_count == 0)
		return 0;
	s->forced = arena_zalloc(&s->arena, s->graph.node_count + 1);
	if (wish->force_all)
		memset(s->forced, 1, s->graph.node_count);
	for (i = 0; i < wish->forced_count; i++)
		if (add_forced(s, wish->forced[i], e) < 0)
			return e->code;
	return 0;
}

int session_plan(struct session *s, const struct session_wish *wish, struct err *e)
{
	struct plan_options options;
	struct project bare = { .root_fd = s->root_fd, .flow_fd = -1, .store_fd = -1 };

	if (apply_wish(s, wish, e) < 0)
		return e->code;
	code_open(&s->code, &s->graph, &s->stats, s->root_fd, &s->registry);
	if (history_open(&s->history, &s->graph, s->has_project ? &s->project : &bare,
		    s->has_db ? &s->db : NULL, &s->stats, e) < 0)
		return e->code;
	s->history.past.code = code_for_plan;
	options = (struct plan_options){ .chosen = s->chosen, .forced = s->forced };
	return plan_make(&s->plan, &s->graph, &s->history.past, &options, e);
}

void session_close(struct session *s)
{
	plan_release(&s->plan);
	history_close(&s->history);
	code_close(&s->code);
	stats_release(&s->stats);
	graph_release(&s->graph);
	if (s->has_db)
		db_close(&s->db);
	if (s->has_project) {
		project_close(&s->project);
	} else {
		free((char *)(size_t)s->root);
		if (s->root_fd >= 0)
			close(s->root_fd);
	}
	buf_release(&s->text);
	arena_release(&s->arena);
}
