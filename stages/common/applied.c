#include "common/applied.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/fitted.h"
#include "common/shard.h"
#include "common/shardout.h"
#include "common/text.h"

/* A column of what comes in, and what becomes of it. */
struct route {
	const struct fitted_column *recipe; /* NULL: it passes */
	int is_joined;                      /* goes into the wide column */
	struct dictionary names;
	struct cells in, out;
	struct column result;
};

struct maker {
	const struct shard *shard;
	const struct fitted *recipe;
	struct route *route;    /* of each column of the shard */
	struct column *columns; /* of what comes out */
	struct cells *cells;
	size_t count;
	uint32_t joined; /* width of the wide column */
};

int applied_check(const struct fitted *recipe, const struct shard *shard, const char *path,
	struct fault *fault)
{
	if (shard->state != recipe->from)
		return fault_set(fault,
			"'%s' was transformed by other steps than the table that the recipe was "
			"fitted to",
			path);
	for (size_t i = 0; i < recipe->count; i++) {
		const struct fitted_column *c = &recipe->column[i];
		size_t at = shard_find(shard, c->name);

		if (at == shard->columns || shard->column[at].width != 1)
			return fault_set(fault,
				"the recipe needs column '%s', which '%s' has not", c->name, path);
		if (shard->column[at].type != c->type)
			return fault_set(fault, "column '%s' of '%s' is %s, the recipe was fitted to %s",
				c->name, path, column_type_name(shard->column[at].type),
				column_type_name(c->type));
	}
	return 0;
}

static void find_names(struct route *r, const struct shard *shard, size_t column)
{
	for (uint32_t i = 0; i < shard->record[column].categories; i++) {
		size_t length;
		const char *name = shard_category(shard, column, i, &length);

		(void)dictionary_add(&r->names, name, length);
	}
}

/* Which columns come out, in the order of those that came in; the wide one last. */
static int plan(struct maker *m, struct fault *fault)
{
	uint64_t joined = 0;

	m->route = array_new(m->shard->columns, sizeof *m->route);
	m->columns = array_new(m->shard->columns + 1, sizeof *m->columns);
	m->cells = array_new(m->shard->columns + 1, sizeof *m->cells);
	for (size_t c = 0; c < m->shard->columns; c++) {
		struct route *r = &m->route[c];

		r->result = m->shard->column[c];
		for (size_t i = 0; i < m->recipe->count; i++)
			if (strcmp(m->recipe->column[i].name, m->shard->column[c].name) == 0)
				r->recipe = &m->recipe->column[i];
		if (r->recipe != NULL) {
			fitted_result(r->recipe, &r->result);
			find_names(r, m->shard, c);
			r->is_joined = m->recipe->into != NULL && r->result.type == COLUMN_FLOAT32;
		}
		if (r->is_joined)
			joined += r->result.width;
		else
			m->columns[m->count++] = r->result;
		if (m->recipe->into != NULL && !r->is_joined && strcmp(m->recipe->into, r->result.name) == 0)
			return fault_set(
				fault, "with.into: there is a column '%s' already", m->recipe->into);
	}
	if (m->recipe->into == NULL)
		return 0;
	if (joined == 0 || joined > COLUMN_WIDTH_MAX)
		return fault_set(
			fault, "with.into: %llu numbers a row", (unsigned long long)joined);
	m->joined = (uint32_t)joined;
	m->columns[m->count++] = (struct column){ .name = m->recipe->into,
		.type = COLUMN_FLOAT32,
		.width = m->joined,
		.dimensions = 1,
		.dimension = { m->joined } };
	return 0;
}

/* The rows of the joined columns side by side. */
static int join(
	struct maker *m, size_t rows, uint64_t first, struct cells *wide, struct fault *fault)
{
	float *row_cells;

	cells_reserve(wide, rows, 0);
	for (size_t row = 0; row < rows; row++) {
		row_cells = (float *)(void *)(wide->data + row * m->joined * sizeof(float));
		for (size_t c = 0; c < m->shard->columns; c++) {
			const struct route *r = &m->route[c];

			if (!r->is_joined)
				continue;
			if (!cells_present(&r->out, row))
				return fault_set(fault,
					"row %llu has no '%s'; give it a step `impute`, or "
					"leave it out of with.into",
					(unsigned long long)(first + row), r->result.name);
			memcpy(row_cells,
				(const float *)(const void *)r->out.data + row * r->out.width,
				r->out.width * sizeof(float));
			row_cells += r->out.width;
		}
	}
	wide->rows = rows;
	wide->size = rows * m->joined * sizeof(float);
	return 0;
}

static int apply_column(struct maker *m, size_t group, size_t c, struct fault *fault)
{
	struct route *r = &m->route[c];
	struct shard_part part;

	if (shard_verify(m->shard, group, c, fault) < 0)
		return -1;
	shard_part(&part, m->shard, group, c);
	cells_begin(&r->in, &m->shard->column[c]);
	shard_cells(&r->in, &part, 0, part.rows);
	cells_begin(&r->out, &r->result);
	return r->recipe != NULL ? fitted_apply(r->recipe, &r->in, &r->names, &r->out, fault) : 0;
}

static int apply_group(struct maker *m, size_t group, struct shardout *out, struct fault *fault)
{
	size_t rows = shard_group_rows(m->shard, group), k = 0;
	int rc = 0;

	for (size_t c = 0; c < m->shard->columns && rc == 0; c++) {
		struct route *r = &m->route[c];

		rc = apply_column(m, group, c, fault);
		if (r->is_joined)
			continue;
		/* Borrowed: the route keeps its memory. */
		m->cells[k++] = r->recipe != NULL ? r->out : r->in;
	}
	if (rc == 0 && m->recipe->into != NULL) {
		cells_begin(&m->cells[k], &m->columns[k]);
		rc = join(m, rows, group * m->shard->group_rows, &m->cells[k], fault);
	}
	if (rc == 0)
		shardout_add(out, m->cells, 0, rows);
	return rc;
}

static void copy_categories(const struct maker *m, struct shardout *out)
{
	for (size_t c = 0, k = 0; c < m->shard->columns; c++) {
		if (m->route[c].is_joined)
			continue;
		for (uint32_t i = 0;
			m->route[c].recipe == NULL && i < m->shard->record[c].categories; i++) {
			size_t length;
			const char *name = shard_category(m->shard, c, i, &length);

			shardout_category(out, k, name, length);
		}
		k++;
	}
}

static int make(struct maker *m, const struct applied *how, struct shardout *out, struct fault *fault)
{
	for (size_t g = 0; g < m->shard->groups; g++) {
		if (how->go_on != NULL && !how->go_on(how->context, g, m->shard->groups))
			return fault_set(fault, "stopped");
		if (apply_group(m, g, out, fault) < 0)
			return -1;
	}
	copy_categories(m, out);
	return shardout_commit(out, fault);
}

static void release(struct maker *m)
{
	for (size_t c = 0; c < m->shard->columns; c++) {
		dictionary_release(&m->route[c].names);
		cells_release(&m->route[c].in);
		cells_release(&m->route[c].out);
	}
	if (m->recipe->into != NULL && m->count != 0)
		cells_release(&m->cells[m->count - 1]);
	free(m->route);
	free(m->columns);
	free(m->cells);
}

int applied_write(const struct applied *how, const struct shard *shard, const char *path,
	struct fault *fault)
{
	struct maker m = { .shard = shard, .recipe = how->recipe };
	struct shardout out;
	int rc = plan(&m, fault);

	if (rc == 0)
		rc = shardout_open(&out, path, m.columns, m.count, 0, fault);
	if (rc == 0) {
		out.state = how->state;
		rc = make(&m, how, &out, fault);
		shardout_abandon(&out);
	}
	release(&m);
	return rc;
}
