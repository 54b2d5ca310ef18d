/*
 * nn/bags.h - texts as a network takes them: each row a short list of cells with a share each, never
 * a row of all cells.
 *
 *     struct bags b;
 *     bags_open(&b, &step, path, column, fault);          counts, from a table's column of texts
 *     bags_fit(&b, &step, rows, count);                   tfidf: how rare each cell is in those rows
 *     bags_weigh(&b, &step);                              counts become shares
 *     bags_batch(&batch, &b, rows, count);                rows of a batch, and the same by cell
 *     bags_release(&b);  bags_release_batch(&batch);
 *
 * The step is one of common/fitted.h: words or chars, where a row's shares are parts of 1, or tfidf,
 * where they are weighted by rarity and of length 1. A row without a text, or without a word, is an
 * empty list. All lists are in memory: 8 bytes for each different run of a row. With
 * bags_describe() and bags_take() the step goes into a model file and out of it.
 */
#ifndef FLOW_STAGES_NN_BAGS_H
#define FLOW_STAGES_NN_BAGS_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct fitted_step;
struct tensors;
struct text;

#define BAGS_CELLS_MAX (1u << 24)

struct bags {
	size_t rows; /* 0: there are none */
	uint32_t cells;
	size_t *begin;  /* [rows + 1] */
	uint32_t *cell; /* of each entry, ascending within a row */
	float *share;
};

/* Some rows, as nn_bag wants them: by row, and by each cell that is in any of them. */
struct bag_batch {
	size_t rows, entries, cells;
	size_t *begin; /* [rows + 1] */
	uint32_t *cell;
	float *share;
	uint32_t *distinct; /* [cells], ascending */
	size_t *cell_begin; /* [cells + 1] */
	uint32_t *row;      /* of each entry, by cell; ascending within one */
	float *row_share;
	size_t row_room, entry_room;
};

/* with.tokens: `tfidf 65536 1 2`, `words ...`, `chars ...`. */
int bags_read_step(struct fitted_step *step, const char *words, struct fault *fault);

/* *b is written on success only. */
int bags_open(struct bags *b, const struct fitted_step *step, const char *path, const char *column,
	struct fault *fault);
void bags_fit(struct bags *b, struct fitted_step *step, const int64_t *rows, size_t count);
void bags_weigh(struct bags *b, const struct fitted_step *step);
uint64_t bags_digest(const struct bags *b);
void bags_release(struct bags *b); /* zeroed: nothing */

/* Keeps its memory from batch to batch. */
void bags_batch(struct bag_batch *batch, const struct bags *b, const int64_t *rows, size_t count);
void bags_release_batch(struct bag_batch *batch); /* zeroed: nothing */

/* The step as bags_read_step() takes it. */
void bags_tokens(const struct fitted_step *step, struct text *words);

/* Notes `text` (the column) and `tokens`, and for tfidf the tensor `input.rarity`, which is borrowed
 * until the file is written. */
void bags_describe(const struct fitted_step *step, const char *column, struct tensors *file);
/* The reverse: *column is a note of `file`, the step's weights are the caller's to free. */
int bags_take(struct fitted_step *step, const char **column, const struct tensors *file,
	struct fault *fault);

#endif
