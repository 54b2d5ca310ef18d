/*
 * store/history.h - the past that a plan asks about, answered from the journal and the work tree.
 *
 *     history_open(&h, &graph, &project, &db, &stats, e)   db NULL: a project without runs
 *     h.past.code = ...                                     what the code of a stage is, is run/code.h's to say
 *     plan_make(&plan, &graph, &h.past, ...)
 *     history_close(&h)                                     after the plan is released
 *
 * Loads the `latest` table once; everything else is a point query. Changes nothing.
 */
#ifndef FLOW_STORE_HISTORY_H
#define FLOW_STORE_HISTORY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "plan/past.h"
#include "store/objects.h"

struct db;
struct err;
struct graph;
struct project;
struct stats;

struct history {
	struct past past;
	const struct graph *graph;
	struct objects objects;
	struct db *db;              /* NULL: no runs yet */
	struct stats *stats;
	struct record **latest;     /* per node; NULL: never succeeded */
	struct arena arena;
	struct buf parts;           /* answer of past.parts and past.nearest */
	uint32_t compared;          /* attempts that past.nearest has looked at */
	bool has_attempts;
};

int history_open(struct history *h, const struct graph *g, const struct project *p, struct db *db,
	struct stats *stats, struct err *e);
void history_close(struct history *h);

#endif
