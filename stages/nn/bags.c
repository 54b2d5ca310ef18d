#include "nn/bags.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/fault.h"
#include "common/fitted.h"
#include "common/runs.h"
#include "common/safetensors.h"
#include "common/shard.h"
#include "common/text.h"

int bags_read_step(struct fitted_step *step, const char *words, struct fault *fault)
{
	if (fitted_read_step(step, words, BAGS_CELLS_MAX, fault) < 0)
		return -1;
	if (step->kind < STEP_WORDS)
		return fault_set(fault,
			"'%s' makes no bag of a text; there are words, tfidf and chars", words);
	return 0;
}

/* Lists under way. */
struct filling {
	struct bags bags;
	struct text cell, share; /* uint32_t, float */
	struct runs runs;
};

static void add_text(
	struct filling *f, const struct fitted_step *step, const char *text, size_t length)
{
	runs_find(&f->runs, step, text, length);
	runs_gather(&f->runs);
	text_add(&f->cell, (const char *)f->runs.cell, f->runs.count * sizeof(uint32_t));
	for (size_t i = 0; i < f->runs.count; i++) {
		float times = (float)f->runs.times[i];

		text_add(&f->share, (const char *)&times, sizeof times);
	}
}

static int add_group(struct filling *f, const struct fitted_step *step, const struct shard *shard,
	size_t group, size_t column, struct fault *fault)
{
	size_t first = group * shard->group_rows;
	struct shard_part part;

	if (shard_verify(shard, group, column, fault) < 0)
		return -1;
	shard_part(&part, shard, group, column);
	for (size_t row = 0; row < part.rows; row++) {
		size_t length = 0;
		const char *text = (const char *)shard_text(&part, row, &length);

		if (shard_present(&part, row))
			add_text(f, step, text, length);
		f->bags.begin[first + row + 1] = f->cell.length / sizeof(uint32_t);
	}
	if (f->cell.length / sizeof(uint32_t) > UINT32_MAX)
		return fault_set(fault, "has more than %u different runs in its rows", UINT32_MAX);
	return 0;
}

static int add_column(struct filling *f, const struct fitted_step *step, const struct shard *shard,
	const char *name, struct fault *fault)
{
	size_t column = shard_find(shard, name);

	if (column == shard->columns)
		return fault_set(fault, "has no column '%s'", name);
	if (shard->column[column].type != COLUMN_TEXT)
		return fault_set(fault, "column '%s' is %s, not text", name,
			column_type_name(shard->column[column].type));
	f->bags.rows = shard->rows;
	f->bags.cells = step->size;
	f->bags.begin = array_new(shard->rows + 1, sizeof *f->bags.begin);
	for (size_t g = 0; g < shard->groups; g++)
		if (add_group(f, step, shard, g, column, fault) < 0)
			return -1;
	return 0;
}

int bags_open(struct bags *b, const struct fitted_step *step, const char *path, const char *column,
	struct fault *fault)
{
	struct filling f = { .bags = { .rows = 0 } };
	struct shard shard;
	int rc;

	if (shard_open(&shard, path, fault) < 0)
		return -1;
	rc = add_column(&f, step, &shard, column, fault);
	shard_close(&shard);
	runs_release(&f.runs);
	/* A text grows from malloc(): its memory is free()d as such. */
	f.bags.cell = (uint32_t *)(void *)f.cell.data;
	f.bags.share = (float *)(void *)f.share.data;
	if (rc < 0) {
		bags_release(&f.bags);
		return fault_context(fault, "'%s'", path);
	}
	*b = f.bags;
	return 0;
}

void bags_release(struct bags *b)
{
	free(b->begin);
	free(b->cell);
	free(b->share);
	*b = (struct bags){ .rows = 0 };
}

void bags_fit(struct bags *b, struct fitted_step *step, const int64_t *rows, size_t count)
{
	if (step->kind != STEP_TFIDF)
		return;
	step->weight = array_new(step->size, sizeof *step->weight);
	for (size_t i = 0; i < count; i++)
		for (size_t k = b->begin[rows[i]]; k < b->begin[rows[i] + 1]; k++)
			step->weight[b->cell[k]] += 1.0f;
	fitted_weigh_rarity(step, count);
}

/* As transform does it, to the bit. */
void bags_weigh(struct bags *b, const struct fitted_step *step)
{
	for (size_t row = 0; row < b->rows; row++) {
		double size = 0;

		for (size_t k = b->begin[row]; k < b->begin[row + 1]; k++) {
			if (step->weight != NULL)
				b->share[k] *= step->weight[b->cell[k]];
			size += (double)b->share[k] *
				(step->weight != NULL ? (double)b->share[k] : 1);
		}
		if (step->weight != NULL)
			size = sqrt(size);
		for (size_t k = b->begin[row]; size > 0 && k < b->begin[row + 1]; k++)
			b->share[k] = (float)((double)b->share[k] / size);
	}
}

uint64_t bags_digest(const struct bags *b)
{
	size_t entries = b->begin[b->rows];
	const uint64_t part[3] = { XXH3_64bits(b->begin, (b->rows + 1) * sizeof *b->begin),
		XXH3_64bits(b->cell, entries * sizeof *b->cell),
		XXH3_64bits(b->share, entries * sizeof *b->share) };

	return XXH3_64bits(part, sizeof part);
}

static void release_entries(struct bag_batch *batch)
{
	free(batch->cell);
	free(batch->share);
	free(batch->distinct);
	free(batch->cell_begin);
	free(batch->row);
	free(batch->row_share);
}

static void reserve(struct bag_batch *batch, size_t rows, size_t entries)
{
	if (rows > batch->row_room) {
		free(batch->begin);
		batch->begin = array_new(rows + 1, sizeof *batch->begin);
		batch->row_room = rows;
	}
	if (entries <= batch->entry_room)
		return;
	entries += entries / 2;
	release_entries(batch);
	batch->cell = array_new(entries, sizeof *batch->cell);
	batch->share = array_new(entries, sizeof *batch->share);
	batch->distinct = array_new(entries, 2 * sizeof *batch->distinct);
	batch->cell_begin = array_new(entries + 1, sizeof *batch->cell_begin);
	batch->row = array_new(entries, 2 * sizeof *batch->row);
	batch->row_share = array_new(entries, sizeof *batch->row_share);
	batch->entry_room = entries;
}

void bags_release_batch(struct bag_batch *batch)
{
	free(batch->begin);
	release_entries(batch);
	*batch = (struct bag_batch){ .rows = 0 };
}

#define DIGIT_BITS 12
#define DIGITS     (1u << DIGIT_BITS)

/* One pass of a radix sort of the entries' numbers by a digit of their cells: a stable one. */
static void sort_by(uint32_t *to, const uint32_t *from, const struct bag_batch *batch, unsigned shift)
{
	uint32_t place[DIGITS] = { 0 }, sum = 0;

	for (size_t i = 0; i < batch->entries; i++)
		place[batch->cell[from[i]] >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		uint32_t count = place[d];

		place[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < batch->entries; i++)
		to[place[batch->cell[from[i]] >> shift & (DIGITS - 1)]++] = from[i];
}

_Static_assert(BAGS_CELLS_MAX <= 1u << 2 * DIGIT_BITS, "two digits are a cell");

/* The same entries by cell. What is not yet filled is the room for the sort. */
static void turn(struct bag_batch *batch)
{
	uint32_t *order = batch->distinct, *row = batch->row + batch->entry_room;

	for (size_t i = 0; i < batch->rows; i++)
		for (size_t k = batch->begin[i]; k < batch->begin[i + 1]; k++)
			row[k] = (uint32_t)i;
	for (size_t i = 0; i < batch->entries; i++)
		batch->row[i] = (uint32_t)i;
	sort_by(order, batch->row, batch, 0);
	sort_by(order + batch->entry_room, order, batch, DIGIT_BITS);
	order += batch->entry_room;
	batch->cells = 0;
	for (size_t i = 0; i < batch->entries; i++) {
		uint32_t cell = batch->cell[order[i]];

		batch->row[i] = row[order[i]];
		batch->row_share[i] = batch->share[order[i]];
		if (batch->cells != 0 && batch->distinct[batch->cells - 1] == cell)
			continue;
		batch->cell_begin[batch->cells] = i;
		batch->distinct[batch->cells++] = cell;
	}
	batch->cell_begin[batch->cells] = batch->entries;
}

void bags_batch(struct bag_batch *batch, const struct bags *b, const int64_t *rows, size_t count)
{
	size_t entries = 0;

	for (size_t i = 0; i < count; i++)
		entries += b->begin[rows[i] + 1] - b->begin[rows[i]];
	reserve(batch, count, entries > 0 ? entries : 1);
	batch->rows = count;
	batch->entries = 0;
	for (size_t i = 0; i < count; i++) {
		size_t first = b->begin[rows[i]], more = b->begin[rows[i] + 1] - first;

		batch->begin[i] = batch->entries;
		if (more != 0) {
			memcpy(batch->cell + batch->entries, b->cell + first,
				more * sizeof *b->cell);
			memcpy(batch->share + batch->entries, b->share + first,
				more * sizeof *b->share);
		}
		batch->entries += more;
	}
	batch->begin[count] = batch->entries;
	turn(batch);
}

void bags_tokens(const struct fitted_step *step, struct text *words)
{
	text_format(words, "%s %u %u %u", fitted_step_name(step->kind), step->size, step->low,
		step->high);
}

void bags_describe(const struct fitted_step *step, const char *column, struct tensors *file)
{
	const uint64_t cells = step->size;
	struct text tokens = { 0 };

	bags_tokens(step, &tokens);
	tensors_describe(file, "text", column);
	tensors_describe(file, "tokens", tokens.data);
	text_release(&tokens);
	if (step->weight != NULL)
		tensors_add(file, "input.rarity", TENSOR_F32, &cells, 1, step->weight);
}

static int take_rarity(struct fitted_step *step, const struct tensors *file, struct fault *fault)
{
	const struct tensor *rarity = tensors_find(file, "input.rarity");

	if (rarity == NULL || rarity->type != TENSOR_F32 || rarity->dimensions != 1 ||
		rarity->shape[0] != step->size)
		return fault_set(fault, "has no tensor 'input.rarity' of %u floats", step->size);
	step->weight = array_new(step->size, sizeof *step->weight);
	memcpy(step->weight, rarity->data, rarity->size);
	for (uint32_t i = 0; i < step->size; i++)
		if (!isfinite(step->weight[i]))
			return fault_set(
				fault, "tensor 'input.rarity' has values that are not finite");
	return 0;
}

int bags_take(struct fitted_step *step, const char **column, const struct tensors *file,
	struct fault *fault)
{
	const char *tokens = tensors_note(file, "tokens");

	*column = tensors_note(file, "text");
	if (tokens == NULL || *column == NULL)
		return fault_set(fault, "its metadata has no 'tokens' and 'text'");
	if (bags_read_step(step, tokens, fault) < 0)
		return -1;
	return step->kind == STEP_TFIDF ? take_rarity(step, file, fault) : 0;
}
