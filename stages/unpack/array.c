#include "unpack/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/shard.h"
#include "common/text.h"

/* Types of NumPy, by ours. */
static const char *const codes[COLUMN_TYPES] = { [COLUMN_FLOAT64] = "<f8",
	[COLUMN_FLOAT32] = "<f4",
	[COLUMN_INT64] = "<i8",
	[COLUMN_INT32] = "<i4",
	[COLUMN_INT16] = "<i2",
	[COLUMN_INT8] = "|i1",
	[COLUMN_UINT32] = "<u4",
	[COLUMN_UINT16] = "<u2",
	[COLUMN_UINT8] = "|u1",
	[COLUMN_BOOLEAN] = "|b1",
	[COLUMN_CATEGORY] = "<i8",
	[COLUMN_TIME] = "<i8" };

static void write_header(struct output *output, const struct shard *shard, const struct column *c)
{
	struct text header = { 0 };
	unsigned char prefix[10] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0 };

	text_format(&header, "{'descr': '%s', 'fortran_order': False, 'shape': (%llu,",
		codes[c->type], (unsigned long long)shard->rows);
	for (uint32_t i = 0; i < c->dimensions; i++)
		text_format(&header, " %u,", c->dimension[i]);
	text_format(&header, "), }");
	while ((header.length + sizeof prefix + 1) % 64 != 0)
		text_add(&header, " ", 1);
	text_add(&header, "\n", 1);
	prefix[8] = (unsigned char)(header.length & 0xff);
	prefix[9] = (unsigned char)(header.length >> 8);
	output_write(output, prefix, sizeof prefix);
	output_write(output, header.data, header.length);
	text_release(&header);
}

static int write_categories(struct output *output, const struct shard *shard, size_t column,
	const struct shard_part *part, struct fault *fault)
{
	const uint32_t *code = part->data;

	for (size_t i = 0; i < part->rows; i++) {
		int64_t wide = code[i];

		if (code[i] >= shard->record[column].categories)
			return fault_set(fault, "column '%s' has a category that is none",
				shard->column[column].name);
		output_write(output, &wide, sizeof wide);
	}
	return 0;
}

static int write_part(struct output *output, const struct shard *shard, size_t group, size_t column,
	struct fault *fault)
{
	const struct column *c = &shard->column[column];
	struct shard_part part;

	if (shard_verify(shard, group, column, fault) < 0)
		return -1;
	shard_part(&part, shard, group, column);
	if (part.missing != 0 && c->type != COLUMN_FLOAT64 && c->type != COLUMN_FLOAT32)
		return fault_set(fault,
			"column '%s' is %s and lacks %zu values in group %zu, which an array "
			"cannot say",
			c->name, column_type_name(c->type), part.missing, group + 1);
	if (c->type == COLUMN_CATEGORY)
		return write_categories(output, shard, column, &part, fault);
	output_write(output, part.data, part.rows * part.width * column_cell_size(c->type));
	return 0;
}

int array_write(const char *path, const struct shard *shard, const char *name, struct fault *fault)
{
	size_t column = shard_find(shard, name);
	struct output output;
	int rc = 0;

	if (column == shard->columns)
		return fault_set(
			fault, "the out '%s' is neither `data` nor a column of the table", name);
	if (codes[shard->column[column].type] == NULL)
		return fault_set(fault, "column '%s' is %s; an array holds numbers", name,
			column_type_name(shard->column[column].type));
	if (output_open(&output, path, fault) < 0)
		return -1;
	write_header(&output, shard, &shard->column[column]);
	for (size_t g = 0; g < shard->groups && rc == 0; g++)
		rc = write_part(&output, shard, g, column, fault);
	if (rc == 0)
		rc = output_commit(&output, fault);
	output_abandon(&output);
	return rc;
}
