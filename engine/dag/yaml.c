#include "dag/yaml.h"

#include <string.h>

#include <yaml.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "dag/load.h"
#include "dag/value.h"
#include "dag/yaml_words.h"

struct nodes {
	struct yaml *items;
	size_t count, cap;
};

/* What `&name` stands for. */
struct anchor {
	struct yaml node;
	bool is_open; /* its list or map has not ended: an alias to it would be a circle */
	uint32_t nodes, height;
};

struct anchors {
	struct anchor *items;
	size_t count, cap;
};

/* A list or map that has begun. */
struct frame {
	struct yaml node;
	size_t first;    /* of its children in parser.pending */
	uint32_t before; /* parser.nodes when it began */
	uint32_t height; /* of its highest child */
	uint32_t anchor; /* index + 1; 0: none */
};

struct parser {
	yaml_parser_t yaml;
	struct arena *arena;
	const struct yaml_file *file;
	struct diags *diags;
	struct nodes pending; /* children of open frames, innermost last; at last the root alone */
	struct frame frames[YAML_DEPTH_MAX + 1];
	uint32_t depth;
	uint32_t nodes, expanded;
	uint32_t documents;
	struct map anchor_names;
	struct anchors anchors;
};

static struct place place_at(const struct parser *p, const yaml_mark_t *mark)
{
	return (struct place){ .file = p->file->name,
		.line = (uint32_t)mark->line + 1,
		.col = (uint32_t)mark->column + 1,
		.width = 1 };
}

static uint32_t width_of(const yaml_event_t *event)
{
	if (event->start_mark.line != event->end_mark.line ||
		event->end_mark.column <= event->start_mark.column)
		return 1;
	return (uint32_t)(event->end_mark.column - event->start_mark.column);
}

static struct yaml node_at(const struct parser *p, const yaml_event_t *event, enum yaml_type type)
{
	return (struct yaml){ .file = p->file,
		.line = (uint32_t)event->start_mark.line + 1,
		.col = (uint32_t)event->start_mark.column + 1,
		.width = width_of(event),
		.type = (uint8_t)type };
}

static int fail(struct parser *p, const char *code, const yaml_event_t *event, const char *message,
	const char *label)
{
	struct place at = place_at(p, &event->start_mark);
	struct diag *diag;

	at.width = width_of(event);
	diag = diag_add(p->diags, code, at, "%s", message);
	diag_label(p->diags, diag, "%s", label);
	return ERR_INPUT;
}

static int add(struct parser *p, struct yaml node, uint32_t height)
{
	struct frame *parent = p->depth > 0 ? &p->frames[p->depth - 1] : NULL;

	if (parent != NULL && parent->node.type == YAML_MAP && !yaml_is_scalar(&node) &&
		(p->pending.count - parent->first) % 2 == 0) {
		diag_add(p->diags, "E0101", yaml_place(&node), "a key must be text, not %s",
			value_type_name(node.type));
		return ERR_INPUT;
	}
	if (parent != NULL && parent->height < height)
		parent->height = height;
	vec_push(&p->pending, node);
	return 0;
}

/* Count a node. Too many in all is an error. */
static int count_node(struct parser *p, const yaml_event_t *event)
{
	if (++p->nodes > YAML_NODES_MAX)
		return fail(p, "E0103", event, "the file has more than 20000000 values", "");
	return 0;
}

static uint32_t anchor_new(struct parser *p, const yaml_char_t *name)
{
	struct anchor anchor = { .is_open = true };
	uint32_t *at, index = (uint32_t)p->anchors.count;

	if (name == NULL)
		return 0;
	vec_push(&p->anchors, anchor);
	at = map_put(&p->anchor_names, arena_strdup(p->arena, (const char *)name), index);
	if (at != NULL)
		*at = index;
	return index + 1;
}

static void anchor_close(
	struct parser *p, uint32_t anchor, const struct yaml *node, uint32_t nodes, uint32_t height)
{
	if (anchor != 0)
		p->anchors.items[anchor - 1] =
			(struct anchor){ .node = *node, .nodes = nodes, .height = height };
}

static int on_alias(struct parser *p, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	uint32_t *at = map_get(&p->anchor_names, name);
	const struct anchor *anchor;
	struct yaml node;

	if (at == NULL)
		return fail(p, "E0104", event, "there is no anchor of that name above",
			"mark a value with `&name` before `*name` repeats it");
	anchor = &p->anchors.items[*at];
	if (anchor->is_open)
		return fail(p, "E0104", event, "this alias would contain itself", "");
	p->expanded += anchor->nodes;
	p->nodes += anchor->nodes;
	if (p->expanded > YAML_ALIAS_MAX || anchor->nodes > YAML_ALIAS_MAX)
		return fail(p, "E0103", event, "alias expansion over 10,000 nodes", "");
	if (p->depth + anchor->height > YAML_DEPTH_MAX)
		return fail(p, "E0103", event, "nesting is deeper than 64", "");
	node = anchor->node;
	node.line = (uint32_t)event->start_mark.line + 1;
	node.col = (uint32_t)event->start_mark.column + 1;
	node.width = width_of(event);
	return add(p, node, anchor->height);
}

/* `!!str` and its like say what a plain scalar is anyway; every other tag is refused. */
static int check_tag(
	struct parser *p, const yaml_event_t *event, const yaml_char_t *tag, struct yaml *node)
{
	static const struct {
		const char *tag;
		enum yaml_type type;
	} tags[] = {
		{ YAML_NULL_TAG, YAML_NULL },
		{ YAML_BOOL_TAG, YAML_BOOL },
		{ YAML_INT_TAG, YAML_INT },
		{ YAML_FLOAT_TAG, YAML_FLOAT },
		{ YAML_SEQ_TAG, YAML_LIST },
		{ YAML_MAP_TAG, YAML_MAP },
	};
	const char *name = (const char *)tag;
	size_t i;

	if (tag == NULL)
		return 0;
	if (yaml_is_scalar(node) && (strcmp(name, YAML_STR_TAG) == 0 || strcmp(name, "!") == 0)) {
		node->type = YAML_TEXT;
		return 0;
	}
	for (i = 0; i < sizeof tags / sizeof tags[0]; i++)
		if (strcmp(name, tags[i].tag) == 0 && node->type == tags[i].type)
			return 0;
	return fail(p, "E0105", event, "YAML tags are not used here", "take the `!` part away");
}

static int on_scalar(struct parser *p, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml node = node_at(p, event, YAML_TEXT);
	uint32_t anchor = anchor_new(p, event->data.scalar.anchor);
	int rc;

	if (strlen(text) != len)
		return fail(p, "E0102", event, "text may not contain a NUL character", "");
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		node.type = (uint8_t)value_type_of(text, len);
	rc = check_tag(p, event, event->data.scalar.tag, &node);
	if (rc < 0)
		return rc;
	node.text = arena_strndup(p->arena, text, len);
	node.count = (uint32_t)len;
	anchor_close(p, anchor, &node, 1, 1);
	rc = count_node(p, event);
	return rc < 0 ? rc : add(p, node, 1);
}

static int on_start(struct parser *p, const yaml_event_t *event, enum yaml_type type)
{
	const yaml_char_t *tag, *anchor;
	struct frame *f;
	int rc;

	if (p->depth == YAML_DEPTH_MAX)
		return fail(p, "E0103", event, "nesting is deeper than 64", "");
	tag = type == YAML_LIST ? event->data.sequence_start.tag : event->data.mapping_start.tag;
	anchor = type == YAML_LIST ? event->data.sequence_start.anchor
				   : event->data.mapping_start.anchor;
	f = &p->frames[p->depth];
	*f = (struct frame){ .node = node_at(p, event, type),
		.first = p->pending.count,
		.before = p->nodes,
		.anchor = anchor_new(p, anchor) };
	rc = check_tag(p, event, tag, &f->node);
	if (rc == 0)
		rc = count_node(p, event);
	p->depth++;
	return rc;
}

static int duplicate(struct parser *p, const struct yaml *key, const struct yaml *first)
{
	struct diag *diag = diag_add(
		p->diags, "E0106", yaml_place(key), "the key `%.100s` is given twice", key->text);

	diag_label(p->diags, diag, "second");
	diag_note(p->diags, diag, "the first is at %s:%u:%u", first->file->name, first->line,
		first->col);
	return ERR_INPUT;
}

/* Few keys are compared each with each, many go through a table. */
static int check_keys(struct parser *p, const struct yaml *map)
{
	struct map seen = { 0 };
	uint32_t i, j, *at;
	int rc = 0;

	for (i = 0; i < map->count && rc == 0; i++) {
		const struct yaml *key = yaml_key(map, i), *first = NULL;

		if (map->count > 24) {
			at = map_put(&seen, key->text, i);
			first = at != NULL ? yaml_key(map, *at) : NULL;
		}
		for (j = 0; map->count <= 24 && j < i && first == NULL; j++)
			if (yaml_key(map, j)->count == key->count &&
				memcmp(yaml_key(map, j)->text, key->text, key->count) == 0)
				first = yaml_key(map, j);
		if (first != NULL)
			rc = duplicate(p, key, first);
		if (first == NULL && key->text[0] == '<' && strcmp(key->text, "<<") == 0) {
			struct diag *diag = diag_add(
				p->diags, "E0105", yaml_place(key), "merge keys are not used here");
			diag_label(p->diags, diag,
				"what stages share goes under `defaults:` or `foreach:`");
			rc = ERR_INPUT;
		}
	}
	map_release(&seen);
	return rc;
}

static int on_end(struct parser *p, const yaml_event_t *event)
{
	struct frame *f = &p->frames[--p->depth];
	size_t count = p->pending.count - f->first;

	f->node.items = NULL;
	if (count > 0)
		f->node.items = arena_dup(
			p->arena, p->pending.items + f->first, count * sizeof *p->pending.items);
	f->node.count = (uint32_t)(f->node.type == YAML_MAP ? count / 2 : count);
	p->pending.count = f->first;
	if (f->node.type == YAML_MAP && check_keys(p, &f->node) < 0)
		return ERR_INPUT;
	if (event->start_mark.line + 1 == f->node.line && event->end_mark.column >= f->node.col)
		f->node.width = (uint32_t)event->end_mark.column - f->node.col + 1;
	anchor_close(p, f->anchor, &f->node, p->nodes - f->before, f->height + 1);
	return add(p, f->node, f->height + 1);
}

static int on_event(struct parser *p, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++p->documents > 1)
			return fail(p, "E0105", event, "a file holds one YAML document",
				"a second one begins here");
		return 0;
	case YAML_ALIAS_EVENT: return on_alias(p, event);
	case YAML_SCALAR_EVENT: return on_scalar(p, event);
	case YAML_SEQUENCE_START_EVENT: return on_start(p, event, YAML_LIST);
	case YAML_MAPPING_START_EVENT: return on_start(p, event, YAML_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return on_end(p, event);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT: break;
	}
	return 0;
}

static int parse(struct parser *p)
{
	yaml_event_t event;
	bool at_end = false;
	int rc = 0;

	while (rc == 0 && !at_end) {
		if (yaml_parser_parse(&p->yaml, &event) == 0) {
			yaml_words_add(p->diags, p->file, &p->yaml,
				p->depth > 0 ? &p->frames[p->depth - 1].node : NULL);
			return ERR_INPUT;
		}
		at_end = event.type == YAML_STREAM_END_EVENT;
		rc = on_event(p, &event);
		yaml_event_delete(&event);
	}
	return rc;
}

static struct place place_of_byte(const struct yaml_file *file, size_t at)
{
	struct place place = { .file = file->name, .line = 1, .col = 1, .width = 1 };
	size_t i;

	for (i = 0; i < at; i++) {
		if (file->text[i] == '\n') {
			place.line++;
			place.col = 1;
		} else if (((unsigned char)file->text[i] & 0xc0) != 0x80) {
			place.col++;
		}
	}
	return place;
}

/* UTF-8 without control characters, and not too much of it. */
static int check_text(const struct yaml_file *file, struct diags *d)
{
	const unsigned char *t = (const unsigned char *)file->text;
	struct diag *diag;
	size_t i = 0;

	if (file->len > DAG_TEXT_MAX) {
		diag_add(d, "E0103", (struct place){ .file = file->name },
			"the file is larger than 64M");
		return ERR_INPUT;
	}
	if (file->len >= 2 && ((t[0] == 0xff && t[1] == 0xfe) || (t[0] == 0xfe && t[1] == 0xff))) {
		diag = diag_add(d, "E0102", place_of_byte(file, 0), "the file is UTF-16");
		diag_label(d, diag, "save it as UTF-8");
		return ERR_INPUT;
	}
	while (i < file->len) {
		size_t n = 1;

		if ((t[i] < 0x20 && t[i] != '\n' && t[i] != '\t' && t[i] != '\r') || t[i] == 0x7f) {
			diag_add(d, "E0102", place_of_byte(file, i),
				"the control character 0x%02x is not allowed", t[i]);
			return ERR_INPUT;
		}
		if (t[i] >= 0x80) {
			size_t left = file->len - i;
			char code[5] = { 0 };

			memcpy(code, t + i, left < 4 ? left : 4);
			n = utf8_length(code);
		}
		if (n == 0) {
			diag = diag_add(d, "E0102", place_of_byte(file, i),
				"the byte 0x%02x is not UTF-8", t[i]);
			diag_label(d, diag, "save the file as UTF-8");
			return ERR_INPUT;
		}
		i += n;
	}
	return 0;
}

int yaml_read(
	const struct yaml **root, struct arena *a, const struct yaml_file *file, struct diags *d)
{
	struct parser p = { .arena = a, .file = file, .diags = d };
	const unsigned char *text = (const unsigned char *)file->text;
	size_t bom;
	struct yaml empty = { .text = "", .file = file, .line = 1, .col = 1, .width = 1 };
	int rc = check_text(file, d);

	if (rc < 0)
		return rc;
	bom = file->len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	if (yaml_parser_initialize(&p.yaml) == 0)
		abort(); /* out of memory: as base/mem.h */
	yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p.yaml, text + bom, file->len - bom);
	rc = parse(&p);
	if (rc == 0)
		*root = arena_dup(a, p.pending.count > 0 ? p.pending.items : &empty, sizeof empty);
	yaml_parser_delete(&p.yaml);
	vec_release(&p.pending);
	vec_release(&p.anchors);
	map_release(&p.anchor_names);
	return rc;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
	uint32_t i;

	for (i = 0; i < map->count; i++)
		if (strcmp(yaml_key(map, i)->text, key) == 0)
			return yaml_value(map, i);
	return NULL;
}

struct place yaml_place(const struct yaml *node)
{
	return (struct place){
		.file = node->file->name, .line = node->line, .col = node->col, .width = node->width
	};
}

/* Byte offset of the start of a line, or the text's length. */
static size_t line_start(const struct yaml_file *file, uint32_t line)
{
	const char *p = file->text, *end = file->text + file->len;

	for (; line > 1 && p != NULL && p < end; line--) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p != NULL)
			p++;
	}
	return p != NULL ? (size_t)(p - file->text) : file->len;
}

struct place yaml_place_inside(const struct yaml *node, size_t n, size_t width)
{
	const struct yaml_file *file = node->file;
	struct place found;
	uint32_t col = 1;
	size_t at;

	if (node->line == 0 || file->text == NULL)
		return yaml_place(node);
	at = line_start(file, node->line);
	for (; at < file->len && col < node->col; at++)
		if (at + 1 >= file->len || ((unsigned char)file->text[at + 1] & 0xc0) != 0x80)
			col++;
	for (; at + 1 < file->len; at++)
		if (file->text[at] == '$' && file->text[at + 1] == '{' && n-- == 0)
			break;
	if (at + 1 >= file->len)
		return yaml_place(node);
	found = place_of_byte(file, at);
	found.width = (uint32_t)width;
	return found;
}
