#include "dag/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "base/path.h"
#include "base/vec.h"
#include "dag/build.h"
#include "dag/diag.h"
#include "dag/load.h"
#include "dag/override.h"
#include "dag/value.h"
#include "dag/yaml.h"

struct param_list {
	struct param *items;
	size_t count, cap;
};

struct collector {
	struct build *build;
	struct param_list list;
};

/* A part of a dotted name. */
static bool is_part(const char *s)
{
	size_t n = name_span(s, "_-");

	return n > 0 && n <= 128 && s[n] == '\0';
}

static void add_leaf(struct collector *c, const char *name, const struct yaml *value)
{
	struct param p = { .name = name, .standard = value, .value = value };

	p.origin = arena_printf(c->build->arena, "%s:%u", value->file->name, value->line);
	vec_push(&c->list, p);
}

/* Depth is that of the YAML tree. */
static void add_map(struct collector *c, const char *prefix, const struct yaml *map, bool is_top)
{
	struct build *b = c->build;
	uint32_t i;

	for (i = 0; i < map->count; i++) {
		const struct yaml *key = yaml_key(map, i), *value = yaml_value(map, i);
		const char *name = key->text;

		if (is_top && strcmp(name, "include") == 0)
			continue;
		if (!is_part(name)) {
			struct diag *diag = diag_add(b->diags, "E0301", yaml_place(key),
				"`%.100s` cannot be the name of a parameter", name);
			diag_label(b->diags, diag, "use letters, digits, `_` and `-`");
			continue;
		}
		if (prefix[0] != '\0')
			name = arena_printf(b->arena, "%s.%s", prefix, name);
		if (value->type == YAML_MAP && value->count > 0)
			add_map(c, name, value, false);
		else
			add_leaf(c, name, value);
	}
}

static void include(struct collector *c, const struct yaml *item)
{
	struct build *b = c->build;
	const struct yaml *root = NULL;
	const char *path;

	if (item->type != YAML_TEXT) {
		diag_add(b->diags, "E0109", yaml_place(item), "`include` must be a list of files");
		return;
	}
	path = path_clean(b->arena, item->text);
	if (path_leaves(path)) {
		diag_add(b->diags, "E0302", yaml_place(item),
			"`%.200s` is outside the project's folder", item->text);
		return;
	}
	if (override_read(b, path, yaml_place(item), &root) == 0)
		add_map(c, "", root, false);
}

static void include_all(struct collector *c, const struct yaml *list)
{
	uint32_t i;

	if (list == NULL || list->type == YAML_NULL)
		return;
	if (list->type == YAML_TEXT)
		include(c, list);
	else if (list->type != YAML_LIST)
		diag_add(c->build->diags, "E0109", yaml_place(list),
			"`include` must be a list of files, not %s", value_type_name(list->type));
	for (i = 0; list->type == YAML_LIST && i < list->count; i++)
		include(c, yaml_item(list, i));
}

static int by_name(const void *a, const void *b)
{
	const struct param *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* `train` beside `train.lr`, or `train.lr` twice: found next to each other but for what sorts
 * before a dot. */
static void check_twice(struct build *b, const struct params *p)
{
	uint32_t i, first;

	for (i = 0; i < p->count; i++) {
		const struct param *a = &p->items[i], *other = NULL;

		if (i > 0 && strcmp(p->items[i - 1].name, a->name) == 0)
			other = &p->items[i - 1];
		else if (params_below(p, a->name, &first) > 0)
			other = &p->items[first];
		if (other != NULL) {
			struct diag *diag = diag_add(b->diags, "E0301", yaml_place(a->standard),
				"the parameter `%.200s` is given twice", a->name);
			diag_note(b->diags, diag, "the other is at %s:%u:%u",
				other->standard->file->name, other->standard->line,
				other->standard->col);
		}
	}
}

int params_read(struct params *p, struct build *b, const struct yaml *map)
{
	struct collector c = { .build = b };
	size_t before = b->diags->count;

	memset(p, 0, sizeof *p);
	if (map != NULL) {
		include_all(&c, yaml_get(map, "include"));
		add_map(&c, "", map, true);
	}
	p->count = (uint32_t)c.list.count;
	p->items = arena_dup(b->arena, c.list.items, c.list.count * sizeof *c.list.items);
	vec_release(&c.list);
	if (p->count > 1)
		qsort(p->items, p->count, sizeof *p->items, by_name);
	check_twice(b, p);
	if (b->diags->count == before)
		override_all(p, b);
	return b->diags->count > before ? ERR_INPUT : 0;
}

/* First leaf whose name is not before `name`. */
static uint32_t lower_bound(const struct params *p, const char *name)
{
	uint32_t low = 0, high = p->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(p->items[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t params_find(const struct params *p, const char *name)
{
	uint32_t at = lower_bound(p, name);

	return at < p->count && strcmp(p->items[at].name, name) == 0 ? at : UINT32_MAX;
}

static bool is_below(const char *name, const char *folder, size_t len)
{
	return strncmp(name, folder, len) == 0 && name[len] == '.';
}

uint32_t params_below(const struct params *p, const char *name, uint32_t *first)
{
	size_t len = strlen(name);
	uint32_t at = lower_bound(p, name), end;

	/* Names such as `train-x` sort between `train` and `train.lr`. */
	while (at < p->count && strncmp(p->items[at].name, name, len) == 0 &&
		(unsigned char)p->items[at].name[len] < '.')
		at++;
	for (end = at; end < p->count && is_below(p->items[end].name, name, len);)
		end++;
	*first = at;
	return end - at;
}

/* The map of leaves [first, end) whose names share `skip` bytes. Depth is that of the names, at
 * most YAML_DEPTH_MAX. */
static struct yaml subtree(
	const struct params *p, uint32_t first, uint32_t end, size_t skip, struct arena *a)
{
	struct yaml *items = arena_alloc(a, (size_t)(end - first) * 2 * sizeof *items);
	struct yaml map = *p->items[first].value;
	uint32_t i, next;

	map.type = YAML_MAP;
	map.items = items;
	map.count = 0;
	for (i = first; i < end; i = next) {
		const char *name = p->items[i].name + skip;
		size_t len = strcspn(name, ".");
		struct yaml *key = &items[(size_t)map.count * 2];

		*key = *value_scalar(a, YAML_TEXT, arena_strndup(a, name, len), p->items[i].value);
		for (next = i + 1; next < end && name[len] == '.' &&
				   is_below(p->items[next].name, p->items[i].name, skip + len);)
			next++;
		key[1] = name[len] == '.' ? subtree(p, i, next, skip + len + 1, a)
					  : *p->items[i].value;
		map.count++;
	}
	return map;
}

const struct yaml *params_tree(const struct params *p, const char *name, struct arena *a)
{
	uint32_t leaf = params_find(p, name), first, count;
	struct yaml map;

	if (leaf != UINT32_MAX)
		return p->items[leaf].value;
	count = params_below(p, name, &first);
	if (count == 0)
		return NULL;
	map = subtree(p, first, first + count, strlen(name) + 1, a);
	return arena_dup(a, &map, sizeof map);
}

const char *params_near(const struct params *p, const char *name, struct arena *a)
{
	struct near near;
	uint32_t i;

	near_start(&near, name);
	for (i = 0; i < p->count; i++) {
		const char *leaf = p->items[i].name, *dot;

		near_offer(&near, leaf);
		for (dot = strchr(leaf, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
			near_offer(&near, arena_strndup(a, leaf, (size_t)(dot - leaf)));
	}
	return near.best;
}
