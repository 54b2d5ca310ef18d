#include "report/run_params.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

#define DEPTH_MAX 32

static void write_value(struct json *j, json_t *value, unsigned depth)
{
	const char *key;
	json_t *item;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_open_object(j);
		json_object_foreach(value, key, item)
		{
			json_key(j, key);
			if (depth < DEPTH_MAX)
				write_value(j, item, depth + 1);
			else
				json_nothing(j);
		}
		json_end(j);
		break;
	case JSON_ARRAY:
		json_open_array(j);
		for (i = 0; i < json_array_size(value) && depth < DEPTH_MAX; i++)
			write_value(j, json_array_get(value, i), depth + 1);
		json_end(j);
		break;
	case JSON_STRING: json_text(j, json_string_value(value)); break;
	case JSON_INTEGER: json_int(j, json_integer_value(value)); break;
	case JSON_REAL: json_number(j, json_real_value(value)); break;
	case JSON_TRUE: json_bool(j, true); break;
	case JSON_FALSE: json_bool(j, false); break;
	case JSON_NULL: json_nothing(j); break;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct run_param *)a)->name, ((const struct run_param *)b)->name);
}

const struct run_param *run_params_find(const struct run_params *p, const char *name)
{
	struct run_param wanted = { .name = name };

	return p->count == 0 ? NULL
			     : bsearch(&wanted, p->items, p->count, sizeof *p->items, by_name);
}

/* Does a line of the -p options set this parameter, or a group that it is in? */
static bool is_set(const char *changed, const char *name)
{
	size_t len;

	for (; *changed != '\0'; changed += *changed == '\n') {
		len = strcspn(changed, "=\n");
		if (len > 0 && strncmp(changed, name, len) == 0 &&
			(name[len] == '\0' || name[len] == '.'))
			return true;
		changed += strcspn(changed, "\n");
	}
	return false;
}

void run_params_read(struct run_params *out, const char *text, const char *changed, struct arena *a)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *value;
	struct buf written = { 0 };
	const char *name;
	struct json j;

	*out = (struct run_params){ .damaged = !json_is_object(root) };
	if (out->damaged) {
		json_decref(root);
		return;
	}
	out->items = arena_alloc(a, (json_object_size(root) + 1) * sizeof *out->items);
	json_object_foreach(root, name, value)
	{
		buf_clear(&written);
		json_init(&j, &written);
		write_value(&j, value, 0);
		out->items[out->count++] = (struct run_param){ arena_strdup(a, name),
			buf_in(&written, a), is_set(changed, name) };
	}
	buf_release(&written);
	json_decref(root);
	if (out->count > 1)
		qsort(out->items, out->count, sizeof *out->items, by_name);
}
