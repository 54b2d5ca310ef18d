#include "split/column.h"

#include <math.h>
#include <stdlib.h>

#include "common/dictionary.h"
#include "common/fault.h"
#include "common/idx.h"
#include "common/shard.h"
#include "common/text.h"

static int find(
	struct shard *shard, size_t *at, const char *path, const char *name, struct fault *fault)
{
	if (shard_open(shard, path, fault) < 0)
		return -1;
	*at = name != NULL ? shard_find(shard, name) : 0;
	if (*at < shard->columns && (name == NULL || shard->column[*at].width == 1))
		return 0;
	(void)fault_set(fault,
		*at == shard->columns ? "with.column: '%s' has no column '%s'"
				      : "with.column: '%s' has several numbers a row of '%s'",
		path, name);
	shard_close(shard);
	return -1;
}

/* A row's value as bytes that are equal when values are. */
static const void *bytes_of(const struct shard_part *part, size_t row, size_t *length)
{
	size_t size = column_cell_size(part->type);

	if (part->end != NULL)
		return shard_text(part, row, length);
	*length = size;
	return (const unsigned char *)part->data + row * size;
}

static int take_group(struct split_column *c, struct dictionary *values, const struct shard *shard,
	size_t group, size_t at, int groups, struct fault *fault)
{
	size_t first = group * shard->group_rows;
	struct shard_part part;

	if (shard_verify(shard, group, at, fault) < 0)
		return -1;
	shard_part(&part, shard, group, at);
	for (size_t row = 0; row < part.rows; row++) {
		size_t length;
		const void *bytes = bytes_of(&part, row, &length);

		if (!shard_present(&part, row)) {
			if (groups)
				return fault_set(fault, "row %zu has no '%s' to be grouped by",
					first + row, shard->column[at].name);
			bytes = "missing value";
			length =
				13; /* no number has as many bytes; of texts it is one like any other */
		}
		c->code[first + row] = dictionary_add(values, bytes, length);
	}
	return 0;
}

int split_column_read(struct split_column *column, const char *path, const char *name, int groups,
	struct fault *fault)
{
	struct split_column made = { .codes = 1 };
	struct dictionary values = { 0 };
	struct shard shard;
	size_t at;
	int rc = 0;

	if (find(&shard, &at, path, name, fault) < 0)
		return -1;
	made.rows = shard.rows;
	made.code = array_new(made.rows, sizeof *made.code);
	if (name != NULL && (shard.column[at].type == COLUMN_FLOAT64 ||
				    shard.column[at].type == COLUMN_FLOAT32))
		rc = fault_set(fault,
			"with.column: '%s' is %s; rows are divided by texts, categories, "
			"booleans or whole numbers",
			name, column_type_name(shard.column[at].type));
	for (size_t g = 0; name != NULL && g < shard.groups && rc == 0; g++)
		rc = take_group(&made, &values, &shard, g, at, groups, fault);
	if (name != NULL)
		made.codes = values.count;
	dictionary_release(&values);
	shard_close(&shard);
	if (rc < 0)
		split_column_release(&made);
	else
		*column = made;
	return rc;
}

int split_column_numbers(
	struct split_column *column, const char *path, const char *name, struct fault *fault)
{
	struct split_column made = { .codes = 1 };
	struct shard shard;
	size_t at;
	int rc = 0;

	if (find(&shard, &at, path, name, fault) < 0)
		return -1;
	made.rows = shard.rows;
	made.number = array_new(made.rows, sizeof *made.number);
	if (!column_is_number(shard.column[at].type))
		rc = fault_set(fault, "with.column: '%s' is %s, a time or a number is wanted", name,
			column_type_name(shard.column[at].type));
	for (size_t g = 0; g < shard.groups && rc == 0; g++) {
		double *number = made.number + g * shard.group_rows;
		struct shard_part part;

		rc = shard_verify(&shard, g, at, fault);
		shard_part(&part, &shard, g, at);
		column_numbers(number, part.type, part.data, 0, part.rows);
		for (size_t row = 0; row < part.rows && rc == 0; row++)
			if (!shard_present(&part, row) || isnan(number[row]))
				rc = fault_set(fault, "row %zu has no '%s'",
					(size_t)(g * shard.group_rows) + row, name);
	}
	shard_close(&shard);
	if (rc < 0)
		split_column_release(&made);
	else
		*column = made;
	return rc;
}

int split_column_labels(struct split_column *column, const char *path, struct fault *fault)
{
	struct idx labels;

	if (idx_open(&labels, path, 1, fault) < 0)
		return -1;
	*column = (struct split_column){ .rows = labels.rows, .codes = 256 };
	column->code = array_new(labels.rows, sizeof *column->code);
	for (size_t i = 0; i < labels.rows; i++)
		column->code[i] = labels.data[i];
	idx_close(&labels);
	return 0;
}

void split_column_release(struct split_column *column)
{
	free(column->code);
	free(column->number);
	*column = (struct split_column){ 0 };
}
