#include "train/gains.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/fault.h"
#include "common/text.h"
#include "nn/samples.h"
#include "train/importance.h"

/* Columns of which the library names none are "f0", "f1", ...; those that no tree asks for are not
 * among them. */
static int take(double *value, const struct library *lib, BoosterHandle booster, const char *type,
	size_t features, struct fault *fault)
{
	bst_ulong count, dimensions;
	const bst_ulong *shape;
	const char **name;
	const float *score;
	char how[60];

	(void)snprintf(how, sizeof how, "{\"importance_type\": \"%s\"}", type);
	if (library_check(lib,
		    lib->XGBoosterFeatureScore(
			    booster, how, &count, &name, &dimensions, &shape, &score),
		    fault) < 0)
		return -1;
	for (bst_ulong i = 0; i < count; i++) {
		size_t feature;

		if (sscanf(name[i], "f%zu", &feature) != 1 || feature >= features)
			return fault_set(fault, "the library names a column '%.40s'", name[i]);
		value[feature] = (double)score[i];
	}
	return 0;
}

int gains_write(const struct library *lib, BoosterHandle booster, const struct samples *samples,
	const char *path, struct fault *fault)
{
	size_t features = samples->features;
	struct importance i;
	int rc = -1;

	importance_init(&i, samples, "gain");
	i.total = array_new(features, sizeof *i.total);
	i.splits = array_new(features, sizeof *i.splits);
	if (take(i.value, lib, booster, "gain", features, fault) == 0 &&
		take(i.total, lib, booster, "total_gain", features, fault) == 0 &&
		take(i.splits, lib, booster, "weight", features, fault) == 0)
		rc = importance_write(&i, path, fault);
	importance_release(&i);
	return rc;
}
