#include "nn/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/fitted.h"
#include "common/jsonin.h"
#include "common/jsonout.h"
#include "common/safetensors.h"
#include "nn/samples.h"

#define TABLE     "input.table"
#define RECIPE    "input.recipe"
#define NAME_ROOM 65536

void origin_of(struct origin *o, const struct table *t)
{
	const struct shard *shard = &t->shard;
	const char *target = shard->column[t->target].name;
	struct jsonout json = { .out = &o->inputs, .compact = 1 };

	o->target = text_copy(target, strlen(target));
	o->state = shard->state;
	jsonout_open(&json, '[');
	for (size_t i = 0; i < t->inputs; i++)
		jsonout_string(&json, shard->column[t->input[i].column].name);
	jsonout_close(&json);
	o->names = shard->record[t->target].categories;
	o->name = array_new(o->names, sizeof *o->name);
	for (size_t i = 0; i < o->names; i++) {
		size_t length;
		const char *name = shard_category(shard, t->target, (uint32_t)i, &length);

		o->name[i] = text_copy(name, length);
	}
	json = (struct jsonout){ .out = &o->categories, .compact = 1 };
	if (codes_are_in(t))
		codes_write(&json, t);
}

int origin_take_recipe(
	struct origin *o, const char *path, const char *table_path, struct fault *fault)
{
	struct fitted recipe;
	struct mapped file;

	if (mapped_open(&file, path, fault) < 0)
		return -1;
	text_add(&o->recipe, file.data != NULL ? (const char *)file.data : "", file.size);
	mapped_close(&file);
	if (fitted_read(&recipe, o->recipe.data, o->recipe.length, fault) < 0)
		return fault_context(fault, "'%s'", path);
	fitted_release(&recipe);
	if (fitted_state(o->recipe.data, o->recipe.length) != o->state)
		return fault_set(fault,
			"'%s' was not made by the recipe '%s'; give both as one `transform` made "
			"them",
			table_path, path);
	return 0;
}

void origin_write(struct origin *o)
{
	struct jsonout json = { .out = &o->json, .compact = 1 };
	char state[20];

	jsonout_open(&json, '{');
	jsonout_text(&json, "target", o->target);
	jsonout_key(&json, "classes");
	jsonout_open(&json, '[');
	for (size_t i = 0; i < o->names; i++)
		jsonout_string(&json, o->name[i]);
	jsonout_close(&json);
	(void)snprintf(state, sizeof state, "%016llx", (unsigned long long)o->state);
	jsonout_text(&json, "state", state);
	text_format(&o->json, ",\"inputs\":%s", o->inputs.data);
	if (o->categories.data != NULL)
		text_format(&o->json, ",\"categories\":%s", o->categories.data);
	jsonout_close(&json);
}

static void add_bytes(struct tensors *file, const char *name, const struct text *bytes)
{
	const uint64_t shape = bytes->length;

	if (bytes->data != NULL)
		tensors_add(file, name, TENSOR_U8, &shape, 1, bytes->data);
}

void origin_add(struct origin *o, struct tensors *file)
{
	if (o->target == NULL)
		return;
	origin_write(o);
	add_bytes(file, TABLE, &o->json);
	add_bytes(file, RECIPE, &o->recipe);
}

static int read_names(struct origin *o, struct jsonin *in, char *room, struct fault *fault)
{
	int more;

	o->name = array_new(CLASSES_MAX, sizeof *o->name);
	if (jsonin_enter(in, '[', fault) < 0)
		return -1;
	while ((more = jsonin_item(in, fault)) == 1) {
		if (o->names == CLASSES_MAX)
			return fault_set(fault, "more than %d classes", CLASSES_MAX);
		if (jsonin_string(in, room, NAME_ROOM, fault) < 0)
			return -1;
		o->name[o->names++] = text_copy(room, strlen(room));
	}
	return more;
}

static int read_inputs(struct origin *o, struct jsonin *in, char *room, struct fault *fault)
{
	struct jsonout json = { .out = &o->inputs, .compact = 1 };
	int more;

	if (o->inputs.data != NULL || jsonin_enter(in, '[', fault) < 0)
		return fault_set(fault, "no list of inputs");
	jsonout_open(&json, '[');
	while ((more = jsonin_item(in, fault)) == 1) {
		if (jsonin_string(in, room, NAME_ROOM, fault) < 0)
			return -1;
		jsonout_string(&json, room);
	}
	jsonout_close(&json);
	return more;
}

static int read_member(
	struct origin *o, const char *key, struct jsonin *in, char *room, struct fault *fault)
{
	char *end;

	if (strcmp(key, "classes") == 0 && o->name == NULL)
		return read_names(o, in, room, fault);
	if (strcmp(key, "inputs") == 0)
		return read_inputs(o, in, room, fault);
	if (strcmp(key, "categories") == 0 && o->codes.count == 0)
		return codes_read(&o->codes, in, fault);
	if (jsonin_string(in, room, NAME_ROOM, fault) < 0)
		return -1;
	if (strcmp(key, "target") == 0 && o->target == NULL) {
		o->target = text_copy(room, strlen(room));
		return 0;
	}
	o->state = strtoull(room, &end, 16);
	return strcmp(key, "state") == 0 && *end == '\0' && room[0] != '\0'
		       ? 0
		       : fault_set(fault, "'%.40s' is not known", key);
}

static int read_json(struct origin *o, struct fault *fault)
{
	char key[32], *room = array_new(NAME_ROOM, 1);
	struct jsonin in;
	int more = -1, rc;

	jsonin_begin(&in, o->json.data, o->json.length);
	rc = jsonin_enter(&in, '{', fault);
	while (rc == 0 && (more = jsonin_key(&in, key, sizeof key, fault)) == 1)
		rc = read_member(o, key, &in, room, fault);
	free(room);
	if (rc < 0 || more < 0)
		return -1;
	return o->target != NULL && o->inputs.data != NULL
		       ? 0
		       : fault_set(fault, "it names no target or no inputs");
}

static int take(struct text *bytes, const struct tensors *file, const char *name, struct fault *fault)
{
	const struct tensor *tensor = tensors_find(file, name);

	if (tensor == NULL)
		return 0;
	if (tensor->type != TENSOR_U8)
		return fault_set(fault, "tensor '%s' is not bytes", name);
	text_add(bytes, tensor->size != 0 ? tensor->data : "", tensor->size);
	return 0;
}

int origin_parse(struct origin *o, const char *json, const char *recipe, struct fault *fault)
{
	struct origin made = { .target = NULL };

	text_add(&made.json, json, strlen(json));
	if (recipe != NULL)
		text_add(&made.recipe, recipe, strlen(recipe));
	if (read_json(&made, fault) < 0) {
		origin_release(&made);
		return -1;
	}
	*o = made;
	return 0;
}

int origin_read(struct origin *o, const char *model, struct fault *fault)
{
	struct origin made = { .target = NULL };
	struct tensors file = { .count = 0 };
	int rc;

	if (tensors_read(&file, model, fault) < 0)
		return -1;
	rc = take(&made.json, &file, TABLE, fault);
	if (rc == 0)
		rc = take(&made.recipe, &file, RECIPE, fault);
	if (rc == 0 && made.json.data != NULL && (rc = read_json(&made, fault)) < 0)
		(void)fault_context(fault, "tensor '" TABLE "'");
	tensors_release(&file);
	if (rc < 0) {
		origin_release(&made);
		return fault_context(fault, "'%s'", model);
	}
	*o = made;
	return 0;
}

void origin_release(struct origin *o)
{
	for (size_t i = 0; i < o->names; i++)
		free(o->name[i]);
	free(o->name);
	free(o->target);
	codes_release(&o->codes);
	text_release(&o->categories);
	text_release(&o->inputs);
	text_release(&o->recipe);
	text_release(&o->json);
	*o = (struct origin){ .target = NULL };
}
