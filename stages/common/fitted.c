#include "common/fitted.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/number.h"
#include "common/runs.h"
#include "common/text.h"

#define WORDS_MAX 4 /* of a step, the name too */

/* A step as words: its name and up to three arguments. */
struct words {
	char copy[200];
	char *word[WORDS_MAX];
	size_t count;
};

static int cut_words(struct words *w, const char *text, struct fault *fault)
{
	char *save = NULL;

	if (strlen(text) >= sizeof w->copy)
		return fault_set(fault, "a step of more than %zu bytes", sizeof w->copy - 1);
	(void)snprintf(w->copy, sizeof w->copy, "%s", text);
	w->count = 0;
	for (char *at = strtok_r(w->copy, " ", &save); at != NULL;
		at = strtok_r(NULL, " ", &save)) {
		if (w->count == WORDS_MAX)
			return fault_set(fault, "'%s' has too many words", text);
		w->word[w->count++] = at;
	}
	return w->count != 0 ? 0 : fault_set(fault, "an empty step");
}

static int read_number(double *value, const char *word, const char *step, struct fault *fault)
{
	if (!number_float(value, word, strlen(word)) || !isfinite(*value))
		return fault_set(fault, "'%s': '%s' is no number", step, word);
	return 0;
}

static int read_impute(
	struct fitted_step *s, const struct words *w, const char *text, struct fault *fault)
{
	const char *how = w->count > 1 ? w->word[1] : "mean";

	s->is_median = strcmp(how, "median") == 0;
	if (s->is_median || strcmp(how, "mean") == 0)
		return 0;
	s->is_fixed = 1;
	return read_number(&s->first, how, text, fault);
}

static int read_clip(struct fitted_step *s, struct words *w, const char *text, struct fault *fault)
{
	size_t length[2];

	if (w->count != 3)
		return fault_set(
			fault, "'%s': wanted is clip LOW HIGH, as numbers or as 1%% 99%%", text);
	for (int i = 0; i < 2; i++)
		length[i] = strlen(w->word[1 + i]);
	s->is_share = w->word[1][length[0] - 1] == '%' && w->word[2][length[1] - 1] == '%';
	s->is_fixed = !s->is_share;
	for (int i = 0; s->is_share && i < 2; i++)
		w->word[1 + i][length[i] - 1] = '\0';
	if (read_number(&s->first, w->word[1], text, fault) < 0 ||
		read_number(&s->second, w->word[2], text, fault) < 0)
		return -1;
	if (s->first >= s->second || (s->is_share && (s->first < 0 || s->second > 100)))
		return fault_set(fault, "'%s': the first must be less than the second", text);
	return 0;
}

static int read_size(struct fitted_step *s, const struct words *w, const char *text, uint32_t most,
	struct fault *fault)
{
	int64_t value[3] = { 0, 1, s->kind == STEP_CHARS ? 3 : 2 };

	if (s->kind == STEP_CHARS)
		value[1] = 2;
	if (w->count < 2 || (s->kind == STEP_HASH && w->count != 2))
		return fault_set(fault, "'%s': how many cells? as `%s 1024`", text, w->word[0]);
	for (size_t i = 1; i < w->count; i++)
		if (!number_integer(&value[i - 1], w->word[i], strlen(w->word[i])))
			return fault_set(fault, "'%s': '%s' is no whole number", text, w->word[i]);
	if (value[0] < 2 || value[0] > most || value[1] < 1 || value[2] < value[1] || value[2] > 8)
		return fault_set(fault, "'%s': cells are 2 to %u, runs 1 to 8 long", text, most);
	s->size = (uint32_t)value[0];
	s->low = (uint32_t)value[1];
	s->high = (uint32_t)value[2];
	return 0;
}

static const char *const step_names[] = { "impute", "standardize", "minmax", "clip", "log",
	"onehot", "ordinal", "hash", "words", "tfidf", "chars" };

const char *fitted_step_name(enum step_kind kind)
{
	return step_names[kind];
}

int fitted_step_find(enum step_kind *kind, const char *word)
{
	for (size_t i = 0; i < sizeof step_names / sizeof step_names[0]; i++) {
		if (strcmp(step_names[i], word) == 0) {
			*kind = (enum step_kind)i;
			return 1;
		}
	}
	return 0;
}

int fitted_step_is_text(enum step_kind kind)
{
	return kind >= STEP_ONEHOT;
}

static int read_arguments(struct fitted_step *s, struct words *w, const char *text, uint32_t most,
	struct fault *fault)
{
	if (s->kind == STEP_IMPUTE)
		return w->count <= 2 ? read_impute(s, w, text, fault)
				     : fault_set(fault,
					       "'%s': impute takes mean, median or a number", text);
	if (s->kind == STEP_CLIP)
		return read_clip(s, w, text, fault);
	if (s->kind >= STEP_HASH)
		return read_size(s, w, text, most, fault);
	return w->count == 1 ? 0 : fault_set(fault, "'%s': %s takes no words", text, w->word[0]);
}

int fitted_read_step(
	struct fitted_step *s, const char *words, uint32_t most, struct fault *fault)
{
	struct words w;

	if (cut_words(&w, words, fault) < 0)
		return -1;
	*s = (struct fitted_step){ .kind = STEP_LOG };
	if (!fitted_step_find(&s->kind, w.word[0]))
		return fault_set(fault,
			"'%s' is no step; there are impute, standardize, minmax, clip, log, "
			"onehot, ordinal, hash, words, tfidf, chars",
			w.word[0]);
	return read_arguments(s, &w, words, most, fault);
}

int fitted_add_step(struct fitted_column *column, const char *words, struct fault *fault)
{
	struct fitted_step *s = &column->step[column->steps];

	if (column->steps == FITTED_STEPS_MAX)
		return fault_set(fault, "more than %d steps", FITTED_STEPS_MAX);
	if (fitted_read_step(s, words, FITTED_FEATURES_MAX, fault) < 0)
		return -1;
	if (column->steps != 0 && (fitted_step_is_text(s->kind) || fitted_step_is_text(s[-1].kind)))
		return fault_set(fault, "'%s' goes alone, without other steps",
			fitted_step_is_text(s->kind) ? words : step_names[s[-1].kind]);
	column->steps++;
	return 0;
}

void fitted_result(const struct fitted_column *column, struct column *result)
{
	const struct fitted_step *last = &column->step[column->steps - 1];
	uint32_t width = 0;

	*result = (struct column){ .name = column->name, .type = COLUMN_FLOAT32, .width = 1 };
	if (last->kind == STEP_ORDINAL || last->kind == STEP_HASH)
		result->type = COLUMN_INT32;
	else if (last->kind == STEP_ONEHOT)
		width = last->names.count;
	else if (last->kind > STEP_HASH)
		width = last->size;
	if (width != 0) {
		result->width = result->dimension[0] = width;
		result->dimensions = 1;
	}
}

const char *fitted_text(const struct cells *in, const struct dictionary *names, size_t row,
	char digits[32], size_t *length)
{
	if (!cells_present(in, row))
		return NULL;
	if (column_has_length(in->type))
		return (const char *)cells_text(in, row, length);
	if (in->type == COLUMN_CATEGORY)
		return dictionary_text(
			names, ((const uint32_t *)(const void *)in->data)[row], length);
	if (in->type == COLUMN_INT64 || in->type == COLUMN_TIME)
		*length = (size_t)snprintf(digits, 32, "%lld",
			(long long)((const int64_t *)(const void *)in->data)[row]);
	else
		*length = (size_t)snprintf(
			digits, 32, "%.9g", column_number(in->type, in->data, row));
	return digits;
}

static double apply_step(const struct fitted_step *s, double x)
{
	if (s->kind == STEP_IMPUTE)
		return isnan(x) ? s->first : x;
	if (isnan(x))
		return x;
	if (s->kind == STEP_STANDARDIZE)
		return (x - s->first) / s->second;
	if (s->kind == STEP_MINMAX)
		return (x - s->first) / (s->second - s->first);
	if (s->kind == STEP_CLIP)
		return x < s->first ? s->first : x > s->second ? s->second : x;
	return s->kind == STEP_LOG ? copysign(log1p(fabs(x)), x) : x;
}

double fitted_number(const struct fitted_column *column, size_t steps, double number)
{
	for (size_t i = 0; i < steps; i++)
		number = apply_step(&column->step[i], number);
	return number;
}

void fitted_weigh_rarity(struct fitted_step *step, uint64_t texts)
{
	for (uint32_t i = 0; i < step->size; i++)
		step->weight[i] = (float)(log((1 + (double)texts) / (1 + (double)step->weight[i])) + 1);
}

/* Weighted, and of length 1 unless all are 0. */
static void weigh(const struct fitted_step *s, float *cells)
{
	double square = 0;

	for (uint32_t i = 0; i < s->size; i++) {
		cells[i] *= s->weight[i];
		square += (double)cells[i] * (double)cells[i];
	}
	for (uint32_t i = 0; square > 0 && i < s->size; i++)
		cells[i] = (float)((double)cells[i] / sqrt(square));
}

static void apply_text(const struct fitted_step *s, const char *text, size_t length,
	struct cells *out, struct runs *runs, float *cells, uint32_t width)
{
	uint32_t code = DICTIONARY_NONE;

	if (text != NULL && (s->kind == STEP_ONEHOT || s->kind == STEP_ORDINAL))
		code = dictionary_find(&s->names, text, length);
	if (s->kind == STEP_ORDINAL) {
		cells_add_number(out, code == DICTIONARY_NONE ? 0 : (double)code + 1);
		return;
	}
	if (s->kind == STEP_HASH) {
		cells_add_number(
			out, text == NULL ? 0 : 1 + (double)runs_hash(text, length, s->size - 1));
		return;
	}
	memset(cells, 0, width * sizeof *cells);
	if (s->kind == STEP_ONEHOT && code != DICTIONARY_NONE)
		cells[code] = 1;
	if (s->kind != STEP_ONEHOT && text != NULL) {
		runs_find(runs, s, text, length);
		for (size_t i = 0; i < runs->count; i++)
			cells[runs->cell[i]] += 1.0f;
	}
	if (s->kind == STEP_TFIDF)
		weigh(s, cells);
	cells_add_row(out, cells);
}

static int apply_texts(const struct fitted_column *column, const struct cells *in,
	const struct dictionary *names, struct cells *out)
{
	float *cells = array_new(out->width, sizeof *cells);
	struct runs runs = { .count = 0 };
	char digits[32];

	for (size_t row = 0; row < in->rows; row++) {
		size_t length = 0;
		const char *text = fitted_text(in, names, row, digits, &length);

		apply_text(&column->step[0], text, length, out, &runs, cells, out->width);
	}
	free(cells);
	runs_release(&runs);
	return 0;
}

int fitted_apply(const struct fitted_column *column, const struct cells *in,
	const struct dictionary *names, struct cells *out, struct fault *fault)
{
	if (in->type != column->type)
		return fault_set(fault, "column '%s' is %s, the recipe was fitted to %s",
			column->name, column_type_name(in->type), column_type_name(column->type));
	if (fitted_step_is_text(column->step[0].kind))
		return apply_texts(column, in, names, out);
	for (size_t row = 0; row < in->rows; row++) {
		double x = cells_present(in, row) ? column_number(in->type, in->data, row)
						  : (double)NAN;

		x = fitted_number(column, column->steps, x);
		if (isnan(x))
			cells_add_missing(out);
		else
			cells_add_number(out, x);
	}
	return 0;
}

void fitted_release(struct fitted *recipe)
{
	for (size_t i = 0; i < recipe->count; i++) {
		free(recipe->column[i].name);
		for (size_t k = 0; k < recipe->column[i].steps; k++) {
			dictionary_release(&recipe->column[i].step[k].names);
			free(recipe->column[i].step[k].weight);
		}
	}
	free(recipe->column);
	free(recipe->into);
	*recipe = (struct fitted){ 0 };
}
