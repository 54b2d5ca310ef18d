/*
 * dag/yaml.h - YAML text as a tree whose every node knows its place.
 *
 *     struct yaml_file file = { "dag.yaml", text, len };
 *     yaml_read(&root, arena, &file, diags)
 * YAML 1.2 core schema: of plain scalars only null, true, false and numbers are typed, all else is
 * text (yes, no, on and off too). One UTF-8 document without tags of its own, merge keys and
 * duplicate keys. Limits: DAG_TEXT_MAX bytes, YAML_DEPTH_MAX deep, YAML_NODES_MAX nodes,
 * YAML_ALIAS_MAX nodes out of aliases; so that recursion over a tree is safe.
 *
 * The tree lives in the arena and refers to *file, which must live as long. Returns 0, or ERR_INPUT
 * and one diagnostic.
 */
#ifndef FLOW_DAG_YAML_H
#define FLOW_DAG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dag/diag.h"

#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 20000000u
#define YAML_ALIAS_MAX 10000u

enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_file {
	const char *name; /* as the user typed it */
	const char *text;
	size_t len;
};

struct yaml {
	union {
		const char *text; /* of a scalar: as written, quotes and escapes undone */
		const struct yaml
			*items; /* of a list: its items; of a map: key, value, key, value ... */
	};
	const struct yaml_file *file;
	uint32_t count; /* bytes of the text; items of a list; pairs of a map */
	uint32_t line, col, width;
	uint8_t type; /* enum yaml_type */
};

int yaml_read(
	const struct yaml **root, struct arena *a, const struct yaml_file *file, struct diags *d);

static inline bool yaml_is_scalar(const struct yaml *node)
{
	return node->type < YAML_LIST;
}

static inline const struct yaml *yaml_item(const struct yaml *list, uint32_t i)
{
	return &list->items[i];
}

static inline const struct yaml *yaml_key(const struct yaml *map, uint32_t i)
{
	return &map->items[(size_t)i * 2];
}

static inline const struct yaml *yaml_value(const struct yaml *map, uint32_t i)
{
	return &map->items[(size_t)i * 2 + 1];
}

/* Value of a key of a map, or NULL. Linear. */
const struct yaml *yaml_get(const struct yaml *map, const char *key);

/* Where a node stands; and where, inside a scalar's source text, its occurrence number n (0
 * first) of `${` stands. */
struct place yaml_place(const struct yaml *node);
struct place yaml_place_inside(const struct yaml *node, size_t n, size_t width);

#endif
