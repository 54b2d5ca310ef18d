#include "table/trim.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/shard.h"
#include "common/shardout.h"
#include "common/text.h"
#include "table/options.h"

struct trim {
	struct shard shard;
	struct where where;
	size_t condition_column[WHERE_MAX];
	struct dictionary names[WHERE_MAX]; /* of conditions on categories */
	size_t *kept;                       /* columns of the shard */
	struct column *column;
	struct cells *cells, condition;
	size_t count, groups_read;
	uint64_t rows;
	uint8_t *keep;
};

static int find_names(
	const struct trim *t, const char *key, const struct dictionary *names, struct fault *fault)
{
	char name[COLUMN_NAME_MAX + 1];

	for (uint32_t i = 0; i < names->count; i++) {
		size_t length;
		const char *text = dictionary_text(names, i, &length);

		memcpy(name, text, length);
		name[length] = '\0';
		if (shard_find(&t->shard, name) == t->shard.columns)
			return fault_set(fault,
				"with.%s names column '%s', which the shard has not", key, name);
	}
	return 0;
}

static int bind(struct trim *t, struct fault *fault)
{
	for (size_t i = 0; i < t->where.count; i++) {
		size_t column = shard_find(&t->shard, t->where.condition[i].column);
		const struct column *c = &t->shard.column[column];

		if (column == t->shard.columns)
			return fault_set(fault,
				"with.where names column '%s', which the shard has not",
				t->where.condition[i].column);
		if (c->width != 1)
			return fault_set(fault, "with.where: a row of column '%s' is %u numbers",
				c->name, c->width);
		if (where_bind(&t->where, i, c->type, fault) < 0)
			return fault_context(fault, "with.where");
		t->condition_column[i] = column;
		for (uint32_t k = 0; k < t->shard.record[column].categories; k++) {
			size_t length;
			const char *text = shard_category(&t->shard, column, k, &length);

			(void)dictionary_add(&t->names[i], text, length);
		}
	}
	return 0;
}

static int prepare(struct trim *t, const struct options *o, struct fault *fault)
{
	if (find_names(t, "keep", &o->keep, fault) < 0 ||
		find_names(t, "drop", &o->drop, fault) < 0)
		return -1;
	if (o->declared.count != 0 || o->names.count != 0)
		return fault_set(
			fault, "with.columns and names are not for shards: they have types");
	t->where = o->where;
	if (bind(t, fault) < 0)
		return -1;
	t->kept = array_new(t->shard.columns, sizeof *t->kept);
	t->column = array_new(t->shard.columns, sizeof *t->column);
	t->cells = array_new(t->shard.columns, sizeof *t->cells);
	t->keep = array_new(
		t->shard.group_rows < t->shard.rows ? t->shard.group_rows : t->shard.rows, 1);
	for (size_t c = 0; c < t->shard.columns; c++) {
		if (!options_keeps(o, t->shard.column[c].name))
			continue;
		t->kept[t->count] = c;
		t->column[t->count++] = t->shard.column[c];
	}
	return t->count != 0 ? 0 : fault_set(fault, "with.keep and with.drop leave no column");
}

static int group_is_possible(const struct trim *t, size_t group)
{
	for (size_t i = 0; i < t->where.count; i++) {
		const struct shard_part_record *p =
			&t->shard.part[group * t->shard.columns + t->condition_column[i]];

		if (!where_possible(&t->where, i, p->minimum, p->maximum))
			return 0;
	}
	return 1;
}

static int filter(struct trim *t, size_t group, struct fault *fault)
{
	size_t rows = shard_group_rows(&t->shard, group);

	memset(t->keep, 1, rows);
	for (size_t i = 0; i < t->where.count; i++) {
		size_t column = t->condition_column[i];
		struct shard_part part;

		if (shard_verify(&t->shard, group, column, fault) < 0)
			return -1;
		shard_part(&part, &t->shard, group, column);
		cells_begin(&t->condition, &t->shard.column[column]);
		shard_cells(&t->condition, &part, 0, rows);
		where_apply(&t->where, i, &t->condition, &t->names[i], t->keep);
	}
	return 0;
}

static int copy_group(struct trim *t, size_t group, struct shardout *out, struct fault *fault)
{
	size_t rows = shard_group_rows(&t->shard, group);

	if (!group_is_possible(t, group))
		return 0;
	t->groups_read++;
	if (filter(t, group, fault) < 0)
		return -1;
	for (size_t k = 0; k < t->count; k++) {
		struct shard_part part;

		if (shard_verify(&t->shard, group, t->kept[k], fault) < 0)
			return -1;
		shard_part(&part, &t->shard, group, t->kept[k]);
		cells_begin(&t->cells[k], &t->column[k]);
		for (size_t first = 0, last; first < rows; first = last) {
			for (last = first + 1; last < rows && t->keep[last] == t->keep[first];
				last++)
				;
			if (t->keep[first])
				shard_cells(&t->cells[k], &part, first, last - first);
		}
	}
	t->rows += t->cells[0].rows;
	shardout_add(out, t->cells, 0, t->cells[0].rows);
	return 0;
}

static void copy_categories(const struct trim *t, struct shardout *out)
{
	for (size_t k = 0; k < t->count; k++) {
		for (uint32_t c = 0; c < t->shard.record[t->kept[k]].categories; c++) {
			size_t length;
			const char *text = shard_category(&t->shard, t->kept[k], c, &length);

			shardout_category(out, k, text, length);
		}
	}
}

static int copy(struct trim *t, const struct options *o, const char *path, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	struct shardout out;
	size_t group_rows = o->group_rows != 0 ? (size_t)o->group_rows : t->shard.group_rows;
	int rc = 0;

	if (shardout_open(&out, path, t->column, t->count, group_rows, fault) < 0)
		return -1;
	for (size_t g = 0; g < t->shard.groups && rc == 0; g++) {
		rc = host->cancelled(ctx) ? fault_set(fault, "stopped")
					  : copy_group(t, g, &out, fault);
		host->progress(ctx, (double)g, (double)t->shard.groups, "groups");
	}
	if (rc == 0 && t->rows == 0)
		rc = fault_set(fault, "with.where leaves none of the %llu rows",
			(unsigned long long)t->shard.rows);
	if (rc == 0) {
		copy_categories(t, &out);
		rc = shardout_commit(&out, fault);
	}
	shardout_abandon(&out);
	return rc;
}

int trim_shard(const struct options *o, const char *path, const flow_host *host, flow_ctx *ctx,
	struct fault *fault)
{
	struct trim t = { .count = 0 };
	int rc;

	if (shard_open(&t.shard, o->path, fault) < 0)
		return -1;
	rc = prepare(&t, o, fault);
	if (rc == 0)
		rc = copy(&t, o, path, host, ctx, fault);
	if (rc == 0)
		host->metric(ctx, "groups_read", (double)t.groups_read, -1);
	for (size_t k = 0; k < t.count; k++)
		cells_release(&t.cells[k]);
	for (size_t i = 0; i < WHERE_MAX; i++)
		dictionary_release(&t.names[i]);
	cells_release(&t.condition);
	free(t.kept);
	free(t.column);
	free(t.cells);
	free(t.keep);
	shard_close(&t.shard);
	return rc;
}
