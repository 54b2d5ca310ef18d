/*
 * common/shard.h - a table in a file: typed columns in row groups, read by mapping.
 *
 *     struct shard s;  shard_open(&s, path, fault);
 *     for (group = 0; group < s.groups; group++)
 *             for (column = 0; column < s.columns; column++) {
 *                     struct shard_part p;  shard_part(&p, &s, group, column);
 *                     ...((const float *)p.data)[row * p.width + i], shard_present(&p, row)...
 *             }
 *     shard_close(&s);
 *
 * Nothing is copied: parts point into the mapping and live until shard_close(). shard_open() checks
 * the header, the directory and every offset, so that no part reaches out of the file. What is IN
 * a part is as it was written if shard_verify() says so; without it a text's length is cut at the
 * part's end, and a category may be any number. docs/reference/shards.md has the layout.
 */
#ifndef FLOW_STAGES_COMMON_SHARD_H
#define FLOW_STAGES_COMMON_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "common/column.h"
#include "common/file.h"

struct fault;

#define SHARD_MAGIC       "flowshrd"
#define SHARD_VERSION     1u
#define SHARD_HEADER_SIZE 4096
#define SHARD_GROUP_ALIGN 4096 /* where a group begins */
#define SHARD_PART_ALIGN  64   /* where a part begins */

/* The first bytes of the file. */
struct shard_header {
	char magic[8];
	uint32_t version;
	uint32_t columns;
	uint64_t rows;
	uint64_t group_rows; /* of each group but the last, which may have fewer */
	uint64_t groups;
	uint64_t directory;      /* where the directory begins; it ends with the file */
	uint64_t directory_size; /* bytes */
	uint64_t directory_hash; /* XXH3, 64 bits, of the directory */
	uint64_t header_hash;    /* of all before it */
	uint64_t state;          /* of the recipe that made the columns (fitted.h); 0: none did */
	uint64_t state_hash;     /* of it; 0 when it is 0 */
};

/* In the directory, for each column. Figures are of the values that are present and finite; of
 * text, bytes and categories there are none. */
struct shard_column_record {
	uint32_t type, width, dimensions, dimension[COLUMN_DIMENSIONS_MAX];
	uint32_t categories;
	uint64_t name, name_length; /* from the start of the directory */
	uint64_t category_ends;     /* there: uint64 end of each name in the text that follows */
	uint64_t missing, infinite;
	double minimum, maximum, mean, deviation; /* NaN: no values */
};

/* In the directory behind the columns: for each group, for each column. */
struct shard_part_record {
	uint64_t offset, size; /* of all of the part */
	uint64_t present;      /* from offset: a bit a row, lowest first; 0: all are present */
	uint64_t missing;
	uint64_t hash;           /* XXH3, 64 bits, of the part */
	double minimum, maximum; /* rounded outward; NaN: no values, or not a number */
};

struct shard {
	struct mapped file;
	const struct shard_header *header;
	const struct shard_column_record *record; /* for each column */
	const struct shard_part_record *part;     /* part[group * columns + column] */
	size_t columns, groups;
	uint64_t rows, group_rows;
	uint64_t state; /* see the header */
	struct column *column;
};

/* The rows of one column in one group. */
struct shard_part {
	enum column_type type;
	uint32_t width;
	size_t rows, missing;
	const void *data;       /* rows * width cells, 64-byte aligned; of texts: their bytes */
	const uint64_t *end;    /* of texts: where each ends in data */
	size_t size;            /* of texts: bytes in data */
	const uint8_t *present; /* bits; NULL: all */
};

int shard_open(struct shard *shard, const char *path, struct fault *fault);
void shard_close(struct shard *shard); /* zeroed: nothing */

size_t shard_group_rows(const struct shard *shard, size_t group);
void shard_part(struct shard_part *part, const struct shard *shard, size_t group, size_t column);
/* The column of that name, or shard->columns. */
size_t shard_find(const struct shard *shard, const char *name);
/* The name of a category of a column; not NUL-terminated. NULL: there is none of that number. */
const char *shard_category(
	const struct shard *shard, size_t column, uint32_t category, size_t *length);
/* The bytes of a part are those that were written, its texts and categories within bounds. */
int shard_verify(const struct shard *shard, size_t group, size_t column, struct fault *fault);

static inline int shard_present(const struct shard_part *part, size_t row)
{
	return part->present == NULL || (part->present[row / 8] >> row % 8 & 1);
}

const unsigned char *shard_text(const struct shard_part *part, size_t row, size_t *length);

/* Rows of a part behind those of cells, which cells_begin() made for that column. */
void shard_cells(struct cells *cells, const struct shard_part *part, size_t first, size_t rows);

#endif
