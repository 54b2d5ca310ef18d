#include "dag/reader.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/units.h"
#include "dag/value.h"

static void unknown_key(
	struct reader *r, const struct yaml *key, enum key_where where, const char *owner)
{
	const char *near = key_nearest(where, key->text);
	struct diag *diag = diag_add(
		r->diags, "E0107", yaml_place(key), "unknown key `%.100s` in %s", key->text, owner);

	if (near != NULL)
		diag_label(r->diags, diag, "did you mean `%s`?", near);
	diag_note(r->diags, diag, "the keys of %s are listed by `flow help dag`",
		key_where_name(where));
}

/* A bare text stands for a list of one. A null value is as good as none. */
static bool fits(const struct yaml *value, enum key_type type)
{
	bool is_scalar = yaml_is_scalar(value);

	switch (type) {
	case TYPE_TEXT: return is_scalar && value->type != YAML_BOOL;
	case TYPE_COMMAND: return is_scalar || value->type == YAML_LIST;
	case TYPE_LIST: return is_scalar || value->type == YAML_LIST;
	case TYPE_MAP: return value->type == YAML_MAP;
	case TYPE_RETRY: return value->type == YAML_MAP || value->type == YAML_INT;
	case TYPE_LIST_OR_MAP:
	case TYPE_ANY: return true;
	case TYPE_INTEGER:
	case TYPE_NUMBER:
	case TYPE_BOOL:
	case TYPE_DURATION:
	case TYPE_SIZE: return is_scalar;
	case TYPE_RESERVED: break;
	}
	return false;
}

static void read_pair(struct reader *r, const struct yaml *map, uint32_t i, enum key_where where,
	const char *owner, const struct yaml **values)
{
	const struct yaml *key = yaml_key(map, i), *value = yaml_value(map, i);
	const struct key_info *info = key_find(where, key->text);

	if (info == NULL)
		unknown_key(r, key, where, owner);
	else if (info->type == TYPE_RESERVED)
		diag_add(r->diags, "E0111", yaml_place(key),
			"`%s` in %s is not supported by this version of flow", info->name, owner);
	else if (value->type == YAML_NULL)
		return;
	else if (!fits(value, info->type))
		reader_type(r, value, info->name, key_type_name(info->type));
	else
		values[info - key_table] = value;
}

void reader_map(struct reader *r, const struct yaml *map, enum key_where where, const char *owner,
	const struct yaml **values)
{
	uint32_t i;

	memset(values, 0, KEY_COUNT * sizeof *values);
	for (i = 0; i < map->count; i++)
		read_pair(r, map, i, where, owner, values);
}

void reader_type(struct reader *r, const struct yaml *value, const char *key, const char *wanted)
{
	diag_add(r->diags, "E0109", yaml_place(value), "`%s` must be %s, not %s", key, wanted,
		value_type_name(value->type));
}

void reader_range(struct reader *r, const struct yaml *value, const char *key, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(r->arena, fmt, ap);
	va_end(ap);
	diag_add(r->diags, "E0110", yaml_place(value), "`%s`: %s", key, text);
}

void reader_bool(struct reader *r, const struct yaml *value, const char *key, bool *out)
{
	if (value != NULL && !value_bool(value, out))
		reader_type(r, value, key, "true or false");
}

void reader_integer(struct reader *r, const struct yaml *value, const char *key, int64_t least,
	int64_t most, uint32_t *out)
{
	int64_t n;

	if (value == NULL)
		return;
	if (value->type != YAML_INT)
		reader_type(r, value, key, "a whole number");
	else if (!value_int(value, &n) || n < least || n > most)
		reader_range(r, value, key, "%.40s is not between %lld and %lld", value->text,
			(long long)least, (long long)most);
	else
		*out = (uint32_t)n;
}

void reader_number(struct reader *r, const struct yaml *value, const char *key, double least,
	double most, double *out)
{
	double x;

	if (value == NULL)
		return;
	if (value->type != YAML_INT && value->type != YAML_FLOAT)
		reader_type(r, value, key, "a number");
	else if (!value_number(value, &x) || x < least || x > most)
		reader_range(
			r, value, key, "%.40s is not between %g and %g", value->text, least, most);
	else
		*out = x;
}

void reader_duration(struct reader *r, const struct yaml *value, int64_t *out)
{
	struct err e;

	if (value != NULL && duration_parse(out, value->text, &e) < 0)
		diag_add(r->diags, "E0110", yaml_place(value), "%s", e.text);
}

void reader_size(struct reader *r, const struct yaml *value, uint64_t *out)
{
	struct err e;

	if (value != NULL && size_parse(out, value->text, &e) < 0)
		diag_add(r->diags, "E0110", yaml_place(value), "%s", e.text);
}
