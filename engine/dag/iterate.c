#include "dag/iterate.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/near.h"
#include "dag/diag.h"
#include "dag/expr.h"
#include "dag/spec.h"
#include "dag/value.h"
#include "dag/yaml.h"

#define COUNT_MAX (UINT64_C(1) << 40) /* products stop growing here; far over BUILD_NODES_MAX */

static bool is_axis(const struct yaml *key)
{
	return strcmp(key->text, "include") != 0 && strcmp(key->text, "exclude") != 0;
}

static int wrong(struct scope *s, const struct yaml *at, const char *what)
{
	struct diag *diag = diag_add(s->build->diags, "E0210", yaml_place(at), "%s, not %s", what,
		value_type_name(at->type));

	(void)diag;
	return -1;
}

/* The keys of an exclude entry must be axes of the matrix. */
static int check_exclude(struct scope *s, const struct yaml *matrix, const struct yaml *entry)
{
	uint32_t i, j;

	for (i = 0; i < entry->count; i++) {
		const struct yaml *key = yaml_key(entry, i);
		struct diag *diag;
		struct near near;

		near_start(&near, key->text);
		for (j = 0; j < matrix->count; j++) {
			if (!is_axis(yaml_key(matrix, j)))
				continue;
			near_offer(&near, yaml_key(matrix, j)->text);
			if (strcmp(yaml_key(matrix, j)->text, key->text) == 0)
				break;
		}
		if (j < matrix->count)
			continue;
		diag = diag_add(s->build->diags, "E0210", yaml_place(key),
			"the matrix has no list `%.100s`", key->text);
		if (near.best != NULL)
			diag_label(s->build->diags, diag, "did you mean `%s`?", near.best);
		return -1;
	}
	return 0;
}

static int check_entries(
	struct scope *s, const struct yaml *matrix, const struct yaml *list, bool is_exclude)
{
	uint32_t i;

	if (list == NULL)
		return 0;
	if (list->type != YAML_LIST)
		return wrong(s, list,
			is_exclude ? "`exclude` must be a list of maps"
				   : "`include` must be a list of maps");
	for (i = 0; i < list->count; i++) {
		if (yaml_item(list, i)->type != YAML_MAP)
			return wrong(s, yaml_item(list, i), "a combination must be a map");
		if (is_exclude && check_exclude(s, matrix, yaml_item(list, i)) < 0)
			return -1;
	}
	return 0;
}

static int begin_matrix(struct iteration *it, struct scope *s, const struct yaml *matrix)
{
	uint64_t product = 1;
	uint32_t axes = 0, i;

	it->at = matrix;
	it->matrix = matrix = expr_value(s, matrix);
	if (matrix == NULL)
		return -1;
	it->include = yaml_get(matrix, "include");
	it->exclude = yaml_get(matrix, "exclude");
	for (i = 0; i < matrix->count; i++) {
		const struct yaml *axis = yaml_value(matrix, i);

		if (!is_axis(yaml_key(matrix, i)))
			continue;
		if (axis->type != YAML_LIST)
			return wrong(s, axis, "each key of `matrix` must be a list");
		axes++;
		product *= axis->count;
		if (product > COUNT_MAX)
			product = COUNT_MAX;
	}
	if (check_entries(s, matrix, it->include, false) < 0 ||
		check_entries(s, matrix, it->exclude, true) < 0)
		return -1;
	it->count = (axes > 0 ? product : 0) + (it->include != NULL ? it->include->count : 0);
	return 0;
}

static int begin_foreach(struct iteration *it, struct scope *s, const struct yaml *foreach)
{
	it->at = foreach;
	it->items = expr_value(s, foreach);
	if (it->items == NULL)
		return -1;
	if (yaml_is_scalar(it->items)) {
		struct yaml shown = *it->items;

		shown.file = foreach->file;
		shown.line = foreach->line;
		shown.col = foreach->col;
		shown.width = foreach->width;
		return wrong(s, &shown, "`foreach` must be a list or a map");
	}
	it->count = it->items->count;
	return 0;
}

int iteration_begin(struct iteration *it, struct scope *scope, const struct stage_spec *stage)
{
	unsigned char *used = scope->used;
	int rc = 0;

	memset(it, 0, sizeof *it);
	it->count = 1;
	scope->used = NULL;
	if (stage->foreach != NULL)
		rc = begin_foreach(it, scope, stage->foreach);
	else if (stage->matrix != NULL)
		rc = begin_matrix(it, scope, stage->matrix);
	scope->used = used;
	return rc;
}

/* What may not stand in a name becomes `-`. */
static void put_name(struct buf *out, const char *text)
{
	if (*text == '\0')
		buf_char(out, '-');
	for (; *text != '\0'; text++) {
		bool is_good = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			       (*text >= '0' && *text <= '9') || strchr("_.-", *text) != NULL;
		buf_char(out, is_good ? *text : '-');
	}
}

static const char *name_of(struct arena *a, const struct yaml *value)
{
	struct buf name = { 0 }, json = { 0 };
	const char *text;

	if (!yaml_is_scalar(value))
		value_json(&json, value);
	put_name(&name, yaml_is_scalar(value) ? value->text : buf_text(&json));
	text = buf_in(&name, a);
	buf_release(&name);
	buf_release(&json);
	return text;
}

static bool next_item(struct iteration *it, struct arena *a, struct instance *out)
{
	uint32_t i = (uint32_t)it->next++;
	const struct yaml *items = it->items;

	if (i >= items->count)
		return false;
	if (items->type == YAML_MAP) {
		out->item = yaml_value(items, i);
		out->key = yaml_key(items, i)->text;
		out->suffix = name_of(a, yaml_key(items, i));
		return true;
	}
	out->item = yaml_item(items, i);
	out->key = arena_printf(a, "%u", i);
	out->suffix = out->item->type == YAML_MAP ? out->key : name_of(a, out->item);
	return true;
}

static bool same_value(const struct yaml *a, const struct yaml *b)
{
	struct buf x = { 0 }, y = { 0 };
	bool is_same;

	value_json(&x, a);
	value_json(&y, b);
	is_same = strcmp(buf_text(&x), buf_text(&y)) == 0;
	buf_release(&x);
	buf_release(&y);
	return is_same;
}

static bool is_excluded(const struct iteration *it, const struct yaml *item)
{
	uint32_t i, j;

	for (i = 0; it->exclude != NULL && i < it->exclude->count; i++) {
		const struct yaml *entry = yaml_item(it->exclude, i);

		for (j = 0; j < entry->count; j++) {
			const struct yaml *value = yaml_get(item, yaml_key(entry, j)->text);

			if (value == NULL || !same_value(value, yaml_value(entry, j)))
				break;
		}
		if (j == entry->count)
			return true;
	}
	return false;
}

/* Combination number n; the last list turns fastest. */
static const struct yaml *combination(const struct yaml *matrix, uint64_t n, struct arena *a)
{
	struct yaml *items = arena_alloc(a, (size_t)matrix->count * 2 * sizeof *items);
	struct yaml *item = arena_dup(a, matrix, sizeof *item);
	uint32_t i, at = 0;

	for (i = 0; i < matrix->count; i++)
		if (is_axis(yaml_key(matrix, i)))
			at++;
	item->items = items;
	item->count = at;
	for (i = matrix->count; i-- > 0;) {
		const struct yaml *axis = yaml_value(matrix, i);

		if (!is_axis(yaml_key(matrix, i)))
			continue;
		at--;
		items[(size_t)at * 2] = *yaml_key(matrix, i);
		items[(size_t)at * 2 + 1] = *yaml_item(axis, (uint32_t)(n % axis->count));
		n /= axis->count;
	}
	return item;
}

static const char *suffix_of(struct arena *a, const struct yaml *item)
{
	struct buf name = { 0 };
	const char *text;
	uint32_t i;

	for (i = 0; i < item->count; i++) {
		if (i > 0)
			buf_char(&name, '_');
		put_name(&name, yaml_key(item, i)->text);
		buf_char(&name, '-');
		put_name(&name, name_of(a, yaml_value(item, i)));
	}
	text = buf_in(&name, a);
	buf_release(&name);
	return text;
}

static bool next_combination(struct iteration *it, struct arena *a, struct instance *out)
{
	uint64_t added = it->include != NULL ? it->include->count : 0;

	for (; it->next < it->count - added; it->next++) {
		out->item = combination(it->matrix, it->next, a);
		if (!is_excluded(it, out->item))
			break;
	}
	if (it->next >= it->count)
		return false;
	if (it->next >= it->count - added)
		out->item = yaml_item(it->include, (uint32_t)(it->next - (it->count - added)));
	it->next++;
	out->suffix = suffix_of(a, out->item);
	out->key = out->suffix;
	return true;
}

bool iteration_next(struct iteration *it, struct arena *scratch, struct instance *out)
{
	if (it->items != NULL)
		return next_item(it, scratch, out);
	if (it->matrix != NULL)
		return next_combination(it, scratch, out);
	*out = (struct instance){ .suffix = "" };
	return it->next++ == 0;
}
