/*
 * script/watch.h - one metric, and whether it still gets better.
 *
 *     struct watch w;  watch_read(&w, host, ctx, fault);
 *     watch_take(&w, record, fault);      -1: it is no longer a number
 *     if (w.is_over && !w.is_told) ...    no value of the last `patience` was better than the best
 */
#ifndef FLOW_STAGES_SCRIPT_WATCH_H
#define FLOW_STAGES_SCRIPT_WATCH_H

#include <flow/plugin.h>

struct fault;
struct line_record;

struct watch {
	const char *key; /* NULL: none is watched */
	int is_largest;  /* the larger the better */
	long patience, since;
	double best;
	long best_step;
	int has_best, is_over, is_told;
};

int watch_read(struct watch *w, const flow_host *host, flow_ctx *ctx, struct fault *fault);
int watch_take(struct watch *w, const struct line_record *record, struct fault *fault);

#endif
