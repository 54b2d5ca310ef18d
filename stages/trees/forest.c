#include "trees/forest.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/file.h"

#define FEATURES_MAX ((size_t)1 << 26)

/* UBJSON begins with {L and the length of a key in eight bytes, big-endian. Eight bytes of length begin
 * a safetensors file, too; but there '{' follows. */
int forest_is(const char *path)
{
	struct fault fault;
	struct mapped file;
	int is;

	if (mapped_open(&file, path, &fault) < 0)
		return 0;
	is = file.size > 9 && file.data[0] == '{' && file.data[1] == 'L' && file.data[8] != '{';
	mapped_close(&file);
	return is;
}

int forest_read(struct check_facts *facts, const struct library *lib, BoosterHandle booster,
	const char *path, struct fault *fault)
{
	struct mapped file;
	int rc;

	if (mapped_open(&file, path, fault) < 0)
		return -1;
	rc = check_model(facts, file.data, file.size, fault);
	if (rc == 0)
		rc = library_check(lib,
			lib->XGBoosterLoadModelFromBuffer(booster, file.data, file.size), fault);
	mapped_close(&file);
	return rc < 0 ? fault_context(fault, "'%s'", path) : 0;
}

int forest_write(const struct library *lib, BoosterHandle booster, const char *path, int is_durable,
	struct fault *fault)
{
	struct output output;
	const char *data;
	bst_ulong size;

	if (library_check(lib,
		    lib->XGBoosterSaveModelToBuffer(booster, "{\"format\": \"ubj\"}", &size, &data),
		    fault) < 0 ||
		output_open(&output, path, fault) < 0)
		return -1;
	output.is_durable = is_durable;
	output_write(&output, data, (size_t)size);
	return output_commit(&output, fault);
}

void forest_view(char view[FOREST_VIEW_ROOM], const float *values, size_t count, size_t features)
{
	(void)snprintf(view, FOREST_VIEW_ROOM,
		"{\"data\": [%llu, true], \"shape\": [%zu, %zu], \"typestr\": \"<f4\", "
		"\"version\": "
		"3}",
		(unsigned long long)(uintptr_t)values, count, features);
}

const char *forest_attribute(const struct forest *f, const char *name)
{
	const char *text = NULL;
	int is_there = 0;

	if (f->lib->XGBoosterGetAttr(f->booster, name, &text, &is_there) != 0 || !is_there)
		return NULL;
	return text;
}

static int take_attributes(struct forest *f, const char *path, struct fault *fault)
{
	const char *text = forest_attribute(f, "flow.loss");

	if (text == NULL || strlen(text) >= sizeof f->loss)
		return fault_set(fault,
			"'%s' is a model of XGBoost, but not one that the stage train made: it has "
			"no attribute flow.loss",
			path);
	(void)snprintf(f->loss, sizeof f->loss, "%s", text);
	text = forest_attribute(f, "flow.categories");
	if (text != NULL && columns_take(&f->columns, f->features, text, fault) < 0)
		return fault_context(fault, "'%s'", path);
	if (text == NULL)
		f->columns.features = f->features;
	return 0;
}

int forest_load(struct forest *f, const char *path, unsigned threads, struct fault *fault)
{
	struct forest made = { .lib = library_get(fault) };
	struct check_facts facts = { 0, 0, 0 };
	char number[20];
	int rc;

	if (made.lib == NULL ||
		library_check(made.lib, made.lib->XGBoosterCreate(NULL, 0, &made.booster), fault) <
			0)
		return -1;
	(void)snprintf(number, sizeof number, "%u", threads);
	rc = forest_read(&facts, made.lib, made.booster, path, fault);
	if (rc == 0)
		rc = library_check(made.lib,
			made.lib->XGBoosterSetParam(made.booster, "nthread", number), fault);
	made.features = facts.features;
	made.outputs = facts.groups;
	if (rc == 0 && facts.features > FEATURES_MAX)
		rc = fault_set(fault, "'%s' is of %zu columns", path, facts.features);
	if (rc == 0)
		rc = take_attributes(&made, path, fault);
	if (rc < 0)
		forest_release(&made);
	else
		*f = made;
	return rc;
}

void forest_release(struct forest *f)
{
	if (f->lib != NULL && f->booster != NULL)
		(void)f->lib->XGBoosterFree(f->booster);
	columns_release(&f->columns);
	*f = (struct forest){ .lib = NULL };
}

int forest_score(
	struct forest *f, const float *values, size_t count, float *scores, struct fault *fault)
{
	static const char how[] = "{\"type\": 1, \"training\": false, \"iteration_begin\": 0, "
				  "\"iteration_end\": 0, \"strict_shape\": true, \"cache_id\": 0, "
				  "\"missing\": NaN}";
	char view[FOREST_VIEW_ROOM];
	const bst_ulong *shape;
	const float *made;
	bst_ulong dimensions;
	size_t size = 1;

	forest_view(view, values, count, f->features);
	if (library_check(f->lib,
		    f->lib->XGBoosterPredictFromDense(
			    f->booster, view, how, NULL, &shape, &dimensions, &made),
		    fault) < 0)
		return -1;
	for (bst_ulong i = 0; i < dimensions; i++)
		size *= (size_t)shape[i];
	if (size != count * f->outputs)
		return fault_set(fault, "the model has not as many outputs as it has classes");
	memcpy(scores, made, size * sizeof *scores);
	return 0;
}
