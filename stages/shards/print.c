/* flow shards cat: rows as CSV or JSON lines. */
#include "shards/shards.h"

#include <stdlib.h>
#include <string.h>

#include "common/dictionary.h"
#include "common/fault.h"
#include "common/jsonout.h"
#include "common/shard.h"
#include "common/text.h"
#include "common/where.h"
#include "shards/cell.h"

#define WRITE_AT 65536 /* bytes */

struct print {
	const struct shards *s;
	struct shard shard;
	struct where where;
	size_t bound[WHERE_MAX]; /* column of each condition */
	size_t *column, columns; /* to print */
	struct shard_part *part; /* of each, in the group at hand */
	struct text out;
	uint64_t left;
};

static int find(const struct print *p, const char *name, size_t *column, struct fault *fault)
{
	*column = shard_find(&p->shard, name);
	return *column < p->shard.columns ? 0
					  : fault_set(fault, "there is no column '%s'", name);
}

/* "a,b"; a name with a comma cannot be asked for. */
static int choose(struct print *p, struct fault *fault)
{
	const char *at = p->s->columns;
	char name[COLUMN_NAME_MAX + 1];

	if (at == NULL) {
		p->column = array_new(p->shard.columns, sizeof *p->column);
		while (p->columns < p->shard.columns) {
			p->column[p->columns] = p->columns;
			p->columns++;
		}
		return 0;
	}
	p->column = array_new(strlen(at) + 1, sizeof *p->column);
	do {
		size_t length = strcspn(at, ",");

		if (length > COLUMN_NAME_MAX)
			return fault_set(fault, "--columns: a name is at most %d bytes",
				COLUMN_NAME_MAX);
		memcpy(name, at, length);
		name[length] = '\0';
		if (find(p, name, &p->column[p->columns++], fault) < 0)
			return fault_context(fault, "--columns");
		at += length;
	} while (*at++ == ',');
	return 0;
}

static int bind(struct print *p, struct fault *fault)
{
	struct text list = { 0 };
	struct jsonout json = { .out = &list, .compact = 1 };
	int rc;

	jsonout_open(&json, '[');
	for (size_t i = 0; i < p->s->conditions; i++)
		jsonout_string(&json, p->s->where[i]);
	jsonout_close(&json);
	rc = where_read(&p->where, list.data, fault);
	for (size_t i = 0; i < p->where.count && rc == 0; i++) {
		rc = find(p, p->where.condition[i].column, &p->bound[i], fault);
		if (rc == 0 && p->shard.column[p->bound[i]].width != 1)
			rc = fault_set(fault, "column '%s' is wide",
				p->shard.column[p->bound[i]].name);
		if (rc == 0)
			rc = where_bind(&p->where, i, p->shard.column[p->bound[i]].type, fault);
	}
	text_release(&list);
	return rc < 0 ? fault_context(fault, "--where") : 0;
}

static void put_head(struct print *p)
{
	struct text name = { 0 };

	for (size_t k = 0; k < p->columns; k++) {
		const struct column *c = &p->shard.column[p->column[k]];

		for (uint32_t j = 0; j < c->width; j++) {
			name.length = 0;
			text_format(&name, "%s", c->name);
			if (c->dimensions > 0)
				text_format(&name, "[%u]", j);
			text_add(&p->out, ",", k + j > 0);
			cell_csv_text(&p->out, name.data, name.length);
		}
	}
	text_add(&p->out, "\n", 1);
	text_release(&name);
}

static void put_row(struct print *p, size_t row)
{
	for (size_t k = 0; k < p->columns; k++) {
		const char *name = p->shard.column[p->column[k]].name;

		if (p->s->json) {
			text_add(&p->out, k == 0 ? "{" : ",", 1);
			cell_json_text(&p->out, name, strlen(name));
			text_add(&p->out, ":", 1);
			cell_json(&p->out, &p->shard, p->column[k], &p->part[k], row);
		} else {
			text_add(&p->out, ",", k > 0);
			cell_csv(&p->out, &p->shard, p->column[k], &p->part[k], row);
		}
	}
	text_add(&p->out, p->s->json ? "}\n" : "\n", p->s->json ? 2 : 1);
}

/* Can a row of the group hold, as far as its figures tell? */
static int is_possible(const struct print *p, size_t group)
{
	for (size_t i = 0; i < p->where.count; i++) {
		const struct shard_part_record *r =
			&p->shard.part[group * p->shard.columns + p->bound[i]];

		if (!where_possible(&p->where, i, r->minimum, r->maximum))
			return 0;
	}
	return 1;
}

static int filter(struct print *p, size_t group, uint8_t *keep, struct fault *fault)
{
	for (size_t i = 0; i < p->where.count; i++) {
		size_t column = p->bound[i];
		struct dictionary names = { 0 };
		struct cells cells = { 0 };
		struct shard_part part;

		if (shard_verify(&p->shard, group, column, fault) < 0)
			return -1;
		shard_part(&part, &p->shard, group, column);
		for (uint32_t k = 0; k < p->shard.record[column].categories; k++) {
			size_t length;
			const char *name = shard_category(&p->shard, column, k, &length);

			(void)dictionary_add(&names, name, length);
		}
		cells_begin(&cells, &p->shard.column[column]);
		shard_cells(&cells, &part, 0, part.rows);
		where_apply(&p->where, i, &cells, &names, keep);
		cells_release(&cells);
		dictionary_release(&names);
	}
	return 0;
}

/* 0; a status: stop. */
static int print_group(struct print *p, size_t group, struct fault *fault)
{
	size_t rows = shard_group_rows(&p->shard, group);
	uint8_t *keep;
	int rc = 0, status;

	for (size_t k = 0; k < p->columns; k++) {
		if (shard_verify(&p->shard, group, p->column[k], fault) < 0)
			return SHARDS_DAMAGED;
		shard_part(&p->part[k], &p->shard, group, p->column[k]);
	}
	keep = array_new(rows, 1);
	memset(keep, 1, rows);
	if (filter(p, group, keep, fault) < 0)
		rc = SHARDS_DAMAGED;
	for (size_t i = 0; i < rows && p->left > 0 && rc == 0; i++) {
		if (!keep[i])
			continue;
		put_row(p, i);
		p->left--;
		if (p->out.length >= WRITE_AT && shards_write(&p->out, &status) < 0)
			rc = status != 0 ? status : -1;
	}
	free(keep);
	return rc;
}

static int print_rows(struct print *p, struct fault *fault)
{
	int rc = 0, status;

	p->part = array_new(p->columns, sizeof *p->part);
	if (!p->s->json)
		put_head(p);
	for (size_t g = 0; g < p->shard.groups && p->left > 0 && rc == 0; g++)
		if (is_possible(p, g))
			rc = print_group(p, g, fault);
	/* The rows before a damaged one are good. */
	if ((rc == 0 || rc == SHARDS_DAMAGED) && shards_write(&p->out, &status) < 0)
		rc = status;
	return rc < 0 ? 0 : rc;
}

int shards_print(const struct shards *s)
{
	struct print p = { .s = s, .left = s->limit };
	struct fault fault = { "" };
	int rc = shards_look(s->file[0]);

	if (rc != 0)
		return rc;
	if (shard_open(&p.shard, s->file[0], &fault) < 0)
		return shards_fail(SHARDS_DAMAGED, "%s", fault.text);
	if (choose(&p, &fault) < 0 || bind(&p, &fault) < 0)
		rc = SHARDS_USAGE;
	else
		rc = print_rows(&p, &fault);
	if (fault.text[0] != '\0')
		(void)shards_fail(rc, "'%s': %s", s->file[0], fault.text);
	where_release(&p.where);
	free(p.column);
	free(p.part);
	text_release(&p.out);
	shard_close(&p.shard);
	return rc;
}
