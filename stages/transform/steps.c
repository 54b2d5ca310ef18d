#include "transform/steps.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/fitted.h"
#include "common/jsonin.h"
#include "common/option.h"
#include "common/shard.h"
#include "common/text.h"

#define STEP_LENGTH_MAX 200

/* A step, or a list of them. */
static int read_list(struct fitted_column *c, struct jsonin *in, struct fault *fault)
{
	char words[STEP_LENGTH_MAX];
	int more;

	if (jsonin_peek(in) == '"')
		return jsonin_string(in, words, sizeof words, fault) < 0
			       ? -1
			       : fitted_add_step(c, words, fault);
	if (jsonin_enter(in, '[', fault) < 0)
		return -1;
	while ((more = jsonin_item(in, fault)) == 1)
		if (jsonin_string(in, words, sizeof words, fault) < 0 ||
			fitted_add_step(c, words, fault) < 0)
			return -1;
	return more;
}

static int check_steps(
	const struct fitted_column *c, const struct column *column, struct fault *fault)
{
	if (c->steps == 0)
		return 0;
	if (column->width != 1)
		return fault_set(fault, "column '%s' has %u numbers a row; steps are for one",
			column->name, column->width);
	if (fitted_step_is_text(c->step[0].kind)) {
		if (column->type == COLUMN_FLOAT64 || column->type == COLUMN_FLOAT32)
			return fault_set(fault,
				"column '%s' is %s; %s is for texts, categories and whole "
				"numbers",
				column->name, column_type_name(column->type),
				fitted_step_name(c->step[0].kind));
	} else if (!column_is_number(column->type)) {
		return fault_set(fault, "column '%s' is %s; %s is for numbers", column->name,
			column_type_name(column->type), fitted_step_name(c->step[0].kind));
	}
	return 0;
}

/* with.columns: each column that is named. set[] says which. */
static int read_columns(struct fitted_column *columns, char *set, const struct shard *shard,
	const char *json, struct fault *fault)
{
	char name[COLUMN_NAME_MAX + 1];
	struct jsonin in;
	int more;

	jsonin_open(&in, json, '{');
	while ((more = jsonin_key(&in, name, sizeof name, fault)) == 1) {
		size_t at = shard_find(shard, name);

		if (at == shard->columns)
			return fault_set(fault, "the table has no column '%s'", name);
		set[at] = 1;
		if (read_list(&columns[at], &in, fault) < 0 ||
			check_steps(&columns[at], &shard->column[at], fault) < 0)
			return fault_context(fault, "column '%s'", name);
	}
	return more;
}

/* with.numbers and with.categories: the columns of a kind that nobody named. */
static int read_rest(struct fitted_column *columns, const char *set, const struct shard *shard,
	int numbers, const char *json, struct fault *fault)
{
	if (json == NULL)
		return 0;
	for (size_t i = 0; i < shard->columns; i++) {
		const struct column *c = &shard->column[i];
		int fits = numbers ? column_is_number(c->type) && c->type != COLUMN_TIME
				   : c->type == COLUMN_CATEGORY;
		struct jsonin in;

		if (set[i] || c->width != 1 || !fits)
			continue;
		jsonin_begin(&in, json, strlen(json));
		if (read_list(&columns[i], &in, fault) < 0 ||
			check_steps(&columns[i], c, fault) < 0)
			return -1;
	}
	return 0;
}

int steps_read(struct fitted *recipe, const struct shard *shard, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	struct fitted_column *columns = array_new(shard->columns, sizeof *columns);
	char *set = array_new(shard->columns, 1);
	int rc = option_read("columns",
		read_columns(columns, set, shard, host->json(ctx, "columns"), fault), fault);

	if (rc == 0)
		rc = option_columns(set, shard, host, ctx, "except", fault);
	if (rc == 0)
		rc = option_read("numbers",
			read_rest(columns, set, shard, 1, host->json(ctx, "numbers"), fault),
			fault);
	if (rc == 0)
		rc = option_read("categories",
			read_rest(columns, set, shard, 0, host->json(ctx, "categories"), fault),
			fault);
	recipe->column = columns;
	recipe->count = 0;
	for (size_t i = 0; i < shard->columns && rc == 0; i++) {
		const char *name = shard->column[i].name;
		struct fitted_column *c = &columns[recipe->count];

		if (columns[i].steps == 0)
			continue;
		*c = columns[i];
		c->name = text_copy(name, strlen(name));
		c->type = shard->column[i].type;
		recipe->count++;
	}
	if (rc == 0 && recipe->count == 0)
		rc = fault_set(
			fault, "no column gets a step; see with.columns, numbers, categories");
	free(set);
	return rc;
}
