#include "common/shardout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "common/fault.h"

#define BLOCK       1024
#define SETTLE_ROWS 16
#define EXACT_LIMIT 9007199254740992.0 /* 2^53: beyond it whole numbers are rounded */

/* Rows of a group when all are of one size; 0: there are texts. */
static size_t settled_rows(const struct column *columns, size_t count)
{
	size_t row = 0, rows;

	for (size_t c = 0; c < count; c++) {
		if (column_has_length(columns[c].type))
			return 0;
		row += columns[c].width * column_cell_size(columns[c].type);
	}
	rows = SHARDOUT_GROUP_BYTES / row;
	if (rows > SHARDOUT_GROUP_ROWS)
		return SHARDOUT_GROUP_ROWS;
	return rows == 0 ? 1 : rows;
}

static void put(struct shardout *out, const void *data, size_t size)
{
	output_write(&out->output, data, size);
	out->at += size;
}

static void align(struct shardout *out, size_t to)
{
	static const unsigned char zeros[SHARD_HEADER_SIZE];

	put(out, zeros, (size_t)((to - out->at % to) % to));
}

int shardout_open(struct shardout *out, const char *path, const struct column *columns,
	size_t count, size_t group_rows, struct fault *fault)
{
	struct shardout made = { .column = columns, .columns = count, .group_rows = group_rows };
	static const unsigned char zeros[SHARD_HEADER_SIZE];

	if (group_rows == 0)
		made.group_rows = settled_rows(columns, count);
	if (output_open(&made.output, path, fault) < 0)
		return -1;
	made.cells = array_new(count, sizeof *made.cells);
	made.moments = array_new(count, sizeof *made.moments);
	made.categories = array_new(count, sizeof *made.categories);
	for (size_t c = 0; c < count; c++) {
		cells_begin(&made.cells[c], &columns[c]);
		made.moments[c] = MOMENTS_NONE;
	}
	*out = made;
	put(out, zeros, sizeof zeros);
	return 0;
}

/* Figures of the cells of a group; each cell of a wide row counts. */
static void measure(struct moments *m, const struct cells *cells)
{
	double numbers[BLOCK];

	for (size_t i = 0, count = cells->rows * cells->width; i < count; i += BLOCK) {
		size_t take = count - i < BLOCK ? count - i : BLOCK;
		const uint8_t *present = cells->present;

		if (cells->type == COLUMN_FLOAT64 && present == NULL) {
			moments_add(m, (const double *)(const void *)cells->data + i, NULL, take);
			continue;
		}
		column_numbers(numbers, cells->type, cells->data, i, take);
		if (present != NULL && cells->width != 1) {
			for (size_t k = 0; k < take; k++)
				if (!present[(i + k) / cells->width])
					numbers[k] = (double)NAN;
			present = NULL;
		}
		moments_add(m, numbers, present != NULL ? present + i : NULL, take);
	}
}

static void put_bits(struct shardout *out, XXH3_state_t *hash, const struct cells *cells)
{
	unsigned char bits[BLOCK];
	size_t used = 0;

	for (size_t i = 0; i < cells->rows; i += 8) {
		unsigned byte = 0;

		for (size_t k = i; k < i + 8 && k < cells->rows; k++)
			byte |= (unsigned)cells->present[k] << (k - i);
		bits[used++] = (unsigned char)byte;
		if (used == sizeof bits || i + 8 >= cells->rows) {
			(void)XXH3_64bits_update(hash, bits, used);
			put(out, bits, used);
			used = 0;
		}
	}
}

static void put_hashed(struct shardout *out, XXH3_state_t *hash, const void *data, size_t size)
{
	if (size == 0)
		return;
	(void)XXH3_64bits_update(hash, data, size);
	put(out, data, size);
}

/* Toward the outside, where a double cannot hold the number itself. */
static double outward(enum column_type type, double value, double direction)
{
	int whole = type == COLUMN_INT64 || type == COLUMN_TIME;

	return whole && fabs(value) >= EXACT_LIMIT ? nextafter(value, direction) : value;
}

static void add_figures(
	struct shardout *out, size_t column, const struct cells *cells, struct shard_part_record *r)
{
	struct moments m = MOMENTS_NONE;

	r->minimum = r->maximum = (double)NAN;
	if (!column_is_number(cells->type)) {
		out->moments[column].missing += cells->missing;
		return;
	}
	measure(&m, cells);
	if (m.infinite != 0) {
		r->minimum = -(double)INFINITY;
		r->maximum = (double)INFINITY;
	} else if (m.count != 0) {
		r->minimum = outward(cells->type, m.minimum, -(double)INFINITY);
		r->maximum = outward(cells->type, m.maximum, (double)INFINITY);
	}
	moments_merge(&out->moments[column], &m);
}

static void put_part(struct shardout *out, size_t column)
{
	struct cells *cells = &out->cells[column];
	struct shard_part_record r = { .missing = cells->missing };
	XXH3_state_t *hash = XXH3_createState();

	assert(hash != NULL);
	(void)XXH3_64bits_reset(hash);
	align(out, SHARD_PART_ALIGN);
	r.offset = out->at;
	if (column_has_length(cells->type))
		put_hashed(out, hash, cells->end, cells->rows * sizeof *cells->end);
	put_hashed(out, hash, cells->data, cells->size);
	if (cells->missing != 0) {
		r.present = out->at - r.offset;
		put_bits(out, hash, cells);
	}
	r.size = out->at - r.offset;
	r.hash = XXH3_64bits_digest(hash);
	(void)XXH3_freeState(hash);
	add_figures(out, column, cells, &r);
	text_add(&out->parts, (const char *)&r, sizeof r);
}

static void put_group(struct shardout *out)
{
	align(out, SHARD_GROUP_ALIGN);
	for (size_t c = 0; c < out->columns; c++)
		put_part(out, c);
	out->rows += out->cells[0].rows;
	out->groups++;
	for (size_t c = 0; c < out->columns; c++)
		cells_begin(&out->cells[c], &out->column[c]);
}

static void take_rows(struct shardout *out, const struct cells *cells, size_t first, size_t rows)
{
	for (size_t c = 0; c < out->columns; c++)
		cells_append(&out->cells[c], &cells[c], first, rows);
}

/* The first group ends when it is large enough; all others have as many rows. Few rows at a time, and
 * always the same ones, so that it does not matter how they came. */
static size_t settle(struct shardout *out, const struct cells *cells, size_t first, size_t rows)
{
	size_t have = out->cells[0].rows, take = SETTLE_ROWS - have % SETTLE_ROWS, bytes = 0;

	take = rows < take ? rows : take;
	take_rows(out, cells, first, take);
	have += take;
	for (size_t c = 0; c < out->columns; c++)
		bytes += out->cells[c].size;
	if (have % SETTLE_ROWS == 0 &&
		(have >= SHARDOUT_GROUP_ROWS || bytes >= SHARDOUT_GROUP_BYTES))
		out->group_rows = have;
	return take;
}

void shardout_add(struct shardout *out, const struct cells *cells, size_t first, size_t rows)
{
	while (rows > 0) {
		size_t room = out->group_rows - out->cells[0].rows,
		       take = rows < room ? rows : room;

		if (out->group_rows == 0)
			take = settle(out, cells, first, rows);
		else
			take_rows(out, cells, first, take);
		if (out->cells[0].rows == out->group_rows)
			put_group(out);
		first += take;
		rows -= take;
	}
}

void shardout_category(struct shardout *out, size_t column, const char *name, size_t length)
{
	struct shardout_names *names = &out->categories[column];
	uint64_t end;

	text_add(&names->names, name, length);
	end = names->names.length;
	text_add(&names->ends, (const char *)&end, sizeof end);
}

static void describe(const struct shardout *out, size_t c, struct shard_column_record *r)
{
	const struct moments *m = &out->moments[c];
	const struct column *column = &out->column[c];

	*r = (struct shard_column_record){ .type = (uint32_t)column->type,
		.width = column->width,
		.dimensions = column->dimensions,
		.categories = (uint32_t)(out->categories[c].ends.length / sizeof(uint64_t)),
		.missing = m->missing,
		.infinite = m->infinite,
		.minimum = (double)NAN,
		.maximum = (double)NAN,
		.mean = (double)NAN,
		.deviation = (double)NAN };
	memcpy(r->dimension, column->dimension, sizeof r->dimension);
	if (m->count == 0)
		return;
	r->minimum = m->minimum;
	r->maximum = m->maximum;
	r->mean = m->mean;
	r->deviation = moments_deviation(m);
}

static void pad_to_eight(struct text *text)
{
	static const char zeros[8];

	text_add(text, zeros, (8 - text->length % 8) % 8);
}

static void make_directory(const struct shardout *out, struct text *directory)
{
	size_t records = out->columns * sizeof(struct shard_column_record);
	struct shard_column_record *record = array_new(out->columns, sizeof *record);

	text_add(directory, (const char *)record, records);
	text_add(directory, out->parts.data != NULL ? out->parts.data : "", out->parts.length);
	for (size_t c = 0; c < out->columns; c++) {
		const struct shardout_names *names = &out->categories[c];

		describe(out, c, &record[c]);
		record[c].name = directory->length;
		record[c].name_length = strlen(out->column[c].name);
		text_add(directory, out->column[c].name, record[c].name_length);
		if (record[c].categories == 0)
			continue;
		pad_to_eight(directory);
		record[c].category_ends = directory->length;
		text_add(directory, names->ends.data, names->ends.length);
		text_add(directory, names->names.data, names->names.length);
	}
	memcpy(directory->data, record, records);
	free(record);
}

static void put_header(struct shardout *out, const struct shard_header *header)
{
	FILE *stream = out->output.stream;

	if (fseek(stream, 0, SEEK_SET) != 0 && out->output.error == 0)
		out->output.error = errno;
	output_write(&out->output, header, sizeof *header);
}

static void shardout_release(struct shardout *out)
{
	for (size_t c = 0; c < out->columns; c++) {
		cells_release(&out->cells[c]);
		text_release(&out->categories[c].names);
		text_release(&out->categories[c].ends);
	}
	free(out->cells);
	free(out->moments);
	free(out->categories);
	text_release(&out->parts);
	*out = (struct shardout){ 0 };
}

int shardout_commit(struct shardout *out, struct fault *fault)
{
	struct shard_header header = { .version = SHARD_VERSION };
	struct text directory = { 0 };
	int rc;

	if (out->group_rows == 0)
		out->group_rows = SHARDOUT_GROUP_ROWS;
	if (out->cells[0].rows != 0)
		put_group(out);
	make_directory(out, &directory);
	align(out, SHARD_PART_ALIGN);
	memcpy(header.magic, SHARD_MAGIC, sizeof header.magic);
	header.columns = (uint32_t)out->columns;
	header.rows = out->rows;
	header.group_rows = out->group_rows;
	header.groups = out->groups;
	header.directory = out->at;
	header.directory_size = directory.length;
	header.directory_hash = XXH3_64bits(directory.data, directory.length);
	header.header_hash = XXH3_64bits(&header, offsetof(struct shard_header, header_hash));
	header.state = out->state;
	if (out->state != 0)
		header.state_hash = XXH3_64bits(&header.state, sizeof header.state);
	put(out, directory.data, directory.length);
	put_header(out, &header);
	text_release(&directory);
	rc = output_commit(&out->output, fault);
	shardout_release(out);
	return rc;
}

void shardout_abandon(struct shardout *out)
{
	if (out->output.stream == NULL)
		return;
	output_abandon(&out->output);
	shardout_release(out);
}
