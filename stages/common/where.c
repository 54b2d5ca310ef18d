#include "common/where.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/dictionary.h"
#include "common/fault.h"
#include "common/jsonin.h"
#include "common/number.h"
#include "common/text.h"

#define CONDITION_MAX 2000

static const struct {
	const char *word;
	enum where_operator kind;
} operators[] = {
	{ " = ", WHERE_EQUAL },
	{ " == ", WHERE_EQUAL },
	{ " != ", WHERE_UNEQUAL },
	{ " < ", WHERE_LESS },
	{ " <= ", WHERE_LESS_EQUAL },
	{ " > ", WHERE_MORE },
	{ " >= ", WHERE_MORE_EQUAL },
	{ " in ", WHERE_IN },
	{ " is ", WHERE_MISSING },
};

static char *trimmed(char *text)
{
	size_t length;

	while (*text == ' ')
		text++;
	for (length = strlen(text); length > 0 && text[length - 1] == ' '; length--)
		text[length - 1] = '\0';
	return text;
}

/* "[a, b]" -> its values. */
static int read_list(struct where_condition *c, char *text, struct fault *fault)
{
	size_t length = strlen(text);

	if (length < 3 || text[0] != '[' || text[length - 1] != ']')
		return fault_set(fault, "'%s': after `in` a list is wanted, as [a, b]", c->text);
	text[length - 1] = '\0';
	for (char *at = text + 1; at != NULL;) {
		char *comma = strchr(at, ',');

		if (comma != NULL)
			*comma = '\0';
		if (c->values == WHERE_VALUES_MAX)
			return fault_set(
				fault, "'%s': more than %d values", c->text, WHERE_VALUES_MAX);
		c->value[c->values++] = trimmed(at);
		at = comma != NULL ? comma + 1 : NULL;
	}
	return 0;
}

static int read_value(struct where_condition *c, char *text, struct fault *fault)
{
	if (c->kind == WHERE_IN)
		return read_list(c, text, fault);
	if (c->kind != WHERE_MISSING) {
		c->value[c->values++] = text;
		return 0;
	}
	if (strcmp(text, "present") == 0)
		c->kind = WHERE_PRESENT;
	else if (strcmp(text, "missing") != 0)
		return fault_set(fault, "'%s': after `is`, missing or present is wanted", c->text);
	return 0;
}

static int read_condition(struct where_condition *c, const char *text, struct fault *fault)
{
	char *found = NULL;
	size_t length = 0;

	c->text = text_copy(text, strlen(text));
	c->copy = text_copy(text, strlen(text));
	for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
		char *at = strstr(c->copy, operators[i].word);

		if (at != NULL && (found == NULL || at < found)) {
			found = at;
			length = strlen(operators[i].word);
			c->kind = operators[i].kind;
		}
	}
	if (found == NULL)
		return fault_set(fault,
			"'%s' is no condition: wanted is `column operator value` with blanks "
			"between, as `age >= 18`",
			text);
	*found = '\0';
	c->column = trimmed(c->copy);
	return read_value(c, trimmed(found + length), fault);
}

int where_read(struct where *w, const char *json, struct fault *fault)
{
	struct jsonin in;
	char text[CONDITION_MAX];
	int more;

	w->count = 0;
	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1) {
		if (w->count == WHERE_MAX)
			return fault_set(fault, "more than %d conditions", WHERE_MAX);
		if (jsonin_string(&in, text, sizeof text, fault) < 0)
			return -1;
		w->condition[w->count] = (struct where_condition){ 0 };
		w->count++;
		if (read_condition(&w->condition[w->count - 1], text, fault) < 0)
			return -1;
	}
	return more;
}

void where_release(struct where *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->condition[i].text);
		free(w->condition[i].copy);
	}
	w->count = 0;
}

static int bind_value(struct where_condition *c, size_t i, enum column_type type, int *whole)
{
	size_t length = strlen(c->value[i]);
	uint8_t flag;

	if (type == COLUMN_TIME && number_time(&c->whole[i], c->value[i], length)) {
		c->number[i] = (double)c->whole[i];
		return 0;
	}
	if (type == COLUMN_BOOLEAN && number_boolean(&flag, c->value[i], length)) {
		c->whole[i] = flag;
		c->number[i] = flag;
		return 0;
	}
	if (!number_integer(&c->whole[i], c->value[i], length))
		*whole = 0;
	return type != COLUMN_TIME && number_float(&c->number[i], c->value[i], length) ? 0 : -1;
}

int where_bind(struct where *w, size_t index, enum column_type type, struct fault *fault)
{
	struct where_condition *c = &w->condition[index];
	int whole = 1;

	if (c->kind == WHERE_MISSING || c->kind == WHERE_PRESENT)
		return 0;
	if (!column_is_number(type)) {
		if (c->kind != WHERE_EQUAL && c->kind != WHERE_UNEQUAL && c->kind != WHERE_IN)
			return fault_set(fault,
				"'%s': column '%s' is %s and has no order; use =, != or in",
				c->text, c->column, column_type_name(type));
		return 0;
	}
	for (size_t i = 0; i < c->values; i++)
		if (bind_value(c, i, type, &whole) < 0)
			return fault_set(fault, "'%s': column '%s' is %s, which '%s' is not",
				c->text, c->column, column_type_name(type), c->value[i]);
	c->is_whole = whole && (type == COLUMN_INT64 || type == COLUMN_TIME);
	return 0;
}

int where_possible(const struct where *w, size_t index, double minimum, double maximum)
{
	const struct where_condition *c = &w->condition[index];

	if (isnan(minimum) || isnan(maximum))
		return 1;
	switch (c->kind) {
	case WHERE_EQUAL: return c->number[0] >= minimum && c->number[0] <= maximum;
	case WHERE_LESS:
	case WHERE_LESS_EQUAL: return minimum <= c->number[0];
	case WHERE_MORE:
	case WHERE_MORE_EQUAL: return maximum >= c->number[0];
	case WHERE_IN:
		for (size_t i = 0; i < c->values; i++)
			if (c->number[i] >= minimum && c->number[i] <= maximum)
				return 1;
		return 0;
	case WHERE_UNEQUAL:
	case WHERE_MISSING:
	case WHERE_PRESENT: break;
	}
	return 1;
}

static int holds(enum where_operator kind, int order, int is_ordered)
{
	if (!is_ordered)
		return kind == WHERE_UNEQUAL;
	switch (kind) {
	case WHERE_EQUAL:
	case WHERE_IN: return order == 0;
	case WHERE_UNEQUAL: return order != 0;
	case WHERE_LESS: return order < 0;
	case WHERE_LESS_EQUAL: return order <= 0;
	case WHERE_MORE: return order > 0;
	case WHERE_MORE_EQUAL: return order >= 0;
	case WHERE_MISSING:
	case WHERE_PRESENT: break;
	}
	return 0;
}

static int number_holds(const struct where_condition *c, const struct cells *cells, size_t row)
{
	for (size_t i = 0; i < c->values; i++) {
		double have, want = c->number[i];
		int order;

		if (c->is_whole) {
			int64_t whole = ((const int64_t *)(const void *)cells->data)[row];

			order = (whole > c->whole[i]) - (whole < c->whole[i]);
			have = 0;
		} else {
			have = column_number(cells->type, cells->data, row);
			order = (have > want) - (have < want);
		}
		if (holds(c->kind, order, !isnan(have)))
			return 1;
	}
	return 0;
}

static int text_holds(const struct where_condition *c, const char *text, size_t length)
{
	for (size_t i = 0; i < c->values; i++) {
		int same = strlen(c->value[i]) == length && memcmp(c->value[i], text, length) == 0;

		if (holds(c->kind, !same, 1))
			return 1;
	}
	return 0;
}

static int row_holds(const struct where_condition *c, const struct cells *cells,
	const struct dictionary *names, size_t row)
{
	size_t length;
	const char *text;

	if (c->kind == WHERE_MISSING || c->kind == WHERE_PRESENT)
		return cells_present(cells, row) == (c->kind == WHERE_PRESENT);
	if (!cells_present(cells, row))
		return 0;
	if (column_is_number(cells->type))
		return number_holds(c, cells, row);
	if (cells->type == COLUMN_CATEGORY)
		text = dictionary_text(
			names, ((const uint32_t *)(const void *)cells->data)[row], &length);
	else
		text = (const char *)cells_text(cells, row, &length);
	return text_holds(c, text, length);
}

void where_apply(const struct where *w, size_t index, const struct cells *cells,
	const struct dictionary *names, uint8_t *keep)
{
	const struct where_condition *c = &w->condition[index];

	for (size_t row = 0; row < cells->rows; row++)
		if (keep[row] && !row_holds(c, cells, names, row))
			keep[row] = 0;
}
