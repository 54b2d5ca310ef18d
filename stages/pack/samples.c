#include "pack/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonout.h"
#include "common/shard.h"
#include "common/text.h"
#include "pack/tar.h"

/* One group under way. */
struct samples {
	struct tars *tars;
	const struct shard *shard;
	size_t key; /* the column; shard->columns: there is none */
	struct shard_part *part;
	struct text name, data;
};

static int add(
	struct samples *s, const char *ending, const void *data, size_t size, struct fault *fault)
{
	size_t length = s->name.length;
	int rc;

	text_format(&s->name, ".%s", ending);
	rc = tars_add(s->tars, s->name.data, data, size, fault);
	s->name.length = length;
	return rc;
}

static void put_number(struct jsonout *json, const struct shard_part *part, size_t row)
{
	if (part->type == COLUMN_INT64 || part->type == COLUMN_TIME) {
		char digits[24];

		/* A number as it is: a double would round it. */
		(void)snprintf(digits, sizeof digits, "%lld",
			(long long)((const int64_t *)part->data)[row]);
		jsonout_number(json, 0);
		json->out->length--;
		text_add(json->out, digits, strlen(digits));
		return;
	}
	jsonout_number(json, column_number(part->type, part->data, row));
}

static void put_plain(struct samples *s, struct jsonout *json, size_t column, size_t row)
{
	const struct shard_part *part = &s->part[column];
	struct text name = { 0 };
	size_t length;
	const char *text;

	jsonout_key(json, s->shard->column[column].name);
	if (!shard_present(part, row)) {
		jsonout_number(json, 0);
		json->out->length--;
		text_add(json->out, "null", 4);
	} else if (part->type == COLUMN_CATEGORY) {
		text = shard_category(
			s->shard, column, ((const uint32_t *)part->data)[row], &length);
		text_add(&name, text != NULL ? text : "", text != NULL ? length : 0);
		jsonout_string(json, name.data);
		text_release(&name);
	} else {
		put_number(json, part, row);
	}
}

static const char *npy_code(enum column_type type)
{
	switch (type) {
	case COLUMN_FLOAT64: return "<f8";
	case COLUMN_FLOAT32: return "<f4";
	case COLUMN_INT64:
	case COLUMN_TIME: return "<i8";
	case COLUMN_INT32: return "<i4";
	case COLUMN_INT16: return "<i2";
	case COLUMN_INT8: return "|i1";
	case COLUMN_UINT32:
	case COLUMN_CATEGORY: return "<u4";
	case COLUMN_UINT16: return "<u2";
	case COLUMN_UINT8: return "|u1";
	case COLUMN_BOOLEAN: return "|b1";
	case COLUMN_TEXT:
	case COLUMN_BYTES:
	case COLUMN_TYPES: break;
	}
	return "";
}

/* One row of a wide column as an NPY file. */
static int put_array(struct samples *s, size_t column, size_t row, struct fault *fault)
{
	const struct column *c = &s->shard->column[column];
	size_t size = c->width * column_cell_size(c->type);
	struct text header = { 0 }, ending = { 0 };
	int rc;

	text_format(
		&header, "{'descr': '%s', 'fortran_order': False, 'shape': (", npy_code(c->type));
	for (uint32_t i = 0; i < c->dimensions; i++)
		text_format(&header, "%u, ", c->dimension[i]);
	text_format(&header, "), }");
	while ((header.length + 11) % 64 != 0)
		text_add(&header, " ", 1);
	text_add(&header, "\n", 1);
	s->data.length = 0;
	text_add(&s->data, "\x93NUMPY\x01\x00", 8);
	text_add(&s->data,
		(const char[]){ (char)(header.length & 0xff), (char)(header.length >> 8) }, 2);
	text_add(&s->data, header.data, header.length);
	text_add(&s->data, (const char *)s->part[column].data + row * size, size);
	text_format(&ending, "%s.npy", c->name);
	rc = add(s, ending.data, s->data.data, s->data.length, fault);
	text_release(&header);
	text_release(&ending);
	return rc;
}

static int set_name(struct samples *s, size_t row, uint64_t number, struct fault *fault)
{
	const char *text;
	size_t length;

	s->name.length = 0;
	if (s->key == s->shard->columns) {
		text_format(&s->name, "%09llu", (unsigned long long)number);
		return 0;
	}
	text = (const char *)shard_text(&s->part[s->key], row, &length);
	if (length == 0 || memchr(text, '.', length) != NULL || memchr(text, '\0', length) != NULL)
		return fault_set(fault, "row %llu: the key '%.*s' is empty or has a dot",
			(unsigned long long)number, (int)(length > 100 ? 100 : length), text);
	text_add(&s->name, text, length);
	return 0;
}

static int write_row(struct samples *s, size_t row, struct fault *fault)
{
	struct text plain = { 0 };
	struct jsonout json = { .out = &plain, .compact = 1 };
	int rc = 0;

	jsonout_open(&json, '{');
	for (size_t c = 0; c < s->shard->columns && rc == 0; c++) {
		size_t length;
		const void *text;

		if (c == s->key)
			continue;
		if (s->part[c].end != NULL) {
			text = shard_text(&s->part[c], row, &length);
			if (shard_present(&s->part[c], row))
				rc = add(s, s->shard->column[c].name, text, length, fault);
		} else if (s->shard->column[c].dimensions != 0) {
			rc = put_array(s, c, row, fault);
		} else {
			put_plain(s, &json, c, row);
		}
	}
	jsonout_close(&json);
	if (rc == 0 && plain.length > 2)
		rc = add(s, "json", plain.data, plain.length, fault);
	text_release(&plain);
	return rc;
}

static int write_group(struct samples *s, size_t group, struct fault *fault)
{
	size_t rows = shard_group_rows(s->shard, group);
	int rc = 0;

	for (size_t c = 0; c < s->shard->columns && rc == 0; c++) {
		rc = shard_verify(s->shard, group, c, fault);
		shard_part(&s->part[c], s->shard, group, c);
	}
	for (size_t row = 0; row < rows && rc == 0; row++) {
		rc = tars_next(s->tars, fault);
		if (rc == 0)
			rc = set_name(s, row, group * s->shard->group_rows + row, fault);
		if (rc == 0)
			rc = write_row(s, row, fault);
	}
	return rc;
}

int samples_write(struct tars *tars, const struct shard *shard, const char *key,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	struct samples s = { .tars = tars, .shard = shard, .key = shard->columns };
	int rc = 0;

	if (key != NULL) {
		s.key = shard_find(shard, key);
		if (s.key == shard->columns || shard->column[s.key].type != COLUMN_TEXT)
			return fault_set(
				fault, "with.key: there is no column '%s' of type text", key);
	}
	s.part = array_new(shard->columns, sizeof *s.part);
	for (size_t g = 0; g < shard->groups && rc == 0; g++) {
		rc = host->cancelled(ctx) ? fault_set(fault, "stopped") : write_group(&s, g, fault);
		host->progress(ctx, (double)g, (double)shard->groups, "groups");
	}
	text_release(&s.name);
	text_release(&s.data);
	free(s.part);
	return rc;
}
