/*
 * run/session.h - all that a command needs to know of a project, in one place: its folder, graph, journal, past and plan.
 *
 *     session_open(&s, &options, e)       finds the project; a writer takes the lock and opens the journal
 *     session_load(&s, e)                 dag.yaml -> graph; faults of the user's text are in s.diags (then ERR_INPUT)
 *     session_plan(&s, &wish, e)          the past and the plan
 *     session_close(&s)
 *
 * A reader never creates .flow and writes nothing. A project without runs has s.has_db false.
 */
#ifndef FLOW_RUN_SESSION_H
#define FLOW_RUN_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dag/diag.h"
#include "dag/graph.h"
#include "dag/select.h"
#include "plan/plan.h"
#include "run/code.h"
#include "stage/registry.h"
#include "store/db.h"
#include "store/history.h"
#include "store/project.h"
#include "store/stats.h"

struct err;

struct session_options {
	const char *dag;            /* path of dag.yaml as typed; its folder is the project */
	const char *const *sets;    /* -p a.b=1 */
	size_t set_count;
	const char *const *files;   /* --params FILE */
	size_t file_count;
	enum project_mode mode;
	bool only_looks;            /* there will be no plan: files that are read need to be there, and are not hashed */
};

struct session_wish {
	struct selection_wish select;
	bool force_all;
	const char *const *forced;  /* stages or tasks to run even if nothing changed */
	size_t forced_count;
};

struct session {
	struct session_options options;
	struct arena arena;
	struct project project;
	bool has_project;           /* .flow is there */
	bool has_db;
	struct db db;
	int root_fd;                /* the project's folder, also without .flow */
	const char *root;           /* absolute */
	const char *worker, *helper; /* paths of flow-worker and flow-source, which lie beside flow */
	struct buf text;            /* of dag.yaml */
	struct diags diags;
	struct graph graph;
	bool from_cache;
	struct registry registry;
	struct stats stats;
	struct code code;
	struct history history;
	struct plan plan;
	bool *chosen, *forced;
};

int session_open(struct session *s, const struct session_options *options, struct err *e);
int session_load(struct session *s, struct err *e);
int session_plan(struct session *s, const struct session_wish *wish, struct err *e);
void session_close(struct session *s);

#endif
