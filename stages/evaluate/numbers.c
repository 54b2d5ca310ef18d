#include "evaluate/numbers.h"

#include <math.h>
#include <stdlib.h>

#include "common/jsonout.h"
#include "common/text.h"

void numbers_init(struct numbers *n, size_t targets, double quantile)
{
	*n = (struct numbers){ .targets = targets, .quantile = quantile };
	n->of_target = array_new(targets, sizeof *n->of_target);
}

void numbers_release(struct numbers *n)
{
	free(n->of_target);
	*n = (struct numbers){ .targets = 0 };
}

void numbers_add(struct numbers *n, const float *truth, const float *predicted)
{
	n->rows++;
	for (size_t j = 0; j < n->targets; j++) {
		struct distances *d = &n->of_target[j];
		double off = (double)truth[j] - (double)predicted[j];
		double from_mean = (double)truth[j] - d->mean;

		d->mse += off * off;
		d->mae += fabs(off);
		d->pinball += off > 0 ? n->quantile * off : (n->quantile - 1) * off;
		d->coverage += off <= 0;
		/* Welford: the squares around a mean that is not known yet. */
		d->mean += from_mean / (double)n->rows;
		d->spread += from_mean * ((double)truth[j] - d->mean);
	}
}

static void finish(struct distances *d, double rows)
{
	if (rows < 2)
		d->r2 = (double)NAN;
	else if (d->spread > 0)
		d->r2 = 1 - d->mse / d->spread;
	else
		d->r2 = d->mse > 0 ? 0 : 1;
	d->mse /= rows;
	d->rmse = sqrt(d->mse);
	d->mae /= rows;
	d->pinball /= rows;
	d->coverage /= rows;
}

void numbers_finish(struct numbers *n)
{
	struct distances *mean = &n->mean;
	double share = 1 / (double)n->targets;

	for (size_t j = 0; j < n->targets; j++) {
		struct distances *d = &n->of_target[j];

		finish(d, (double)n->rows);
		mean->mse += share * d->mse;
		mean->rmse += share * d->rmse;
		mean->mae += share * d->mae;
		mean->r2 += share * d->r2;
		mean->pinball += share * d->pinball;
		mean->coverage += share * d->coverage;
	}
}

static void write_distances(struct jsonout *json, const struct numbers *n, const struct distances *d)
{
	jsonout_figure(json, "mse", d->mse);
	jsonout_figure(json, "rmse", d->rmse);
	jsonout_figure(json, "mae", d->mae);
	jsonout_figure(json, "r2", d->r2);
	if (isnan(n->quantile))
		return;
	jsonout_figure(json, "pinball", d->pinball);
	jsonout_figure(json, "coverage", d->coverage);
}

static void write_targets(
	struct jsonout *json, const struct numbers *n, const char *const *names)
{
	jsonout_key(json, "targets");
	jsonout_open_tall(json, '[');
	for (size_t j = 0; j < n->targets; j++) {
		jsonout_open_flat(json, '{');
		jsonout_key(json, "target");
		jsonout_integer(json, j);
		if (names != NULL)
			jsonout_text(json, "name", names[j]);
		write_distances(json, n, &n->of_target[j]);
		jsonout_close(json);
	}
	jsonout_close(json);
}

int numbers_write(const struct numbers *n, const char *const *names, const char *path,
	struct fault *fault)
{
	struct text text = { 0 };
	struct jsonout json = { .out = &text };

	jsonout_open(&json, '{');
	jsonout_key(&json, "n");
	jsonout_integer(&json, n->rows);
	if (!isnan(n->quantile))
		jsonout_figure(&json, "quantile", n->quantile);
	write_distances(&json, n, &n->mean);
	if (n->targets > 1 || names != NULL)
		write_targets(&json, n, names);
	jsonout_close(&json);
	return jsonout_save(&json, path, fault);
}
