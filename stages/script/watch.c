#include "script/watch.h"

#include <math.h>
#include <string.h>

#include "common/fault.h"
#include "common/option.h"
#include "script/lines.h"

int watch_read(struct watch *w, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	static const char *const goals[] = { "min", "max", NULL };
	const char *key = host->text(ctx, "watch", "");

	*w = (struct watch){ .patience = host->integer(ctx, "patience", 0, 0, 1000000000) };
	if (host->failed(ctx))
		return -1;
	w->is_largest = option_word(host, ctx, "goal", goals, "min", fault);
	if (w->is_largest < 0)
		return -1;
	if (key != NULL && key[0] != '\0')
		w->key = key;
	if (w->key == NULL && w->patience > 0)
		return fault_set(fault, "with.patience: which metric? name it with.watch");
	return 0;
}

int watch_take(struct watch *w, const struct line_record *r, struct fault *fault)
{
	if (w->key == NULL || r->kind != LINE_METRIC || strcmp(r->key, w->key) != 0)
		return 0;
	if (isnan(r->value))
		return fault_set(fault,
			"line %zu of FLOW_METRICS: %s is no longer a number: the training diverged",
			r->line, r->key);
	w->since++;
	if (!w->has_best || (w->is_largest ? r->value > w->best : r->value < w->best)) {
		w->has_best = 1;
		w->best = r->value;
		w->best_step = r->step;
		w->since = 0;
	}
	w->is_over = w->patience > 0 && w->since >= w->patience;
	return 0;
}
