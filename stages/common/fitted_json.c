/* The JSON of a recipe that is fitted. */
#include "common/fitted.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/jsonout.h"
#include "common/text.h"

#define FORMAT           1
#define COLUMNS_TOO_MANY 65536
#define NAME_ROOM        65536

static void put_step(struct jsonout *json, const struct fitted_step *s)
{
	jsonout_open(json, '{');
	jsonout_text(json, "step", fitted_step_name(s->kind));
	jsonout_key(json, "first");
	jsonout_number(json, s->first);
	jsonout_key(json, "second");
	jsonout_number(json, s->second);
	jsonout_key(json, "size");
	jsonout_integer(json, s->size);
	jsonout_key(json, "low");
	jsonout_integer(json, s->low);
	jsonout_key(json, "high");
	jsonout_integer(json, s->high);
	jsonout_key(json, "names");
	jsonout_open(json, '[');
	for (uint32_t i = 0; i < s->names.count; i++) {
		struct text name = { 0 };
		size_t length;
		const char *text = dictionary_text(&s->names, i, &length);

		text_add(&name, text, length);
		jsonout_string(json, name.data);
		text_release(&name);
	}
	jsonout_close(json);
	jsonout_key(json, "weights");
	jsonout_open(json, '[');
	for (uint32_t i = 0; s->weight != NULL && i < s->size; i++)
		jsonout_number(json, (double)s->weight[i]);
	jsonout_close(json);
	jsonout_close(json);
}

void fitted_write(const struct fitted *recipe, struct text *text)
{
	struct jsonout json = { .out = text };
	char from[20];

	jsonout_open(&json, '{');
	jsonout_key(&json, "format");
	jsonout_integer(&json, FORMAT);
	if (recipe->into != NULL) {
		jsonout_text(&json, "into", recipe->into);
	}
	if (recipe->from != 0) {
		(void)snprintf(from, sizeof from, "%016llx", (unsigned long long)recipe->from);
		jsonout_text(&json, "from", from);
	}
	jsonout_key(&json, "columns");
	jsonout_open_tall(&json, '[');
	for (size_t i = 0; i < recipe->count; i++) {
		const struct fitted_column *c = &recipe->column[i];

		jsonout_open(&json, '{');
		jsonout_text(&json, "name", c->name);
		jsonout_text(&json, "type", column_type_name(c->type));
		jsonout_key(&json, "steps");
		jsonout_open_tall(&json, '[');
		for (size_t k = 0; k < c->steps; k++)
			put_step(&json, &c->step[k]);
		jsonout_close(&json);
		jsonout_close(&json);
	}
	jsonout_close(&json);
	jsonout_close(&json);
	text_add(text, "\n", 1);
}

static int take_names(struct fitted_step *s, struct jsonin *in, struct fault *fault)
{
	char *name = array_new(NAME_ROOM, 1);
	int more, rc = jsonin_enter(in, '[', fault);

	while (rc == 0 && (more = jsonin_item(in, fault)) != 0) {
		rc = more < 0 ? -1 : jsonin_string(in, name, NAME_ROOM, fault);
		if (rc == 0 && s->names.count == FITTED_FEATURES_MAX)
			rc = fault_set(fault, "more than %d names", FITTED_FEATURES_MAX);
		if (rc == 0 && dictionary_find(&s->names, name, strlen(name)) != DICTIONARY_NONE)
			rc = fault_set(fault, "the name '%.100s' twice", name);
		if (rc == 0)
			(void)dictionary_add(&s->names, name, strlen(name));
	}
	free(name);
	return rc;
}

static int take_weights(struct fitted_step *s, struct jsonin *in, struct fault *fault)
{
	size_t count = 0;
	int more;

	if (jsonin_enter(in, '[', fault) < 0)
		return -1;
	while ((more = jsonin_item(in, fault)) == 1) {
		double weight;

		if (jsonin_number(in, &weight, fault) < 0)
			return -1;
		if (s->weight == NULL)
			s->weight = array_new(FITTED_FEATURES_MAX, sizeof *s->weight);
		if (count == FITTED_FEATURES_MAX)
			return fault_set(fault, "more than %d weights", FITTED_FEATURES_MAX);
		if (!isfinite((float)weight))
			return fault_set(fault, "a weight that is not finite");
		s->weight[count++] = (float)weight;
	}
	/* `size` stands before the weights, as fitted_write() puts it. */
	if (more == 0 && count != (s->kind == STEP_TFIDF ? s->size : 0))
		return fault_set(fault, "%zu weights for %u cells", count, s->size);
	return more;
}

static int take_count(uint32_t *value, struct jsonin *in, uint64_t most, struct fault *fault)
{
	uint64_t number;

	if (jsonin_integer(in, &number, fault) < 0)
		return -1;
	if (number > most)
		return fault_set(fault, "%llu is too many", (unsigned long long)number);
	*value = (uint32_t)number;
	return 0;
}

static int take_kind(struct fitted_step *s, struct jsonin *in, struct fault *fault)
{
	char word[32];

	if (jsonin_string(in, word, sizeof word, fault) < 0)
		return -1;
	return fitted_step_find(&s->kind, word) ? 0 : fault_set(fault, "'%s' is no step", word);
}

static int take_member(
	struct fitted_step *s, const char *key, struct jsonin *in, struct fault *fault)
{
	if (strcmp(key, "step") == 0)
		return take_kind(s, in, fault);
	if (strcmp(key, "first") == 0)
		return jsonin_number(in, &s->first, fault);
	if (strcmp(key, "second") == 0)
		return jsonin_number(in, &s->second, fault);
	if (strcmp(key, "size") == 0)
		return take_count(&s->size, in, FITTED_FEATURES_MAX, fault);
	if (strcmp(key, "low") == 0)
		return take_count(&s->low, in, 8, fault);
	if (strcmp(key, "high") == 0)
		return take_count(&s->high, in, 8, fault);
	if (strcmp(key, "names") == 0)
		return take_names(s, in, fault);
	if (strcmp(key, "weights") == 0)
		return take_weights(s, in, fault);
	return fault_set(fault, "a step has no '%s'", key);
}

/* What apply relies on, whoever wrote the file. */
static int check_step(const struct fitted_step *s, struct fault *fault)
{
	if (!isfinite(s->first) || !isfinite(s->second))
		return fault_set(
			fault, "%s has numbers that are not finite", fitted_step_name(s->kind));
	if ((s->kind == STEP_STANDARDIZE && s->second == 0) ||
		(s->kind == STEP_MINMAX && s->first >= s->second))
		return fault_set(fault, "%s divides by 0", fitted_step_name(s->kind));
	if (s->kind == STEP_ONEHOT && s->names.count == 0)
		return fault_set(fault, "onehot has no names");
	if (s->kind >= STEP_HASH && (s->size < 2 || (s->kind != STEP_HASH && s->low < 1)))
		return fault_set(fault, "%s has no cells", fitted_step_name(s->kind));
	if (s->kind == STEP_TFIDF && s->weight == NULL)
		return fault_set(fault, "tfidf has no weights");
	return 0;
}

static int take_step(struct fitted_column *c, struct jsonin *in, struct fault *fault)
{
	struct fitted_step *s = &c->step[c->steps];
	char key[32];
	int more;

	if (c->steps == FITTED_STEPS_MAX)
		return fault_set(fault, "more than %d steps", FITTED_STEPS_MAX);
	c->steps++; /* what it holds is released with the others */
	if (jsonin_enter(in, '{', fault) < 0)
		return -1;
	while ((more = jsonin_key(in, key, sizeof key, fault)) == 1)
		if (take_member(s, key, in, fault) < 0)
			return -1;
	if (more < 0)
		return -1;
	if (c->steps > 1 && (fitted_step_is_text(s->kind) || fitted_step_is_text(s[-1].kind)))
		return fault_set(fault, "a step for texts goes alone");
	return check_step(s, fault);
}

static int take_column_member(
	struct fitted_column *c, const char *key, struct jsonin *in, struct fault *fault)
{
	char word[COLUMN_NAME_MAX + 1];
	int more;

	if (strcmp(key, "steps") == 0) {
		if (jsonin_enter(in, '[', fault) < 0)
			return -1;
		while ((more = jsonin_item(in, fault)) == 1)
			if (take_step(c, in, fault) < 0)
				return -1;
		return more;
	}
	if (jsonin_string(in, word, sizeof word, fault) < 0)
		return -1;
	if (strcmp(key, "name") == 0 && c->name == NULL) {
		c->name = text_copy(word, strlen(word));
		return 0;
	}
	if (strcmp(key, "type") == 0)
		c->type = column_type_find(word);
	return c->type != 0 ? 0 : fault_set(fault, "a column has no '%s' of '%s'", key, word);
}

static int take_column(struct fitted *r, struct jsonin *in, struct fault *fault)
{
	struct fitted_column *c;
	char key[32];
	int more;

	if (r->count == COLUMNS_TOO_MANY)
		return fault_set(fault, "more than %d columns", COLUMNS_TOO_MANY);
	if ((r->count & (r->count - 1)) == 0) { /* room for as many again */
		struct fitted_column *wider =
			array_new(r->count != 0 ? 2 * r->count : 1, sizeof *wider);

		if (r->count != 0)
			memcpy(wider, r->column, r->count * sizeof *wider);
		free(r->column);
		r->column = wider;
	}
	c = &r->column[r->count++];
	if (jsonin_enter(in, '{', fault) < 0)
		return -1;
	while ((more = jsonin_key(in, key, sizeof key, fault)) == 1)
		if (take_column_member(c, key, in, fault) < 0)
			return -1;
	if (more < 0)
		return -1;
	if (c->name == NULL || c->type == 0 || c->steps == 0)
		return fault_set(fault, "a column lacks its name, type or steps");
	if (!fitted_step_is_text(c->step[0].kind) && !column_is_number(c->type))
		return fault_set(fault, "column '%s' is %s and has steps for numbers", c->name,
			column_type_name(c->type));
	return 0;
}

static int take_columns(struct fitted *r, struct jsonin *in, struct fault *fault)
{
	int more;

	if (jsonin_enter(in, '[', fault) < 0)
		return -1;
	while ((more = jsonin_item(in, fault)) == 1)
		if (take_column(r, in, fault) < 0)
			return -1;
	return more;
}

static int take_format(struct jsonin *in, struct fault *fault)
{
	uint64_t format;

	if (jsonin_integer(in, &format, fault) < 0)
		return -1;
	return format == FORMAT ? 0
				: fault_set(fault, "format %llu, this reads %d",
					  (unsigned long long)format, FORMAT);
}

static int take_into(struct fitted *r, struct jsonin *in, struct fault *fault)
{
	char name[COLUMN_NAME_MAX + 1];

	if (jsonin_string(in, name, sizeof name, fault) < 0)
		return -1;
	if (r->into != NULL || name[0] == '\0')
		return fault_set(fault, "'into' names one column");
	r->into = text_copy(name, strlen(name));
	return 0;
}

static int take_from(struct fitted *r, struct jsonin *in, struct fault *fault)
{
	char text[20], *end;

	if (jsonin_string(in, text, sizeof text, fault) < 0)
		return -1;
	r->from = strtoull(text, &end, 16);
	return strlen(text) == 16 && *end == '\0' ? 0 : fault_set(fault, "'from' is no digest");
}

static int take_recipe(struct fitted *r, struct jsonin *in, struct fault *fault)
{
	char key[32];
	int more, rc;

	if (jsonin_enter(in, '{', fault) < 0)
		return -1;
	while ((more = jsonin_key(in, key, sizeof key, fault)) == 1) {
		if (strcmp(key, "format") == 0)
			rc = take_format(in, fault);
		else if (strcmp(key, "columns") == 0)
			rc = take_columns(r, in, fault);
		else if (strcmp(key, "into") == 0)
			rc = take_into(r, in, fault);
		else if (strcmp(key, "from") == 0)
			rc = take_from(r, in, fault);
		else
			rc = jsonin_skip(in, fault);
		if (rc < 0)
			return -1;
	}
	return more;
}

uint64_t fitted_state(const char *json, size_t length)
{
	return XXH3_64bits(json, length) | 1;
}

int fitted_read(struct fitted *recipe, const char *json, size_t length, struct fault *fault)
{
	struct fitted made = { 0 };
	struct jsonin in;

	jsonin_begin(&in, json, length);
	if (take_recipe(&made, &in, fault) < 0) {
		fitted_release(&made);
		return fault_context(fault, "the recipe");
	}
	*recipe = made;
	return 0;
}
