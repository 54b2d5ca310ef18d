#include "train/telemetry.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "nn/feed.h"
#include "train/recipe.h"
#include "train/session.h"
#include "train/validate.h"

static double memory_peak(void)
{
	struct rusage used;

	return getrusage(RUSAGE_SELF, &used) == 0 ? (double)used.ru_maxrss * 1024 : 0;
}

static double memory_net(const struct session *s)
{
	size_t runs = 2; /* the weights and their gradient */
	const float *more[] = { s->first, s->second, s->average, s->best, s->sum };

	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
		runs += more[i] != NULL;
	return (double)(runs * s->net->weight_count + s->net->room * net_row_values(s->net)) *
	       sizeof(float);
}

void telemetry_steps(struct session *s, double rate, double now)
{
	double norm = 0, took = s->took + now - s->since;
	double waited = s->took_waiting + feed_waited(s->feed) - s->waited;
	long step = (long)s->at.step;

	s->net->ops->download(s->net->device, &norm, s->norm, sizeof norm);
	s->host->metric(s->ctx, "step_loss", s->since_loss / s->since_rows, step);
	s->host->metric(s->ctx, "step_lr", rate, step);
	s->host->metric(s->ctx, "step_gradient_norm", sqrt(norm), step);
	if (took > 0) {
		s->host->metric(s->ctx, "step_samples_per_second", s->since_rows / took, step);
		s->host->metric(s->ctx, "step_data_wait", 100 * waited / took, step);
	}
	s->host->metric(s->ctx, "step_memory_peak", memory_peak(), step);
	s->since = now;
	s->waited = feed_waited(s->feed);
	s->took = s->took_waiting = s->since_rows = s->since_loss = 0;
}

static void tell_best(const struct session *s)
{
	char name[60];

	(void)snprintf(name, sizeof name, "best_%s", validate_quality_name(s));
	s->host->metric(s->ctx, name, s->at.best_quality, -1);
	s->host->metric(s->ctx, "best_valid_loss", s->at.best_loss, -1);
}

/* What people look at comes first: a run's last line shows as much as there is place for. */
void telemetry_end(const struct session *s)
{
	const struct cursor *at = &s->at;

	if (s->valid_count != 0)
		tell_best(s);
	s->host->metric(s->ctx, "best_epoch", at->best_epoch, -1);
	s->host->metric(s->ctx, "epochs", at->epoch - 1, -1);
	s->host->metric(s->ctx, "seconds", at->seconds, -1);
	s->host->metric(s->ctx, "rows", (double)s->train_count, -1);
	s->host->metric(s->ctx, "weights", (double)s->net->weight_count, -1);
	s->host->metric(s->ctx, "weights_learning", (double)s->recipe->groups.learning, -1);
	s->host->metric(s->ctx, "chosen_batch_size", (double)s->recipe->batch_size, -1);
	s->host->metric(s->ctx, "chosen_lr", at->rate, -1);
	s->host->metric(s->ctx, "memory_net", memory_net(s), -1);
	s->host->metric(s->ctx, "memory_peak", memory_peak(), -1);
	if (s->checkpoint != NULL)
		s->host->metric(s->ctx, "checkpoint_stall", s->stalled, -1);
}
