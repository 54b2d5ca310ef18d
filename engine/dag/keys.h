/*
 * dag/keys.h - the key table of dag.yaml: one row a key.
 *
 * It drives the validator, "did you mean", `flow help dag`, the reference page and, later, the JSON Schema. Rows are in
 * dag/keys.def as KEY(where, name, type, default, help).
 */
#ifndef FLOW_DAG_KEYS_H
#define FLOW_DAG_KEYS_H

#include <stddef.h>

enum key_where { KEY_TOP, KEY_DEFAULTS, KEY_STAGE, KEY_RESOURCES, KEY_RETRY, KEY_SCALE, KEY_OUT, KEY_SECRET, KEY_MATRIX };
enum key_type {
	TYPE_TEXT, TYPE_COMMAND /* text or list of words */, TYPE_INTEGER, TYPE_NUMBER, TYPE_BOOL, TYPE_DURATION, TYPE_SIZE, TYPE_LIST, TYPE_MAP, TYPE_RETRY,
	TYPE_LIST_OR_MAP, TYPE_ANY, TYPE_RESERVED /* known, for a later version: an error that says so */
};

/* KEY_STAGE_cmd and so on: the row of each key in key_table. Those of one `where` follow each other. */
enum key_id {
#define KEY(where, name, type, value, help) KEY_##where##_##name,
#include "dag/keys.def"
#undef KEY
	KEY_COUNT
};

struct key_info {
	enum key_where where;
	const char *name;
	enum key_type type;
	const char *value;  /* the default, as text; "" when there is none */
	const char *help;
};

extern const struct key_info key_table[];
extern const size_t key_count;

const struct key_info *key_find(enum key_where where, const char *name);
const char *key_nearest(enum key_where where, const char *name); /* or NULL */
const char *key_type_name(enum key_type type);
const char *key_where_name(enum key_where where); /* "a stage", "`retry`" ... */

#endif
