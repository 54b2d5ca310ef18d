#include "nn/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/fault.h"
#include "common/fitted.h"
#include "common/rows.h"
#include "common/text.h"
#include "nn/netfile.h"

/* A pixel that hardly ever changes would be blown up by its tiny spread. */
#define SPREAD_MIN 0.1

#define GAP_BYTES ((size_t)64 << 10)

static void shape_of(struct samples *s, const size_t *shape, unsigned dimensions)
{
	s->rows = shape[0];
	s->height = s->width = s->channels = 1;
	if (dimensions == 2)
		s->channels = shape[1];
	if (dimensions > 2) {
		s->height = shape[1];
		s->width = shape[2];
	}
	if (dimensions > 3)
		s->channels = shape[3];
	s->features = s->height * s->width * s->channels;
}

static int open_idx(struct samples *s, const char *path, struct fault *fault)
{
	size_t shape[3];

	if (idx_open(&s->idx, path, 3, fault) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		shape[i] = s->idx.dimension[i];
	shape_of(s, shape, 3);
	s->values = s->idx.data;
	s->is_bytes = 1;
	return 0;
}

static void to_floats(float *to, const double *value, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = (float)value[i];
}

static int open_npy(struct samples *s, const char *path, struct fault *fault)
{
	struct npy_array *a = &s->npy;

	if (npy_open(a, path, fault) < 0)
		return -1;
	if (a->type == NPY_INT64)
		return fault_set(
			fault, "'%s' holds whole numbers; bytes or floats are wanted", path);
	shape_of(s, a->shape, a->dimensions);
	s->is_bytes = a->type == NPY_UINT8;
	if (a->type != NPY_FLOAT64)
		s->values = a->data;
	return 0;
}

static int class_beyond(const char *path, size_t row, long long class, struct fault *fault)
{
	return fault_set(fault, "row %zu of '%s' has class %lld; from 0 to %d are possible", row,
		path, class, CLASSES_MAX - 1);
}

static int take_classes(
	struct samples *s, const struct npy_array *a, const char *path, struct fault *fault)
{
	const int64_t *wide = a->type == NPY_INT64 ? a->data : NULL;
	const uint8_t *narrow = a->type == NPY_UINT8 ? a->data : NULL;

	if (a->dimensions != 1)
		return fault_set(
			fault, "'%s' has %u dimensions; classes have one", path, a->dimensions);
	s->targets = 1;
	s->target = array_new(a->count, sizeof *s->target);
	for (size_t i = 0; i < a->count; i++) {
		int64_t class = wide != NULL ? wide[i] : narrow[i];

		if (class < 0 || class >= CLASSES_MAX)
			return class_beyond(path, i, class, fault);
		s->target[i] = (float)class;
		if ((size_t) class >= s->classes)
			s->classes = (size_t) class + 1;
	}
	return 0;
}

static int take_numbers(
	struct samples *s, const struct npy_array *a, const char *path, struct fault *fault)
{
	if (a->dimensions > 2 || a->count == 0)
		return fault_set(fault, "'%s' is no [rows] or [rows, targets] of numbers", path);
	s->targets = a->dimensions == 2 ? a->shape[1] : 1;
	s->target = array_new(a->count, sizeof *s->target);
	if (a->type == NPY_FLOAT64)
		to_floats(s->target, a->data, a->count);
	else
		memcpy(s->target, a->data, a->count * sizeof *s->target);
	return 0;
}

static int open_targets(struct samples *s, const char *path, size_t *rows, struct fault *fault)
{
	struct npy_array npy = { .dimensions = 1 };
	struct idx idx = { .rows = 0 };
	int rc;

	if (npy_is(path)) {
		if (npy_open(&npy, path, fault) < 0)
			return -1;
		*rows = npy.shape[0];
		rc = npy.type == NPY_INT64 || npy.type == NPY_UINT8
			     ? take_classes(s, &npy, path, fault)
			     : take_numbers(s, &npy, path, fault);
		npy_close(&npy);
		return rc;
	}
	if (idx_open(&idx, path, 1, fault) < 0)
		return -1;
	npy.type = NPY_UINT8;
	npy.count = *rows = idx.rows;
	npy.data = idx.data;
	rc = take_classes(s, &npy, path, fault);
	idx_close(&idx);
	return rc;
}

void samples_fetch(const struct samples *s, const int64_t *rows, size_t count, void *values)
{
	size_t size = samples_row_size(s);

	if (s->is_table) {
		table_fetch(&s->table, rows, count, values);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		size_t row = (size_t)rows[i];

		if (s->values != NULL)
			memcpy((char *)values + i * size, (const char *)s->values + row * size,
				size);
		else
			to_floats((float *)values + i * s->features,
				(const double *)s->npy.data + row * s->features, s->features);
	}
}

double samples_value(const struct samples *s, size_t row, size_t feature)
{
	size_t at = row * s->features + feature;

	if (s->is_table)
		return table_value(&s->table, row, feature);
	if (s->values == NULL)
		return (double)(float)((const double *)s->npy.data)[at];
	return s->is_bytes ? (double)((const uint8_t *)s->values)[at]
			   : (double)((const float *)s->values)[at];
}

size_t samples_row_size(const struct samples *s)
{
	return s->features * (s->is_bytes ? 1 : sizeof(float));
}

static void expect_run(const struct samples *s, size_t first, size_t rows)
{
	size_t size = s->values != NULL ? samples_row_size(s) : s->features * sizeof(double);
	const char *data = s->values != NULL ? s->values : s->npy.data;

	if (s->is_table)
		table_expect(&s->table, first, rows);
	else
		mapped_expect(data + first * size, rows * size);
}

void samples_expect(const struct samples *s, const int64_t *rows, size_t count)
{
	/* What lies between two rows is read with them when that is less than finding them anew. */
	size_t gap = GAP_BYTES / samples_row_size(s) + 1, first = 0;

	for (size_t i = 1; i <= count; i++) {
		if (i < count && (size_t)(rows[i] - rows[i - 1]) <= gap)
			continue;
		expect_run(s, (size_t)rows[first], (size_t)(rows[i - 1] - rows[first]) + 1);
		first = i;
	}
}

void samples_scattered(const struct samples *s)
{
	mapped_scattered(&s->idx.file);
	mapped_scattered(&s->npy.file);
	mapped_scattered(&s->table.shard.file);
}

static int check_row(const struct samples *s, size_t row, const void *values,
	const struct samples_paths *paths, struct fault *fault)
{
	const float *value = s->is_bytes ? NULL : values;

	for (size_t j = 0; value != NULL && j < s->features; j++)
		if (!isfinite(value[j]) && !(paths->may_miss && isnan(value[j])))
			return fault_set(fault, "row %zu, column %zu of '%s' is %s", row, j,
				s->is_table ? paths->table : paths->values,
				isnan(value[j]) ? "not a number" : "infinite");
	for (size_t j = 0; j < s->targets; j++)
		if (!isfinite(s->target[row * s->targets + j]))
			return fault_set(fault, "row %zu, column %zu of '%s' has no target", row, j,
				s->is_table ? paths->table : paths->targets);
	return 0;
}

static int check_rows(const struct samples *s, const int64_t *rows, size_t count,
	const struct samples_paths *paths, struct fault *fault)
{
	void *values = array_new(samples_row_size(s), 1);
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		if (s->is_table && table_check(&s->table, (size_t)rows[i], fault) < 0) {
			rc = fault_context(fault, "'%s'", paths->table);
			break;
		}
		if (!s->is_texts)
			samples_fetch(s, rows + i, 1, values);
		rc = check_row(s, (size_t)rows[i], values, paths, fault);
	}
	free(values);
	return rc;
}

static int open_table(struct samples *s, const struct samples_paths *paths, struct fault *fault)
{
	struct table *t = &s->table;
	struct table_wanted columns = paths->columns;

	columns.may_miss = paths->may_miss;
	if (table_open(t, paths->table, &columns, fault) < 0)
		return -1;
	s->is_table = 1;
	s->rows = t->rows;
	s->height = t->height;
	s->width = t->width;
	s->channels = t->channels;
	s->features = t->features;
	s->is_bytes = t->is_bytes;
	s->target = table_targets(t, &s->targets, &s->classes, fault);
	if (s->target == NULL)
		return fault_context(fault, "'%s'", paths->table);
	return s->rows == 0 ? fault_set(fault, "'%s' is empty", paths->table) : 0;
}

static int open_texts(struct samples *s, const struct samples_paths *paths, struct fault *fault)
{
	if (bags_open(&s->bags, paths->step, paths->texts, paths->column, fault) < 0)
		return -1;
	s->is_texts = 1;
	s->rows = s->bags.rows;
	s->height = s->width = 1;
	s->channels = s->bags.cells;
	return 0;
}

static int open_values(struct samples *s, const struct samples_paths *paths, struct fault *fault)
{
	if (paths->texts != NULL)
		return open_texts(s, paths, fault);
	return npy_is(paths->values) ? open_npy(s, paths->values, fault)
				     : open_idx(s, paths->values, fault);
}

/* Counts become shares, now that the training rows are known. */
static void weigh_texts(struct samples *s, const struct samples_paths *paths)
{
	if (!s->is_texts)
		return;
	if (paths->step->weight == NULL)
		bags_fit(&s->bags, paths->step, s->row, s->count);
	bags_weigh(&s->bags, paths->step);
}

static int open_arrays(struct samples *s, const struct samples_paths *paths, struct fault *fault)
{
	const char *path = paths->texts != NULL ? paths->texts : paths->values;
	size_t targets = 0;

	if (open_values(s, paths, fault) < 0 ||
		open_targets(s, paths->targets, &targets, fault) < 0)
		return -1;
	if (s->rows == 0 || (!s->is_texts && s->features == 0))
		return fault_set(fault, "'%s' is empty", path);
	if (s->rows != targets)
		return fault_set(fault, "'%s' has %zu rows, but '%s' has %zu", path, s->rows,
			paths->targets, targets);
	return 0;
}

static int open_all(struct samples *s, const struct samples_paths *paths, struct fault *fault)
{
	if ((paths->table != NULL ? open_table(s, paths, fault) : open_arrays(s, paths, fault)) < 0)
		return -1;
	if (rows_list(&s->row, &s->count, s->rows, paths->rows, fault) < 0)
		return -1;
	if (paths->valid_rows != NULL &&
		rows_list(&s->valid, &s->valid_count, s->rows, paths->valid_rows, fault) < 0)
		return -1;
	weigh_texts(s, paths);
	if (check_rows(s, s->row, s->count, paths, fault) < 0)
		return -1;
	return check_rows(s, s->valid, s->valid_count, paths, fault);
}

int samples_open(struct samples *s, const struct samples_paths *paths, struct fault *fault)
{
	struct samples made = { .rows = 0 };

	if (open_all(&made, paths, fault) < 0) {
		samples_close(&made);
		return -1;
	}
	*s = made;
	return 0;
}

void samples_close(struct samples *s)
{
	idx_close(&s->idx);
	npy_close(&s->npy);
	table_close(&s->table);
	bags_release(&s->bags);
	free(s->target);
	free(s->row);
	free(s->valid);
	*s = (struct samples){ .rows = 0 };
}

/* sum[j] += (value - mean[j]) ^ power over the training rows; power is 1 or 2. */
static void add_powers(const struct samples *s, const double *mean, int power, double *sum)
{
	void *values = array_new(samples_row_size(s), 1);
	const uint8_t *byte = values;
	const float *value = values;

	for (size_t i = 0; i < s->count; i++) {
		samples_fetch(s, s->row + i, 1, values);
		for (size_t j = 0; j < s->features; j++) {
			double off = (s->is_bytes ? (double)byte[j] : (double)value[j]) - mean[j];

			sum[j] += power == 1 ? off : off * off;
		}
	}
	free(values);
}

/* Each value becomes the mean of its group: the columns that are j modulo groups. */
static void share(double *value, size_t count, size_t groups, double rows)
{
	for (size_t g = 0; g < groups; g++) {
		double sum = 0;

		for (size_t j = g; j < count; j += groups)
			sum += value[j];
		for (size_t j = g; j < count; j += groups)
			value[j] = sum / (rows * (double)(count / groups));
	}
}

void samples_scale(const struct samples *s, int by_channel, struct scaling *scaling)
{
	size_t groups = by_channel ? s->channels : s->features;
	double *mean = array_new(s->features, sizeof *mean);
	double *square = array_new(s->features, sizeof *square), *sum = square;
	double unit = (double)scaling->unit;

	add_powers(s, mean, 1, sum);
	share(sum, s->features, groups, (double)s->count);
	memcpy(mean, sum, s->features * sizeof *mean);
	memset(square, 0, s->features * sizeof *square);
	add_powers(s, mean, 2, square);
	share(square, s->features, groups, (double)s->count);
	for (size_t j = 0; j < s->features; j++) {
		double deviation = sqrt(square[j]) * unit;

		if (s->is_bytes && deviation < SPREAD_MIN)
			deviation = SPREAD_MIN;
		scaling->mean[j] = (float)(mean[j] * unit);
		/* A column that does not change is left where it is. */
		scaling->deviation[j] = deviation > 1e-30 ? (float)deviation : 1;
	}
	free(mean);
	free(square);
}

void samples_count(const struct samples *s, size_t *count)
{
	for (size_t i = 0; i < s->count; i++)
		count[(size_t)s->target[(size_t)s->row[i] * s->targets]]++;
}

/* The same for the same values, wherever they are mapped. */
static uint64_t digest_values(const struct samples *s)
{
	size_t size = samples_row_size(s);
	void *values = array_new(size, 1);
	XXH3_state_t state;

	(void)XXH3_64bits_reset(&state);
	for (int64_t row = 0; (size_t)row < s->rows; row++) {
		samples_fetch(s, &row, 1, values);
		(void)XXH3_64bits_update(&state, values, size);
	}
	free(values);
	return XXH3_64bits_digest(&state);
}

void samples_digest(struct samples *s)
{
	uint64_t part[4];

	part[0] = s->is_texts ? bags_digest(&s->bags) : digest_values(s);
	part[1] = XXH3_64bits(s->target, s->rows * s->targets * sizeof *s->target);
	part[2] = XXH3_64bits(s->row, s->count * sizeof *s->row);
	part[3] =
		s->valid_count != 0 ? XXH3_64bits(s->valid, s->valid_count * sizeof *s->valid) : 0;
	s->digest = XXH3_64bits(part, sizeof part);
}
