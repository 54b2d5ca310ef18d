#include "common/shard.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "common/fault.h"
#include "common/text.h"

static int state_is_whole(const struct shard_header *h)
{
	return h->state == 0 ? h->state_hash == 0
			     : XXH3_64bits(&h->state, sizeof h->state) == h->state_hash;
}

static int check_header(const struct mapped *file, const char *path, struct fault *fault)
{
	const struct shard_header *h;

	if (file->size < SHARD_HEADER_SIZE)
		return fault_set(
			fault, "'%s' is too short to be a shard (%zu bytes)", path, file->size);
	h = (const void *)file->data;
	if (memcmp(h->magic, SHARD_MAGIC, sizeof h->magic) != 0)
		return fault_set(fault, "'%s' is not a shard: it does not begin with '%s'", path,
			SHARD_MAGIC);
	if (h->version != SHARD_VERSION)
		return fault_set(fault, "'%s' is a shard of format %u, this is for format %u", path,
			h->version, SHARD_VERSION);
	if (XXH3_64bits(h, offsetof(struct shard_header, header_hash)) != h->header_hash ||
		!state_is_whole(h))
		return fault_set(fault, "the header of '%s' is damaged", path);
	if (h->directory < SHARD_HEADER_SIZE || h->directory > file->size ||
		h->directory % SHARD_PART_ALIGN != 0 ||
		h->directory_size != file->size - h->directory)
		return fault_set(fault, "'%s' has been cut or lengthened", path);
	if (XXH3_64bits(file->data + h->directory, h->directory_size) != h->directory_hash)
		return fault_set(fault, "the directory of '%s' is damaged", path);
	return 0;
}

/* As many groups as the rows need, and room in the directory for all records. */
static int check_counts(const struct shard_header *h, const char *path, struct fault *fault)
{
	uint64_t records;

	if (h->columns == 0 || h->columns > COLUMNS_MAX || h->group_rows == 0 ||
		h->groups > h->directory_size / sizeof(struct shard_part_record) ||
		h->groups != h->rows / h->group_rows + (h->rows % h->group_rows != 0))
		return fault_set(fault, "the counts in the header of '%s' make no sense", path);
	records = h->columns * (uint64_t)sizeof(struct shard_column_record) +
		  h->groups * h->columns * sizeof(struct shard_part_record);
	if (records > h->directory_size)
		return fault_set(fault, "the directory of '%s' is too short", path);
	return 0;
}

static int check_categories(const struct shard *s, size_t column)
{
	const struct shard_column_record *r = &s->record[column];
	const unsigned char *directory = s->file.data + s->header->directory;
	uint64_t size = s->header->directory_size, left;
	const uint64_t *end;

	if (r->categories == 0)
		return 0;
	if (r->category_ends % 8 != 0 || r->category_ends > size ||
		r->categories > (size - r->category_ends) / 8)
		return -1;
	left = size - r->category_ends - 8 * (uint64_t)r->categories;
	end = (const void *)(directory + r->category_ends);
	for (uint32_t i = 0; i < r->categories; i++)
		if (end[i] > left || (i > 0 && end[i] < end[i - 1]))
			return -1;
	return 0;
}

/* Cells of one row can be many. */
static int has_width(enum column_type type)
{
	return !column_has_length(type) && type != COLUMN_CATEGORY;
}

static int check_column(struct shard *s, size_t column, const char *path, struct fault *fault)
{
	const struct shard_column_record *r = &s->record[column];
	const unsigned char *directory = s->file.data + s->header->directory;
	uint64_t size = s->header->directory_size, width = 1;
	struct column *made = &s->column[column];

	for (uint32_t i = 0; r->dimensions <= COLUMN_DIMENSIONS_MAX && i < r->dimensions; i++)
		width *= r->dimension[i] <= COLUMN_WIDTH_MAX ? r->dimension[i] : 0;
	if (r->type == 0 || r->type >= COLUMN_TYPES || r->dimensions > COLUMN_DIMENSIONS_MAX ||
		r->width == 0 || r->width > COLUMN_WIDTH_MAX || width != r->width ||
		(r->width != 1 && !has_width((enum column_type)r->type)) || r->name > size ||
		r->name_length > size - r->name || r->name_length > COLUMN_NAME_MAX ||
		check_categories(s, column) < 0)
		return fault_set(fault, "column %zu of '%s' is not one", column + 1, path);
	made->name = text_copy((const char *)directory + r->name, r->name_length);
	made->type = (enum column_type)r->type;
	made->width = r->width;
	made->dimensions = r->dimensions;
	memcpy(made->dimension, r->dimension, sizeof made->dimension);
	return 0;
}

/* Bytes of a row of a part before its presence bits, at least. */
static uint64_t row_size(const struct column *column)
{
	if (column_has_length(column->type))
		return sizeof(uint64_t);
	return column->width * column_cell_size(column->type);
}

static int check_part(const struct shard *s, size_t group, size_t column)
{
	const struct shard_part_record *p = &s->part[group * s->columns + column];
	uint64_t rows = shard_group_rows(s, group), least, bits = (rows + 7) / 8;

	if (rows > s->file.size / row_size(&s->column[column]))
		return -1;
	least = rows * row_size(&s->column[column]);
	if (p->offset % SHARD_PART_ALIGN != 0 || p->offset > s->header->directory ||
		p->size > s->header->directory - p->offset)
		return -1;
	if (p->missing > rows || (p->present == 0) != (p->missing == 0))
		return -1;
	if (p->present == 0)
		return column_has_length(s->column[column].type) ? -(p->size < least)
								 : -(p->size != least);
	return -(p->present > p->size || p->size - p->present != bits || p->present < least);
}

static int check_all(struct shard *s, const char *path, struct fault *fault)
{
	for (size_t c = 0; c < s->columns; c++)
		if (check_column(s, c, path, fault) < 0)
			return -1;
	for (size_t g = 0; g < s->groups; g++)
		for (size_t c = 0; c < s->columns; c++)
			if (check_part(s, g, c) < 0)
				return fault_set(fault,
					"group %zu of column '%s' of '%s' lies "
					"outside of the file",
					g + 1, s->column[c].name, path);
	return 0;
}

int shard_open(struct shard *shard, const char *path, struct fault *fault)
{
	struct shard s = { 0 };

	if (mapped_open(&s.file, path, fault) < 0)
		return -1;
	if (check_header(&s.file, path, fault) < 0)
		goto out;
	s.header = (const void *)s.file.data;
	if (check_counts(s.header, path, fault) < 0)
		goto out;
	s.columns = s.header->columns;
	s.groups = s.header->groups;
	s.rows = s.header->rows;
	s.group_rows = s.header->group_rows;
	s.state = s.header->state;
	s.record = (const void *)(s.file.data + s.header->directory);
	s.part = (const void *)(s.record + s.columns);
	s.column = array_new(s.columns, sizeof *s.column);
	if (check_all(&s, path, fault) < 0)
		goto out;
	*shard = s;
	return 0;
out:
	shard_close(&s);
	return -1;
}

void shard_close(struct shard *shard)
{
	for (size_t c = 0; shard->column != NULL && c < shard->columns; c++) {
		union {
			const char *given;
			char *taken;
		} name = { .given = shard->column[c].name };

		free(name.taken);
	}
	free(shard->column);
	mapped_close(&shard->file);
	*shard = (struct shard){ 0 };
}

size_t shard_group_rows(const struct shard *shard, size_t group)
{
	uint64_t before = group * shard->group_rows, left = shard->rows - before;

	return left < shard->group_rows ? left : shard->group_rows;
}

void shard_part(struct shard_part *part, const struct shard *shard, size_t group, size_t column)
{
	const struct shard_part_record *p = &shard->part[group * shard->columns + column];
	const struct column *c = &shard->column[column];
	const unsigned char *data = shard->file.data + p->offset;
	size_t rows = shard_group_rows(shard, group);

	*part = (struct shard_part){ .type = c->type,
		.width = c->width,
		.rows = rows,
		.missing = p->missing,
		.data = data };
	if (p->present != 0)
		part->present = data + p->present;
	if (column_has_length(c->type)) {
		part->end = (const void *)data;
		part->data = data + rows * sizeof *part->end;
		part->size = (p->present != 0 ? p->present : p->size) - rows * sizeof *part->end;
	}
}

size_t shard_find(const struct shard *shard, const char *name)
{
	size_t c = 0;

	while (c < shard->columns && strcmp(shard->column[c].name, name) != 0)
		c++;
	return c;
}

const char *shard_category(
	const struct shard *shard, size_t column, uint32_t category, size_t *length)
{
	const struct shard_column_record *r = &shard->record[column];
	const uint64_t *end;
	uint64_t start;

	if (category >= r->categories)
		return NULL;
	end = (const void *)(shard->file.data + shard->header->directory + r->category_ends);
	start = category == 0 ? 0 : end[category - 1];
	*length = end[category] - start;
	return (const char *)(end + r->categories) + start;
}

const unsigned char *shard_text(const struct shard_part *part, size_t row, size_t *length)
{
	uint64_t start = row == 0 ? 0 : part->end[row - 1], end = part->end[row];

	if (end > part->size)
		end = part->size;
	if (start > end)
		start = end;
	*length = end - start;
	return (const unsigned char *)part->data + start;
}

static int check_texts(const struct shard_part *part)
{
	for (size_t i = 0; i < part->rows; i++)
		if (part->end[i] > part->size || (i > 0 && part->end[i] < part->end[i - 1]))
			return -1;
	return 0;
}

static int check_codes(const struct shard_part *part, uint32_t categories)
{
	const uint32_t *code = part->data;

	for (size_t i = 0; i < part->rows; i++)
		if (code[i] >= categories &&
			(code[i] != CATEGORY_MISSING || shard_present(part, i)))
			return -1;
	return 0;
}

int shard_verify(const struct shard *shard, size_t group, size_t column, struct fault *fault)
{
	const struct shard_part_record *p = &shard->part[group * shard->columns + column];
	struct shard_part part;
	int rc = 0;

	shard_part(&part, shard, group, column);
	if (XXH3_64bits(shard->file.data + p->offset, p->size) != p->hash)
		return fault_set(fault, "group %zu of column '%s' is damaged", group + 1,
			shard->column[column].name);
	if (part.end != NULL)
		rc = check_texts(&part);
	else if (part.type == COLUMN_CATEGORY)
		rc = check_codes(&part, shard->record[column].categories);
	if (rc < 0)
		return fault_set(fault, "group %zu of column '%s' was written wrongly", group + 1,
			shard->column[column].name);
	return 0;
}

void shard_cells(struct cells *cells, const struct shard_part *part, size_t first, size_t rows)
{
	size_t size = part->width * column_cell_size(part->type);

	cells_reserve(cells, rows, 0);
	for (size_t i = first; i < first + rows; i++) {
		size_t length;
		const unsigned char *text;

		if (!shard_present(part, i)) {
			cells_add_missing(cells);
		} else if (part->end != NULL) {
			text = shard_text(part, i, &length);
			cells_add_text(cells, text, length);
		} else {
			cells_add_row(cells, (const unsigned char *)part->data + i * size);
		}
	}
}
