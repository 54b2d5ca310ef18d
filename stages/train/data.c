#include "train/data.h"

#include <stdio.h>

#include "common/fault.h"
#include "nn/origin.h"
#include "nn/samples.h"

/* Classes may be many, and the rows that train all of one. */
static int check_classes(const struct samples *s, struct fault *fault)
{
	size_t count[CLASSES_MAX] = { 0 }, present = 0;

	if (s->classes == 0)
		return 0;
	samples_count(s, count);
	for (size_t i = 0; i < s->classes; i++)
		present += count[i] != 0;
	return present < 2 ? fault_set(fault, "the training rows have only one class") : 0;
}

static int open_checked(
	struct samples *samples, const struct samples_paths *paths, struct fault *fault)
{
	if (samples_open(samples, paths, fault) < 0)
		return -1;
	if (check_classes(samples, fault) == 0)
		return 0;
	samples_close(samples);
	return -1;
}

int data_open(struct samples *samples, int may_miss, const flow_host *host, flow_ctx *ctx,
	struct fault *fault)
{
	const char *images = host->dep(ctx, "images"), *features = host->dep(ctx, "features");
	const struct samples_paths paths = { .values = images != NULL ? images : features,
		.targets = host->dep(ctx, "labels"),
		.table = host->dep(ctx, "table"),
		.columns = { .inputs = host->json(ctx, "inputs"),
			.target = host->text(ctx, "target", "label") },
		.rows = host->dep(ctx, "rows"),
		.valid_rows = host->dep(ctx, "valid_rows"),
		.may_miss = may_miss };
	int deps = (images != NULL) + (features != NULL) + (paths.table != NULL);

	if (host->dep(ctx, "texts") != NULL)
		return fault_set(fault, "a dep named 'texts' is for `model: text`");
	if (deps != 1 || (paths.targets == NULL) != (paths.table != NULL))
		return fault_set(fault, "needs a dep named 'table', or one named 'labels' and one "
					"named 'images' or 'features'");
	if (paths.table == NULL && host->dep(ctx, "recipe") != NULL)
		return fault_set(fault, "a dep named 'recipe' goes with one named 'table'");
	if (paths.table == NULL && (host->has(ctx, "inputs") || host->has(ctx, "target")))
		return fault_set(fault, "with.inputs and with.target are for a dep named 'table'");
	return open_checked(samples, &paths, fault);
}

int data_open_texts(struct samples *samples, const char *column, struct fitted_step *step,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const struct samples_paths paths = { .texts = host->dep(ctx, "texts"),
		.column = column,
		.step = step,
		.targets = host->dep(ctx, "labels"),
		.rows = host->dep(ctx, "rows"),
		.valid_rows = host->dep(ctx, "valid_rows") };

	static const char *const others[] = { "images", "features", "table", "recipe" };

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (host->dep(ctx, others[i]) != NULL)
			return fault_set(fault, "a text model takes no dep named '%s'", others[i]);
	if (paths.texts == NULL || paths.targets == NULL)
		return fault_set(fault, "a text model needs a dep named 'texts', a table, and one "
					"named 'labels'");
	if (host->has(ctx, "inputs") || host->has(ctx, "target"))
		return fault_set(fault, "with.inputs and with.target are for a dep named 'table'");
	return open_checked(samples, &paths, fault);
}

int data_origin(struct origin *origin, const struct samples *samples, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	const char *recipe = host->dep(ctx, "recipe");

	if (!samples->is_table)
		return 0;
	origin_of(origin, &samples->table);
	return recipe != NULL
		       ? origin_take_recipe(origin, recipe, host->dep(ctx, "table"), fault)
		       : 0;
}

void data_tell_rare(const struct samples *samples, const flow_host *host, flow_ctx *ctx)
{
	size_t count[CLASSES_MAX] = { 0 }, rare = 0, first = 0;
	char line[120];

	if (samples->classes == 0)
		return;
	samples_count(samples, count);
	for (size_t i = samples->classes; i-- > 0;)
		if (count[i] < 2) {
			rare++;
			first = i;
		}
	if (rare == 0)
		return;
	(void)snprintf(line, sizeof line,
		"%zu of %zu classes have fewer than 2 training rows; class %zu has %zu", rare,
		samples->classes, first, count[first]);
	host->log(ctx, line);
}
