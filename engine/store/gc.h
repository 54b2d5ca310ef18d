/*
 * store/gc.h - keep the store in bounds: mark what is needed, evict what is cheap to make again, sweep.
 *
 *     struct gc_wish wish = { .keep.last = 5, .logs = true, .grace_ms = GC_GRACE_MS };
 *     struct gc g;
 *     gc_plan(&g, &project, &db, &wish, e)     decides; changes nothing. A writer gets a shared store for itself, or ERR_BUSY
 *     gc_do(&g, e)                             the writer only: what is evicted is recorded, then removed
 *     gc_release(&g)
 *
 * The unit of eviction is an attempt: with one of its outs gone it would have to run again for that one anyway. With a budget,
 * what costs least to make again for each byte goes first, until the store fits; without one, all that the rule does not keep
 * goes. An object that something else claims stays, whoever else claimed it.
 *
 * Crash-safe: a row says `evicted` on the disk before its object is removed; a gc that was killed leaves objects that nobody
 * claims, and the next one sweeps them. What nobody claims is swept once it is older than the grace period: a program that
 * is about to record it may be slow.
 */
#ifndef FLOW_STORE_GC_H
#define FLOW_STORE_GC_H

#include <stdbool.h>
#include <stdint.h>

#include "store/needs.h"
#include "store/objects.h"
#include "store/old_logs.h"
#include "store/shelf.h"

struct db;
struct err;
struct project;

#define GC_GRACE_MS      (INT64_C(3600) * 1000)
#define GC_QUARANTINE_MS (INT64_C(7) * 24 * 3600 * 1000) /* so long a damaged object may be looked at */

struct gc_wish {
	struct keep_rule keep;
	bool logs;               /* of runs that the rule does not keep go, too */
	bool has_budget;         /* of the results only what must goes, to come down to so many bytes; else all that the rule does not keep */
	uint64_t budget;
	int64_t grace_ms;
};

/* An attempt whose outs are in the store, and may go. */
struct gc_choice {
	int64_t attempt, took_ms;
	uint64_t bytes;          /* of its outs */
	bool evicted;
};

struct gc {
	struct project *project;
	struct db *db;
	struct gc_wish wish;
	struct objects objects;
	struct shelf shelf;
	struct needs needs;
	struct old_logs logs;    /* when they go */
	struct { struct gc_choice *items; size_t count, cap; } choices; /* in the order in which they go */
	bool *was_claimed;       /* by object, before anything was evicted */
	uint64_t had_objects, had_bytes;
	uint64_t evicted;        /* attempts */
	uint64_t freed_objects, freed_bytes;
	uint64_t shared_bytes;   /* of these: the work tree has them, too */
	uint64_t unclaimed_objects; /* of these: nobody had claimed them before */
};

int gc_plan(struct gc *g, struct project *p, struct db *db, const struct gc_wish *wish, struct err *e);
int gc_do(struct gc *g, struct err *e);
void gc_release(struct gc *g);

#endif
