#include "dag/value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

static bool is_one_of(const char *s, size_t len, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == len && memcmp(s, *words, len) == 0)
			return true;
	return false;
}

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

static bool is_int(const char *s)
{
	size_t n;

	if (s[0] == '0' && s[1] == 'o') {
		n = strspn(s + 2, "01234567");
		return n > 0 && s[2 + n] == '\0';
	}
	if (s[0] == '0' && s[1] == 'x') {
		n = strspn(s + 2, "0123456789abcdefABCDEF");
		return n > 0 && s[2 + n] == '\0';
	}
	if (s[0] == '-' || s[0] == '+')
		s++;
	n = digits(s);
	return n > 0 && s[n] == '\0';
}

static bool is_float(const char *s)
{
	static const char *const infinite[] = { ".inf", ".Inf", ".INF", NULL };
	static const char *const not_numbers[] = { ".nan", ".NaN", ".NAN", NULL };
	size_t whole, part = 0;

	if (is_one_of(s, strlen(s), not_numbers))
		return true;
	if (s[0] == '-' || s[0] == '+')
		s++;
	if (is_one_of(s, strlen(s), infinite))
		return true;
	whole = digits(s);
	s += whole;
	if (*s == '.') {
		part = digits(++s);
		s += part;
	}
	if (whole + part == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '-' || *s == '+')
			s++;
		if (digits(s) == 0)
			return false;
		s += digits(s);
	}
	return *s == '\0';
}

enum yaml_type value_type_of(const char *plain, size_t len)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const bools[] = { "true", "True", "TRUE", "false", "False", "FALSE",
		NULL };

	if (len > 0 && memchr("+-.0123456789", plain[0], 13) != NULL) {
		if (is_int(plain))
			return YAML_INT;
		return is_float(plain) ? YAML_FLOAT : YAML_TEXT;
	}
	if (len > 5)
		return YAML_TEXT;
	if (is_one_of(plain, len, nulls))
		return YAML_NULL;
	return is_one_of(plain, len, bools) ? YAML_BOOL : YAML_TEXT;
}

const char *value_type_name(uint8_t type)
{
	switch ((enum yaml_type)type) {
	case YAML_NULL: return "null";
	case YAML_BOOL: return "true or false";
	case YAML_INT: return "a whole number";
	case YAML_FLOAT: return "a number";
	case YAML_TEXT: return "text";
	case YAML_LIST: return "a list";
	case YAML_MAP: return "a map";
	}
	return "";
}

bool value_bool(const struct yaml *node, bool *out)
{
	if (node->type != YAML_BOOL)
		return false;
	*out = node->text[0] == 't' || node->text[0] == 'T';
	return true;
}

bool value_int(const struct yaml *node, int64_t *out)
{
	const char *s = node->text;
	char *end;
	int base = 10;
	long long n;

	if (node->type != YAML_INT)
		return false;
	if (s[0] == '0' && (s[1] == 'o' || s[1] == 'x')) {
		base = s[1] == 'o' ? 8 : 16;
		s += 2;
	}
	errno = 0;
	n = strtoll(s, &end, base);
	if (errno != 0 || *end != '\0')
		return false;
	*out = n;
	return true;
}

bool value_number(const struct yaml *node, double *out)
{
	int64_t n;

	if (value_int(node, &n)) {
		*out = (double)n;
		return true;
	}
	if (node->type != YAML_INT && node->type != YAML_FLOAT)
		return false;
	if (strpbrk(node->text, "nN") != NULL) /* .inf, .nan */
		return false;
	*out = strtod(node->text, NULL);
	return isfinite(*out) != 0;
}

static void put_string(struct buf *out, const char *s)
{
	struct json j;

	json_init(&j, out);
	json_text(&j, s);
}

/* A decimal number of any size, without a plus and zeros in front. */
static void put_digits(struct buf *out, const char *s)
{
	if (*s == '-')
		buf_char(out, '-');
	s += strspn(s, "+-");
	s += strspn(s, "0");
	buf_str(out, *s != '\0' ? s : "0");
}

static void put_number(struct buf *out, const struct yaml *node)
{
	char text[32];
	int64_t n;
	double x;

	if (value_int(node, &n))
		buf_printf(out, "%lld", (long long)n);
	else if (node->type == YAML_INT && node->text[1] != 'x' && node->text[1] != 'o')
		put_digits(out, node->text);
	else if (value_number(node, &x))
		buf_str(out, number_text(x, text));
	else
		put_string(out, node->text);
}

static int by_key(const void *a, const void *b)
{
	const struct yaml *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

static void put_map(struct buf *out, const struct yaml *map)
{
	const struct yaml **keys = mem_alloc((map->count + 1) * sizeof *keys);
	uint32_t i;

	for (i = 0; i < map->count; i++)
		keys[i] = yaml_key(map, i);
	qsort(keys, map->count, sizeof *keys, by_key);
	buf_char(out, '{');
	for (i = 0; i < map->count; i++) {
		if (i > 0)
			buf_char(out, ',');
		put_string(out, keys[i]->text);
		buf_char(out, ':');
		value_json(out, keys[i] + 1);
	}
	buf_char(out, '}');
	free(keys);
}

void value_json(struct buf *out, const struct yaml *node)
{
	bool truth = false;
	uint32_t i;

	switch ((enum yaml_type)node->type) {
	case YAML_NULL: buf_str(out, "null"); break;
	case YAML_BOOL: buf_str(out, value_bool(node, &truth) && truth ? "true" : "false"); break;
	case YAML_INT:
	case YAML_FLOAT: put_number(out, node); break;
	case YAML_TEXT: put_string(out, node->text); break;
	case YAML_LIST:
		buf_char(out, '[');
		for (i = 0; i < node->count; i++) {
			if (i > 0)
				buf_char(out, ',');
			value_json(out, yaml_item(node, i));
		}
		buf_char(out, ']');
		break;
	case YAML_MAP: put_map(out, node); break;
	}
}

const struct yaml *value_scalar(
	struct arena *a, enum yaml_type type, const char *text, const struct yaml *at)
{
	struct yaml *node = arena_alloc(a, sizeof *node);

	*node = (struct yaml){ .text = text,
		.file = at->file,
		.count = (uint32_t)strlen(text),
		.line = at->line,
		.col = at->col,
		.width = at->width,
		.type = (uint8_t)type };
	return node;
}

const char *value_shown(struct arena *a, const struct yaml *node)
{
	struct buf text = { 0 };
	const char *shown;

	if (yaml_is_scalar(node))
		return arena_printf(a, "%.60s%s", node->text, node->count > 60 ? "..." : "");
	value_json(&text, node);
	shown = arena_printf(a, "%.60s%s", buf_text(&text), text.len > 60 ? "..." : "");
	buf_release(&text);
	return shown;
}
