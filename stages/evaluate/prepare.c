#include "evaluate/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "common/applied.h"
#include "common/dictionary.h"
#include "common/fault.h"
#include "common/fitted.h"
#include "common/shard.h"
#include "common/text.h"
#include "nn/origin.h"
#include "nn/samples.h"

static int apply(const struct shard *shard, const struct fitted *recipe, struct text *path,
	const struct origin *origin, const char *folder, struct fault *fault)
{
	const struct applied how = { .recipe = recipe, .state = origin->state };

	if (applied_check(recipe, shard, path->data, fault) < 0)
		return -1;
	path->length = 0;
	text_format(path, "%s/transformed.shard", folder);
	return applied_write(&how, shard, path->data, fault);
}

static int apply_recipe(const struct shard *shard, struct text *path, const struct origin *origin,
	const char *folder, struct fault *fault)
{
	struct fitted recipe;
	int rc;

	if (fitted_read(&recipe, origin->recipe.data, origin->recipe.length, fault) < 0)
		return fault_context(fault, "the recipe in the model");
	if (shard->state == recipe.from)
		rc = apply(shard, &recipe, path, origin, folder, fault);
	else
		rc = fault_set(fault,
			"'%s' was transformed by another recipe than the one in the model: give "
			"the table as it was before `transform`",
			path->data);
	fitted_release(&recipe);
	return rc;
}

int prepare_table(
	struct text *path, const struct origin *origin, const char *folder, struct fault *fault)
{
	struct shard shard;
	int rc = 0;

	if (shard_open(&shard, path->data, fault) < 0)
		return -1;
	/* A model that learned from arrays knows nothing of tables, and takes any. */
	if (origin->target != NULL && shard.state != origin->state) {
		if (origin->recipe.data != NULL)
			rc = apply_recipe(&shard, path, origin, folder, fault);
		else if (shard.state == 0)
			rc = fault_set(fault,
				"'%s' is not transformed as what the model learned from was, and "
				"the model holds no recipe: give `train` the dep `recipe`",
				path->data);
		else
			rc = fault_set(fault,
				"'%s' was transformed by another recipe than what the model "
				"learned from",
				path->data);
	}
	shard_close(&shard);
	return rc;
}

int prepare_labels(struct samples *s, const struct origin *origin, const char *path,
	struct fault *fault)
{
	const struct table *t = &s->table;
	struct dictionary known = { 0 };
	int rc = 0;

	/* Each table numbers its categories as it meets them. */
	if (origin->names == 0 || t->shard.column[t->target].type != COLUMN_CATEGORY)
		return 0;
	for (size_t i = 0; i < origin->names; i++)
		(void)dictionary_add(&known, origin->name[i], strlen(origin->name[i]));
	for (size_t i = 0; i < s->count && rc == 0; i++) {
		float *target = &s->target[s->row[i]];
		size_t length = 0;
		const char *name =
			shard_category(&t->shard, t->target, (uint32_t)*target, &length);
		uint32_t class = dictionary_find(&known, name != NULL ? name : "", length);

		if (class == DICTIONARY_NONE)
			rc = fault_set(fault,
				"row %lld of '%s' has the label '%.*s', which the model does not "
				"know",
				(long long)s->row[i], path, (int)(length < 100 ? length : 100),
				name != NULL ? name : "");
		else
			*target = (float)class;
	}
	dictionary_release(&known);
	return rc;
}
