/*
 * common/column.h - typed columns, and rows of them in memory.
 *
 *     struct column c = { .name = "age", .type = COLUMN_INT64, .width = 1 };
 *     struct cells cells = { 0 };  cells_begin(&cells, &c);
 *     cells_add_number(&cells, 41);  cells_add_missing(&cells);
 *     ...cells.rows, cells.missing, cells_number(&cells, row)...
 *     cells_release(&cells);
 *
 * A row of a column is `width` cells: 1 for a plain table, 784 for pictures of 28 x 28. Text and
 * bytes have any length and width 1. What is missing holds NaN, CATEGORY_MISSING or 0 by its type,
 * and `present` says so: it is NULL as long as nothing is missing.
 */
#ifndef FLOW_STAGES_COMMON_COLUMN_H
#define FLOW_STAGES_COMMON_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#define COLUMN_DIMENSIONS_MAX 4
#define COLUMN_NAME_MAX       255
#define COLUMN_WIDTH_MAX      (1u << 24)
#define COLUMNS_MAX           65536
#define CATEGORY_MISSING      UINT32_MAX

/* The numbers stand in files: new types are added at the end. */
enum column_type {
	COLUMN_FLOAT64 = 1,
	COLUMN_FLOAT32,
	COLUMN_INT64,
	COLUMN_INT32,
	COLUMN_INT16,
	COLUMN_INT8,
	COLUMN_UINT32,
	COLUMN_UINT16,
	COLUMN_UINT8,
	COLUMN_BOOLEAN,  /* a byte, 0 or 1 */
	COLUMN_CATEGORY, /* uint32: which of the column's categories */
	COLUMN_TIME,     /* int64: microseconds since 1970, UTC */
	COLUMN_TEXT,     /* UTF-8 as it came */
	COLUMN_BYTES,
	COLUMN_TYPES, /* how many, and one more */
};

struct column {
	const char *name;
	enum column_type type;
	uint32_t width;      /* cells in a row: the product of the dimensions; 1 without any */
	uint32_t dimensions; /* 0: a plain column */
	uint32_t dimension[COLUMN_DIMENSIONS_MAX];
};

const char *column_type_name(enum column_type type);
enum column_type column_type_find(const char *name); /* 0: there is none */
size_t column_cell_size(enum column_type type);      /* bytes; 0: any length */
int column_is_number(enum column_type type);         /* its cells have an order and a mean */

static inline int column_has_length(enum column_type type)
{
	return type == COLUMN_TEXT || type == COLUMN_BYTES;
}

/* The cell at an index of an array of cells, as a number. */
double column_number(enum column_type type, const void *cells, size_t index);

/* `count` cells from an index on, as numbers. */
void column_numbers(
	double *numbers, enum column_type type, const void *cells, size_t index, size_t count);

struct cells {
	enum column_type type;
	uint32_t width;
	size_t rows, missing;
	unsigned char *data; /* rows * width cells, or the bytes of all texts */
	size_t size, room;   /* bytes in data */
	uint64_t *end;       /* of texts: where each ends in data */
	uint8_t *present;    /* a byte for each row; NULL: all are */
	size_t rows_room;    /* rows that end and present have room for */
};

void cells_begin(struct cells *cells, const struct column *column); /* empty; keeps its memory */
void cells_release(struct cells *cells);                            /* zeroed: nothing */

void cells_add_number(struct cells *cells, double value); /* converted to the type; width 1 */
void cells_add_missing(struct cells *cells);              /* the whole row */
void cells_add_text(struct cells *cells, const void *data, size_t length);
void cells_add_row(struct cells *cells, const void *row); /* width cells of the type */
/* Rows of another of the same type and width. */
void cells_append(struct cells *cells, const struct cells *from, size_t first, size_t rows);

/* Room for so many more rows; of text, bytes as well. For who fills the arrays himself. */
void cells_reserve(struct cells *cells, size_t rows, size_t bytes);
/* present[] is there from now on, all 1 so far. */
void cells_need_present(struct cells *cells);

static inline int cells_present(const struct cells *cells, size_t row)
{
	return cells->present == NULL || cells->present[row];
}

const unsigned char *cells_text(const struct cells *cells, size_t row, size_t *length);

#endif
