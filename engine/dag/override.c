#include "dag/override.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/vec.h"
#include "dag/build.h"
#include "dag/diag.h"
#include "dag/load.h"
#include "dag/params.h"
#include "dag/value.h"
#include "dag/yaml.h"

static void add_source(struct build *b, const char *name, const char *value)
{
	struct field source = { .name = text_pool_string(&b->text, name),
		.value = text_pool_string(&b->text, value) };

	vec_push(&b->sources, source);
}

static void note_file(struct build *b, const char *path, const struct buf *text)
{
	char hex[DIGEST_HEX];
	struct digest digest;

	digest_of(&digest, buf_text(text), text->len);
	add_source(b, arena_printf(b->arena, "file:%s", path), digest_hex(&digest, hex));
}

static int read_text(struct build *b, const char *path, struct place from, struct yaml_file *file)
{
	const struct dag_input *in = b->input;
	struct buf text = { 0 };
	struct err e;
	int rc;

	if (in->read == NULL)
		rc = err_set(&e, ERR_NOTFOUND, "files cannot be read here");
	else
		rc = in->read(in->user, path, &text, &e);
	if (rc < 0)
		diag_add(b->diags, "E0302", from, "parameters cannot be read from `%.200s`: %s",
			path, e.text);
	else
		note_file(b, path, &text);
	*file = (struct yaml_file){ .name = arena_strdup(b->arena, path), .len = text.len };
	file->text = rc < 0 ? "" : buf_in(&text, b->arena);
	buf_release(&text);
	return rc < 0 ? -1 : 0;
}

int override_read(struct build *b, const char *path, struct place from, const struct yaml **map)
{
	struct yaml_file *file = arena_alloc(b->arena, sizeof *file);

	if (read_text(b, path, from, file) < 0 || yaml_read(map, b->arena, file, b->diags) < 0)
		return -1;
	if ((*map)->type == YAML_MAP)
		return 0;
	if ((*map)->type == YAML_NULL) { /* an empty file */
		struct yaml empty = **map;

		empty.type = YAML_MAP;
		empty.count = 0;
		*map = arena_dup(b->arena, &empty, sizeof empty);
		return 0;
	}
	diag_add(b->diags, "E0302", yaml_place(*map), "a file of parameters must be a map, not %s",
		value_type_name((*map)->type));
	return -1;
}

static void unknown(struct params *p, struct build *b, const char *name, struct place at)
{
	size_t known = b->diags->count;
	struct diag *diag = diag_add(b->diags, "E0303", at, "unknown parameter `%.200s`", name);
	const char *near;

	if (b->diags->count == known)
		return;
	near = params_near(p, name, b->arena);
	if (near != NULL)
		diag_label(b->diags, diag, "did you mean `%s`?", near);
	else if (p->count == 0)
		diag_label(b->diags, diag, "this pipeline has no parameters");
}

static bool is_good(uint8_t standard, uint8_t value)
{
	return standard == YAML_NULL || standard == value ||
	       (standard == YAML_FLOAT && value == YAML_INT);
}

static void set_leaf(
	struct build *b, struct param *param, const struct yaml *value, const char *origin)
{
	const struct yaml *standard = param->standard;
	struct diag *diag;

	if (!is_good(standard->type, value->type)) {
		diag = diag_add(b->diags, "E0304", yaml_place(value),
			"the parameter `%.200s` is %s, and `%s` is %s", param->name,
			value_type_name(standard->type), value_shown(b->arena, value),
			value_type_name(value->type));
		diag_note(b->diags, diag, "its default is `%s`, at %s:%u",
			value_shown(b->arena, standard), standard->file->name, standard->line);
		return;
	}
	if (standard->type == YAML_FLOAT && value->type == YAML_INT)
		value = value_scalar(b->arena, YAML_FLOAT, value->text, value);
	param->value = value;
	param->origin = origin;
}

/* A leaf takes the value whole; a subtree takes a map, key by key. Depth is that of the YAML
 * tree. */
static void set(struct params *p, struct build *b, const char *name, const struct yaml *value,
	struct place at, const char *origin)
{
	uint32_t leaf = params_find(p, name), first, i;

	if (leaf != UINT32_MAX) {
		if (origin == NULL)
			origin = arena_printf(b->arena, "%s:%u", value->file->name, value->line);
		set_leaf(b, &p->items[leaf], value, origin);
		return;
	}
	if (name[0] != '\0' && params_below(p, name, &first) == 0) {
		unknown(p, b, name, at);
		return;
	}
	if (value->type != YAML_MAP) {
		diag_add(b->diags, "E0304", at, "the parameter `%.200s` is a map, and `%s` is %s",
			name, value_shown(b->arena, value), value_type_name(value->type));
		return;
	}
	for (i = 0; i < value->count; i++) {
		const struct yaml *key = yaml_key(value, i);
		const char *below = key->text;

		if (name[0] != '\0')
			below = arena_printf(b->arena, "%s.%s", name, below);
		set(p, b, below, yaml_value(value, i), yaml_place(key), origin);
	}
}

/* The value of `-p name=value`: as it stands for a text, YAML for everything else. */
static const struct yaml *option_value(
	struct params *p, struct build *b, const char *name, const char *text, const char *origin)
{
	struct yaml_file *file = arena_alloc(b->arena, sizeof *file);
	uint32_t leaf = params_find(p, name);
	const struct yaml *value = NULL;
	struct yaml at = { .file = file };

	*file = (struct yaml_file){ .name = origin, .text = text, .len = strlen(text) };
	if (leaf != UINT32_MAX && p->items[leaf].standard->type == YAML_TEXT)
		return value_scalar(b->arena, YAML_TEXT, text, &at);
	return yaml_read(&value, b->arena, file, b->diags) == 0 ? value : NULL;
}

static void apply_option(struct params *p, struct build *b, const char *option)
{
	const char *equals = strchr(option, '='), *name, *origin;
	const struct yaml *value;
	struct place at;

	if (equals == NULL || equals == option) {
		at = (struct place){ .file = arena_printf(b->arena, "-p %s", option) };
		diag_add(b->diags, "E0305", at, "`-p %.200s` is not NAME=VALUE", option);
		return;
	}
	add_source(b, "set", option);
	name = arena_strndup(b->arena, option, (size_t)(equals - option));
	origin = arena_printf(b->arena, "-p %s", name);
	at = (struct place){ .file = origin };
	value = option_value(p, b, name, equals + 1, origin);
	if (value != NULL)
		set(p, b, name, value, at, origin);
}

void override_all(struct params *p, struct build *b)
{
	const struct dag_input *in = b->input;
	const struct yaml *map;
	struct place from;
	size_t i;

	for (i = 0; i < in->file_count; i++) {
		from = (struct place){ .file = in->files[i] };
		if (override_read(b, in->files[i], from, &map) == 0)
			set(p, b, "", map, from, NULL);
	}
	for (i = 0; i < in->set_count; i++)
		apply_option(p, b, in->sets[i]);
}
