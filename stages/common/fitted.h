/*
 * common/fitted.h - what is done to the columns of a table before a model sees them.
 *
 *     struct fitted r;  fitted_read(&r, json, length, fault);            fitted, as the stage transform wrote it
 *     for each column i: c = &r.column[i], c->name is its name in the table
 *             fitted_apply(c, &in, names, &out, fault);                  rows of in behind those of out
 *     fitted_release(&r);
 *
 * A step is fitted once, on the rows that a model learns from; all that fitting found lies in the
 * step, and the step in JSON. The same JSON gives the same bits: training and serving share this code.
 * Numbers go through steps one after the other and come out as float32; texts end with one step that
 * makes numbers of them.
 */
#ifndef FLOW_STAGES_COMMON_FITTED_H
#define FLOW_STAGES_COMMON_FITTED_H

#include <stddef.h>
#include <stdint.h>

#include "common/column.h"
#include "common/dictionary.h"

struct fault;
struct text;

#define FITTED_STEPS_MAX    8
#define FITTED_FEATURES_MAX 65536

enum step_kind {
	STEP_IMPUTE,      /* number: what stands for missing */
	STEP_STANDARDIZE, /* (x - first) / second */
	STEP_MINMAX,      /* (x - first) / (second - first) */
	STEP_CLIP,        /* into first to second */
	STEP_LOG,         /* sign(x) ln(1 + |x|) */
	STEP_ONEHOT,  /* a cell for each name: 1 for that one; all 0 for others and for missing */
	STEP_ORDINAL, /* 1 for the first name and so on; 0 for others and for missing */
	STEP_HASH,    /* 1 to size-1, by the text's hash; 0 for missing */
	STEP_WORDS,   /* how often words and runs of words occur, hashed into size cells */
	STEP_TFIDF,   /* the same, weighted by rarity, of length 1 */
	STEP_CHARS,   /* how often runs of characters occur */
};

struct fitted_step {
	enum step_kind kind;
	double first, second;
	uint32_t size, low, high; /* cells; lengths of runs */
	struct dictionary names;
	float *weight; /* tfidf: of each cell */
	/* Only until it is fitted. */
	int is_median, is_fixed,
		is_share; /* impute; a number was given; clip at shares of the rows */
};

struct fitted_column {
	char *name;
	enum column_type type; /* of what comes in */
	struct fitted_step step[FITTED_STEPS_MAX];
	size_t steps;
};

struct fitted {
	struct fitted_column *column;
	size_t count;
	char *into;    /* all that come out as float32 are put side by side into this one; NULL: not */
	uint64_t from; /* state of the table it was fitted to; 0: no recipe made it */
};

/* Add a step, as `standardize`, `clip 0 100`, `impute median`, `onehot`, `tfidf 4096 1 2`. */
int fitted_add_step(struct fitted_column *column, const char *words, struct fault *fault);
/* A step alone, with up to `most` cells. */
int fitted_read_step(
	struct fitted_step *step, const char *words, uint32_t most, struct fault *fault);
/* What comes out: type and width. */
void fitted_result(const struct fitted_column *column, struct column *result);
int fitted_step_is_text(enum step_kind kind);
const char *fitted_step_name(enum step_kind kind);
int fitted_step_find(enum step_kind *kind, const char *word); /* 1: there is one of that name */

/* The text of a row: of texts themselves, the name of a category, the digits of a whole number. NULL:
 * it is missing. */
const char *fitted_text(const struct cells *in, const struct dictionary *names, size_t row,
	char digits[32], size_t *length);
/* A number after the first `steps` steps; NaN: it is missing. */
double fitted_number(const struct fitted_column *column, size_t steps, double number);
/* tfidf: weights that count the texts with each cell become what the cell weighs. */
void fitted_weigh_rarity(struct fitted_step *step, uint64_t texts);

int fitted_apply(const struct fitted_column *column, const struct cells *in,
	const struct dictionary *names, struct cells *out, struct fault *fault);

/* What a table is called that a recipe made: a digest of the recipe's JSON, never 0. */
uint64_t fitted_state(const char *json, size_t length);
void fitted_write(const struct fitted *recipe, struct text *json);
int fitted_read(struct fitted *recipe, const char *json, size_t length, struct fault *fault);
void fitted_release(struct fitted *recipe); /* zeroed: nothing */

#endif
