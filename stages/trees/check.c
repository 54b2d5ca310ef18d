#include "trees/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "trees/ubjson.h"

#define DEPTH_MAX    16
#define GROUPS_MAX   4096
#define CATEGORY_MAX (1 << 24)
#define UNSAID       (SIZE_MAX - 1)

/* The arrays of a tree, in the order of their names below. */
enum part {
	LEFT,
	RIGHT,
	PARENT,
	COLUMN,
	CONDITION,
	DEFAULT,
	GAIN,
	WEIGHT,
	HESSIAN,
	TYPE,
	CATEGORY,
	CATEGORY_NODE,
	CATEGORY_FIRST,
	CATEGORY_COUNT,
	PARTS
};

static const struct {
	const char *name;
	const char *types; /* that it may have */
} parts[PARTS] = { { "left_children", "l" }, { "right_children", "l" }, { "parents", "l" },
	{ "split_indices", "lL" }, { "split_conditions", "d" }, { "default_left", "U" },
	{ "loss_changes", "d" }, { "base_weights", "d" }, { "sum_hessian", "d" },
	{ "split_type", "U" }, { "categories", "l" }, { "categories_nodes", "l" },
	{ "categories_segments", "L" }, { "categories_sizes", "L" } };

struct tree {
	struct ubjson_value part[PARTS];
	size_t nodes;   /* as tree_param says */
	int64_t number; /* id */
};

struct checking {
	struct ubjson in;
	struct tree *tree; /* the one that is being read; NULL: none */
	size_t trees, groups_listed, features, classes, trees_said;
	int64_t highest_column, highest_group;
	int is_torn;                /* what is said once must be said so twice */
	struct ubjson_text booster; /* another than gbtree; data NULL: none */
	struct fault *fault;
};

static int wrong(struct checking *c, const char *what)
{
	return fault_set(c->fault, "the model is damaged: tree %zu has %s", c->trees, what);
}

static int read_value(struct checking *c, const struct ubjson_text *key, unsigned depth);

/* A node that asks for a category has a list of them; the library ends the process when it has not. */
static int check_types(struct checking *c, const struct tree *t)
{
	const struct ubjson_value *nodes = &t->part[CATEGORY_NODE];
	size_t next = 0;

	for (size_t i = 0; i < t->nodes; i++) {
		int64_t type = ubjson_integer(&t->part[TYPE], i);
		int has_some = next < nodes->count && ubjson_integer(nodes, next) == (int64_t)i;

		if (type != has_some)
			return wrong(c, "a question without its categories");
		next += (size_t)has_some;
	}
	return 0;
}

static int check_categories(struct checking *c, const struct tree *t)
{
	const struct ubjson_value *part = t->part;
	int64_t before = -1;

	if (part[CATEGORY_FIRST].count != part[CATEGORY_NODE].count ||
		part[CATEGORY_COUNT].count != part[CATEGORY_NODE].count ||
		part[TYPE].count != t->nodes)
		return wrong(c, "categories that do not fit together");
	for (size_t i = 0; i < part[CATEGORY_NODE].count; i++) {
		int64_t node = ubjson_integer(&part[CATEGORY_NODE], i);
		int64_t first = ubjson_integer(&part[CATEGORY_FIRST], i);
		int64_t count = ubjson_integer(&part[CATEGORY_COUNT], i);
		int64_t all = (int64_t)part[CATEGORY].count;

		if (node <= before || node >= (int64_t)t->nodes || first < 0 || count < 1 ||
			first > all || count > all - first)
			return wrong(c, "categories that are not there");
		before = node;
	}
	for (size_t i = 0; i < part[CATEGORY].count; i++) {
		int64_t category = ubjson_integer(&part[CATEGORY], i);

		if (category < 0 || category >= CATEGORY_MAX)
			return wrong(c, "a category out of range");
	}
	return check_types(c, t);
}

static int check_node(struct checking *c, const struct tree *t, size_t i)
{
	int64_t left = ubjson_integer(&t->part[LEFT], i);
	int64_t right = ubjson_integer(&t->part[RIGHT], i);
	int64_t parent = ubjson_integer(&t->part[PARENT], i);
	int64_t column = ubjson_integer(&t->part[COLUMN], i), nodes = (int64_t)t->nodes;

	if (i > 0 && (parent < 0 || parent >= (int64_t)i))
		return wrong(c, "a parent that is not there");
	if (left == -1 && right == -1)
		return 0;
	/* Children come after their parent, so no walk goes round; and the library takes the node
	 * behind the left child for the right one. */
	if (left <= (int64_t)i || right != left + 1 || right >= nodes)
		return wrong(c, "a child that is not there");
	if (column < 0)
		return wrong(c, "a column below 0");
	if (column > c->highest_column)
		c->highest_column = column;
	return 0;
}

static int check_tree(struct checking *c, const struct tree *t)
{
	if (t->nodes == 0 || t->nodes == UNSAID || t->number != (int64_t)c->trees)
		return wrong(c, "no nodes, or another number");
	for (int i = 0; i < TYPE; i++)
		if (t->part[i].count != t->nodes)
			return wrong(c, "lists that are not as long as its nodes are many");
	for (size_t i = 0; i < t->nodes; i++)
		if (check_node(c, t, i) < 0)
			return -1;
	return t->part[TYPE].kind != 0 ? check_categories(c, t) : 0;
}

/* The library reads text such as "12" where it needs numbers. */
static size_t number_of(const struct ubjson_text *text)
{
	size_t number = 0;

	for (size_t i = 0; i < text->length; i++) {
		if (text->data[i] < '0' || text->data[i] > '9' || number > (size_t)1 << 32)
			return SIZE_MAX;
		number = number * 10 + (size_t)(text->data[i] - '0');
	}
	return number;
}

static int take_part(
	struct checking *c, const struct ubjson_text *key, const struct ubjson_value *value)
{
	for (int i = 0; c->tree != NULL && i < PARTS; i++) {
		if (!ubjson_is(key, parts[i].name))
			continue;
		if (value->kind != '$' || strchr(parts[i].types, value->type) == NULL)
			return wrong(c, "a list of another type");
		c->tree->part[i] = *value;
	}
	return 0;
}

/* The same name may stand in several places, and which one the library believes is not known. */
static void take_number(struct checking *c, size_t *number, const struct ubjson_text *text)
{
	size_t now = number_of(text);

	if (*number != UNSAID && *number != now)
		c->is_torn = 1;
	*number = now;
}

static void take_text(
	struct checking *c, const struct ubjson_text *key, const struct ubjson_text *text)
{
	if (c->tree != NULL && ubjson_is(key, "num_nodes"))
		take_number(c, &c->tree->nodes, text);
	else if (c->tree == NULL && ubjson_is(key, "num_feature"))
		take_number(c, &c->features, text);
	else if (ubjson_is(key, "num_class"))
		take_number(c, &c->classes, text);
	else if (ubjson_is(key, "num_trees"))
		take_number(c, &c->trees_said, text);
	else if (ubjson_is(key, "name") && (ubjson_is(text, "gblinear") || ubjson_is(text, "dart")))
		c->booster = *text;
}

static int read_object(struct checking *c, unsigned depth)
{
	struct ubjson_text key;
	int more;

	while ((more = ubjson_key(&c->in, &key, c->fault)) == 1)
		if (read_value(c, &key, depth) < 0)
			return -1;
	return more;
}

static int read_tree(struct checking *c, unsigned depth)
{
	struct tree tree = { .nodes = UNSAID, .number = -1 };
	int rc;

	c->tree = &tree;
	rc = read_object(c, depth);
	if (rc == 0)
		rc = check_tree(c, &tree);
	c->tree = NULL;
	c->trees++;
	return rc;
}

static int read_list(
	struct checking *c, const struct ubjson_text *key, size_t count, unsigned depth)
{
	if (ubjson_is(key, "tree_info"))
		c->groups_listed = count;
	for (size_t i = 0; i < count; i++)
		if (read_value(c, key, depth) < 0)
			return -1;
	return 0;
}

static int read_value(struct checking *c, const struct ubjson_text *key, unsigned depth)
{
	struct ubjson_value value;

	if (depth == DEPTH_MAX)
		return fault_set(c->fault, "the model is nested too deep");
	if (ubjson_value(&c->in, &value, c->fault) < 0)
		return -1;
	switch (value.kind) {
	case '{':
		return c->tree == NULL && ubjson_is(key, "trees") ? read_tree(c, depth + 1)
								  : read_object(c, depth + 1);
	case '[': return read_list(c, key, value.count, depth + 1);
	case '$': return take_part(c, key, &value);
	case 'S': take_text(c, key, &value.text); return 0;
	case 'i':
		if (c->tree != NULL && ubjson_is(key, "id"))
			c->tree->number = value.integer;
		if (ubjson_is(key, "tree_info") &&
			(value.integer < 0 || value.integer > c->highest_group))
			c->highest_group = value.integer < 0 ? INT64_MAX : value.integer;
		return 0;
	default: return 0;
	}
}

int check_model(
	struct check_facts *facts, const unsigned char *data, size_t size, struct fault *fault)
{
	struct checking c = { .in = { data, data + size },
		.features = UNSAID,
		.classes = UNSAID,
		.trees_said = UNSAID,
		.highest_column = -1,
		.fault = fault };
	const struct ubjson_text none = { "", 0 };
	size_t groups;

	if (size == 0 || data[0] != '{' || read_value(&c, &none, 0) < 0)
		return size == 0 || data[0] != '{' ? fault_set(fault, "no model of XGBoost's") : -1;
	groups = c.classes > 1 && c.classes != UNSAID ? c.classes : 1;
	if (c.in.at != c.in.end)
		return fault_set(fault, "something follows the model");
	if (c.booster.data != NULL)
		return fault_set(fault, "the model is not of trees: it is '%.*s'",
			(int)c.booster.length, c.booster.data);
	if (c.features == UNSAID || c.trees_said == UNSAID)
		return fault_set(fault, "the model is damaged: it does not say its size");
	if (c.is_torn)
		return fault_set(fault, "the model is damaged: it says two things of its size");
	if (c.trees != c.trees_said || c.trees != c.groups_listed)
		return fault_set(fault, "the model has %zu trees, but it says otherwise", c.trees);
	if (c.features == 0 || c.features > UINT32_MAX || c.highest_column >= (int64_t)c.features ||
		groups > GROUPS_MAX || c.highest_group >= (int64_t)groups)
		return fault_set(fault, "the model is damaged: its trees do not fit its columns");
	*facts = (struct check_facts){ c.features, groups, c.trees };
	return 0;
}
