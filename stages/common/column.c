#include "common/column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

static const struct {
	const char *name;
	size_t cell_size;
	int is_number;
} types[COLUMN_TYPES] = {
	[COLUMN_FLOAT64] = { "float64", 8, 1 },
	[COLUMN_FLOAT32] = { "float32", 4, 1 },
	[COLUMN_INT64] = { "int64", 8, 1 },
	[COLUMN_INT32] = { "int32", 4, 1 },
	[COLUMN_INT16] = { "int16", 2, 1 },
	[COLUMN_INT8] = { "int8", 1, 1 },
	[COLUMN_UINT32] = { "uint32", 4, 1 },
	[COLUMN_UINT16] = { "uint16", 2, 1 },
	[COLUMN_UINT8] = { "uint8", 1, 1 },
	[COLUMN_BOOLEAN] = { "boolean", 1, 1 },
	[COLUMN_CATEGORY] = { "category", 4, 0 },
	[COLUMN_TIME] = { "time", 8, 1 },
	[COLUMN_TEXT] = { "text", 0, 0 },
	[COLUMN_BYTES] = { "bytes", 0, 0 },
};

const char *column_type_name(enum column_type type)
{
	return types[type].name;
}

enum column_type column_type_find(const char *name)
{
	for (unsigned type = 1; type < COLUMN_TYPES; type++)
		if (strcmp(types[type].name, name) == 0)
			return (enum column_type)type;
	return (enum column_type)0;
}

size_t column_cell_size(enum column_type type)
{
	return types[type].cell_size;
}

int column_is_number(enum column_type type)
{
	return types[type].is_number;
}

double column_number(enum column_type type, const void *cells, size_t index)
{
	switch (type) {
	case COLUMN_FLOAT64: return ((const double *)cells)[index];
	case COLUMN_FLOAT32: return (double)((const float *)cells)[index];
	case COLUMN_INT64:
	case COLUMN_TIME: return (double)((const int64_t *)cells)[index];
	case COLUMN_INT32: return ((const int32_t *)cells)[index];
	case COLUMN_INT16: return ((const int16_t *)cells)[index];
	case COLUMN_INT8: return ((const int8_t *)cells)[index];
	case COLUMN_UINT32:
	case COLUMN_CATEGORY: return ((const uint32_t *)cells)[index];
	case COLUMN_UINT16: return ((const uint16_t *)cells)[index];
	case COLUMN_UINT8:
	case COLUMN_BOOLEAN: return ((const uint8_t *)cells)[index];
	case COLUMN_TEXT:
	case COLUMN_BYTES:
	case COLUMN_TYPES: break;
	}
	return (double)NAN;
}

void column_numbers(
	double *numbers, enum column_type type, const void *cells, size_t index, size_t count)
{
	if (type == COLUMN_FLOAT64) {
		memcpy(numbers, (const double *)cells + index, count * sizeof *numbers);
	} else if (type == COLUMN_INT64) {
		for (size_t i = 0; i < count; i++)
			numbers[i] = (double)((const int64_t *)cells)[index + i];
	} else if (type == COLUMN_FLOAT32) {
		for (size_t i = 0; i < count; i++)
			numbers[i] = (double)((const float *)cells)[index + i];
	} else if (type == COLUMN_UINT8) {
		for (size_t i = 0; i < count; i++)
			numbers[i] = ((const uint8_t *)cells)[index + i];
	} else {
		for (size_t i = 0; i < count; i++)
			numbers[i] = column_number(type, cells, index + i);
	}
}

void cells_begin(struct cells *cells, const struct column *column)
{
	cells->type = column->type;
	cells->width = column->width;
	cells->rows = cells->missing = cells->size = 0;
	free(cells->present);
	cells->present = NULL;
}

void cells_release(struct cells *cells)
{
	free(cells->data);
	free(cells->end);
	free(cells->present);
	*cells = (struct cells){ 0 };
}

void cells_reserve(struct cells *cells, size_t rows, size_t bytes)
{
	size_t wanted = cells->rows + rows, size = cells->size + bytes;

	if (wanted > cells->rows_room) {
		size_t room = wanted > 2 * cells->rows_room ? wanted : 2 * cells->rows_room;

		if (column_has_length(cells->type))
			cells->end = array_grown(cells->end, room, sizeof *cells->end);
		if (cells->present != NULL)
			cells->present = array_grown(cells->present, room, 1);
		cells->rows_room = room;
	} else if (column_has_length(cells->type) && cells->end == NULL) {
		cells->end = array_new(cells->rows_room, sizeof *cells->end);
	}
	if (!column_has_length(cells->type))
		size = wanted * cells->width * column_cell_size(cells->type);
	if (size > cells->room) {
		size_t room = size > 2 * cells->room ? size : 2 * cells->room;

		cells->data = array_grown(cells->data, room, 1);
		cells->room = room;
	}
}

void cells_need_present(struct cells *cells)
{
	if (cells->present != NULL)
		return;
	cells->present = array_new(cells->rows_room + 1, 1);
	if (cells->rows != 0)
		memset(cells->present, 1, cells->rows);
}

/* One row was put behind the others. */
static void count_row(struct cells *cells, uint8_t present)
{
	if (!column_has_length(cells->type))
		cells->size += cells->width * column_cell_size(cells->type);
	else
		cells->end[cells->rows] = cells->size;
	if (cells->present != NULL)
		cells->present[cells->rows] = present;
	cells->missing += !present;
	cells->rows++;
}

static void put_number(enum column_type type, void *cell, double value)
{
	switch (type) {
	case COLUMN_FLOAT64: *(double *)cell = value; break;
	case COLUMN_FLOAT32: *(float *)cell = (float)value; break;
	case COLUMN_INT64:
	case COLUMN_TIME: *(int64_t *)cell = (int64_t)value; break;
	case COLUMN_INT32: *(int32_t *)cell = (int32_t)value; break;
	case COLUMN_INT16: *(int16_t *)cell = (int16_t)value; break;
	case COLUMN_INT8: *(int8_t *)cell = (int8_t)value; break;
	case COLUMN_UINT32:
	case COLUMN_CATEGORY: *(uint32_t *)cell = (uint32_t)value; break;
	case COLUMN_UINT16: *(uint16_t *)cell = (uint16_t)value; break;
	case COLUMN_UINT8:
	case COLUMN_BOOLEAN: *(uint8_t *)cell = (uint8_t)value; break;
	case COLUMN_TEXT:
	case COLUMN_BYTES:
	case COLUMN_TYPES: break;
	}
}

void cells_add_number(struct cells *cells, double value)
{
	cells_reserve(cells, 1, 0);
	put_number(cells->type, cells->data + cells->size, value);
	count_row(cells, 1);
}

/* What stands where nothing is. */
static double stand_in(enum column_type type)
{
	if (type == COLUMN_FLOAT64 || type == COLUMN_FLOAT32)
		return (double)NAN;
	return type == COLUMN_CATEGORY ? (double)CATEGORY_MISSING : 0;
}

void cells_add_missing(struct cells *cells)
{
	size_t cell_size = column_cell_size(cells->type);

	cells_reserve(cells, 1, 0);
	cells_need_present(cells);
	for (uint32_t i = 0; cell_size != 0 && i < cells->width; i++)
		put_number(cells->type, cells->data + cells->size + i * cell_size,
			stand_in(cells->type));
	count_row(cells, 0);
}

void cells_add_text(struct cells *cells, const void *data, size_t length)
{
	cells_reserve(cells, 1, length);
	if (length != 0)
		memcpy(cells->data + cells->size, data, length);
	cells->size += length;
	count_row(cells, 1);
}

void cells_add_row(struct cells *cells, const void *row)
{
	cells_reserve(cells, 1, 0);
	memcpy(cells->data + cells->size, row, cells->width * column_cell_size(cells->type));
	count_row(cells, 1);
}

static void append_presence(
	struct cells *cells, const struct cells *from, size_t first, size_t rows)
{
	if (from->present == NULL && cells->present == NULL)
		return;
	cells_need_present(cells);
	for (size_t i = 0; i < rows; i++) {
		uint8_t present = (uint8_t)cells_present(from, first + i);

		cells->present[cells->rows + i] = present;
		cells->missing += !present;
	}
}

void cells_append(struct cells *cells, const struct cells *from, size_t first, size_t rows)
{
	size_t start, size;

	if (rows == 0)
		return;
	if (column_has_length(cells->type)) {
		start = first == 0 ? 0 : from->end[first - 1];
		size = from->end[first + rows - 1] - start;
	} else {
		size_t row_size = cells->width * column_cell_size(cells->type);

		start = first * row_size;
		size = rows * row_size;
	}
	cells_reserve(cells, rows, size);
	append_presence(cells, from, first, rows);
	if (size != 0)
		memcpy(cells->data + cells->size, from->data + start, size);
	for (size_t i = 0; column_has_length(cells->type) && i < rows; i++)
		cells->end[cells->rows + i] = from->end[first + i] - start + cells->size;
	cells->size += size;
	cells->rows += rows;
}

const unsigned char *cells_text(const struct cells *cells, size_t row, size_t *length)
{
	uint64_t start = row == 0 ? 0 : cells->end[row - 1];

	*length = cells->end[row] - start;
	return cells->data + start;
}
