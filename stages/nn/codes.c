#include "nn/codes.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/jsonout.h"
#include "common/text.h"
#include "nn/table.h"

#define NAME_ROOM 65536

int codes_are_in(const struct table *t)
{
	for (size_t i = 0; i < t->inputs; i++)
		if (t->input[i].type == COLUMN_CATEGORY)
			return 1;
	return 0;
}

static void write_column(struct jsonout *json, const struct shard *shard, size_t column)
{
	jsonout_open(json, '[');
	jsonout_string(json, shard->column[column].name);
	for (uint32_t i = 0; i < shard->record[column].categories; i++) {
		size_t length;
		const char *name = shard_category(shard, column, i, &length);
		char *copy = text_copy(name, length);

		jsonout_string(json, copy);
		free(copy);
	}
	jsonout_close(json);
}

void codes_write(struct jsonout *json, const struct table *t)
{
	jsonout_open(json, '[');
	for (size_t i = 0; i < t->inputs; i++)
		if (t->input[i].type == COLUMN_CATEGORY)
			write_column(json, &t->shard, t->input[i].column);
	jsonout_close(json);
}

/* ["city", "Rome", "Oslo"] */
static int read_column(struct codes *c, struct jsonin *in, char *room, struct fault *fault)
{
	struct codes_column *column;
	int more;

	if (c->count == COLUMNS_MAX)
		return fault_set(fault, "more than %d columns", COLUMNS_MAX);
	if (jsonin_enter(in, '[', fault) < 0 || jsonin_item(in, fault) != 1 ||
		jsonin_string(in, room, NAME_ROOM, fault) < 0)
		return fault_set(fault, "no list of a column's categories");
	c->column = array_grown(c->column, c->count + 1, sizeof *c->column);
	column = &c->column[c->count++];
	*column = (struct codes_column){ .name = text_copy(room, strlen(room)) };
	while ((more = jsonin_item(in, fault)) == 1) {
		uint32_t next = column->known.count;

		if (jsonin_string(in, room, NAME_ROOM, fault) < 0)
			return -1;
		if (dictionary_add(&column->known, room, strlen(room)) != next)
			return fault_set(fault, "category '%.100s' of '%.100s' twice", room,
				column->name);
	}
	return more;
}

int codes_read(struct codes *c, struct jsonin *in, struct fault *fault)
{
	char *room = array_new(NAME_ROOM, 1);
	int more = jsonin_enter(in, '[', fault);

	while (more == 0 && (more = jsonin_item(in, fault)) == 1)
		more = read_column(c, in, room, fault);
	free(room);
	return more;
}

static const struct dictionary *find(const struct codes *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->column[i].name, name) == 0)
			return &c->column[i].known;
	return NULL;
}

/* For each category of the table its number in the model, `other` where it has none. */
static uint32_t *map_of(const struct shard *shard, size_t column, const struct dictionary *known,
	uint32_t other)
{
	uint32_t count = shard->record[column].categories;
	uint32_t *code = array_new(count, sizeof *code);

	for (uint32_t i = 0; i < count; i++) {
		size_t length = 0;
		const char *name = shard_category(shard, column, i, &length);

		code[i] = dictionary_find(known, name != NULL ? name : "", length);
		if (code[i] == DICTIONARY_NONE)
			code[i] = other;
	}
	return code;
}

int codes_apply(const struct codes *c, struct table *t, struct fault *fault)
{
	for (size_t i = 0; i < t->inputs; i++) {
		struct table_input *in = &t->input[i];
		const char *name = t->shard.column[in->column].name;
		const struct dictionary *known = find(c, name);

		if (known == NULL && in->type == COLUMN_CATEGORY)
			return fault_set(fault,
				"column '%s' is a category, but the model has learned none of that "
				"name",
				name);
		if (known != NULL && in->type != COLUMN_CATEGORY)
			return fault_set(fault,
				"column '%s' is %s, but the model has learned categories; the stage "
				"`table` makes them with columns: {%s: category}",
				name, column_type_name(in->type), name);
		if (known != NULL)
			in->code = map_of(&t->shard, in->column, known,
				t->may_miss ? CATEGORY_MISSING : known->count);
	}
	return 0;
}

void codes_release(struct codes *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->column[i].name);
		dictionary_release(&c->column[i].known);
	}
	free(c->column);
	*c = (struct codes){ .count = 0 };
}
