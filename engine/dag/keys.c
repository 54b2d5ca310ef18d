#include "dag/keys.h"

#include <string.h>

#include "base/near.h"

const struct key_info key_table[] = {
#define KEY(where, name, type, value, help) { KEY_##where, #name, TYPE_##type, value, help },
#include "dag/keys.def"
#undef KEY
};

const size_t key_count = sizeof key_table / sizeof key_table[0];

const struct key_info *key_find(enum key_where where, const char *name)
{
	size_t i;

	for (i = 0; i < key_count; i++)
		if (key_table[i].where == where && key_table[i].name[0] == name[0] &&
			strcmp(key_table[i].name, name) == 0)
			return &key_table[i];
	return NULL;
}

const char *key_nearest(enum key_where where, const char *name)
{
	struct near n;
	size_t i;

	near_start(&n, name);
	for (i = 0; i < key_count; i++)
		if (key_table[i].where == where && key_table[i].type != TYPE_RESERVED)
			near_offer(&n, key_table[i].name);
	return n.best;
}

const char *key_type_name(enum key_type type)
{
	switch (type) {
	case TYPE_TEXT: return "text";
	case TYPE_COMMAND: return "text or a list of words";
	case TYPE_INTEGER: return "a whole number";
	case TYPE_NUMBER: return "a number";
	case TYPE_BOOL: return "true or false";
	case TYPE_DURATION: return "a duration such as 30s, 10m or 2h";
	case TYPE_SIZE: return "a size such as 512M or 2G";
	case TYPE_LIST: return "a list";
	case TYPE_MAP: return "a map";
	case TYPE_RETRY: return "a map or a whole number";
	case TYPE_LIST_OR_MAP: return "a list or a map";
	case TYPE_ANY: return "any value";
	case TYPE_RESERVED: return "not supported by this version";
	}
	return "";
}

const char *key_where_name(enum key_where where)
{
	switch (where) {
	case KEY_TOP: return "dag.yaml";
	case KEY_DEFAULTS: return "`defaults`";
	case KEY_STAGE: return "a stage";
	case KEY_RESOURCES: return "`resources`";
	case KEY_RETRY: return "`retry`";
	case KEY_SCALE: return "`scale`";
	case KEY_OUT: return "an entry of `outs`";
	case KEY_SECRET: return "a secret";
	case KEY_MATRIX: return "`matrix`";
	}
	return "";
}
