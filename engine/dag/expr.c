#include "dag/expr.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/path.h"
#include "base/vec.h"
#include "dag/diag.h"
#include "dag/load.h"
#include "dag/params.h"
#include "dag/secrets.h"
#include "dag/shell.h"
#include "dag/value.h"
#include "dag/yaml.h"

/* One `${...}` while it is looked at. */
struct found {
	const struct yaml *node; /* the text it stands in */
	size_t number;           /* which `${` of that text */
	const char *body;        /* between the braces, in the arena */
};

enum mode { MODE_TEXT, MODE_JSON, MODE_SHELL };

/* To find it the file is read from its start: not for faults that are not kept. */
static struct place place_of(const struct scope *s, const struct found *f)
{
	if (s->build->diags->count == DIAG_MAX)
		return yaml_place(f->node);
	return yaml_place_inside(f->node, f->number, strlen(f->body) + 3);
}

static struct diag *unresolved(struct scope *s, const struct found *f, const char *what)
{
	return diag_add(s->build->diags, "E0307", place_of(s, f), "`${%.200s}`: %s", f->body, what);
}

static void mark_used(struct scope *s, const char *name)
{
	uint32_t first, count = params_below(s->params, name, &first);
	uint32_t leaf = params_find(s->params, name);

	if (s->used == NULL)
		return;
	if (leaf != UINT32_MAX)
		s->used[leaf] = 1;
	if (count > 0)
		memset(s->used + first, 1, count);
}

static const struct yaml *find_param(struct scope *s, const struct found *f, const char *name)
{
	const struct yaml *value = params_tree(s->params, name, s->arena);
	size_t known = s->build->diags->count;
	const char *near = NULL;
	struct diag *diag;

	if (value != NULL) {
		mark_used(s, name);
		return value;
	}
	diag = unresolved(s, f, "there is no such parameter");
	if (s->build->diags->count > known)
		near = params_near(s->params, name, s->arena);
	if (near != NULL)
		diag_label(s->build->diags, diag, "did you mean `${params.%s}`?", near);
	return NULL;
}

const char *expr_process_env(struct build *b, const char *name)
{
	const char *value = NULL;
	struct field source = { 0 };
	struct buf text = { 0 };
	size_t i;

	buf_printf(&text, "env:%s", name);
	source.name = text_pool_string(&b->text, buf_text(&text));
	buf_release(&text);
	if (b->input->getenv != NULL)
		value = b->input->getenv(b->input->user, name);
	for (i = 0; i < b->sources.count; i++)
		if (b->sources.items[i].name == source.name)
			return value;
	source.value = text_pool_string(&b->text, value != NULL ? value : "");
	source.origin = value != NULL ? 0 : text_pool_string(&b->text, "unset");
	vec_push(&b->sources, source);
	return value;
}

void expr_refuse_secret(struct build *b, struct place at, const char *name)
{
	struct diag *diag = diag_add(b->diags, "E0216", at, "`%.100s` is a secret", name);

	diag_label(b->diags, diag,
		"commands, values and `env` are recorded: list it under `secrets` of the stage");
}

static const struct yaml *find_env(struct scope *s, const struct found *f, const char *name)
{
	const char *value = NULL;
	struct diag *diag;
	size_t i;

	for (i = 0; s->env != NULL && i < s->env->count; i++)
		if (strcmp(s->env->items[i].name, name) == 0)
			value = s->env->items[i].value;
	if (value == NULL && secret_is_variable(s->build, name)) {
		expr_refuse_secret(s->build, place_of(s, f), name);
		return NULL;
	}
	if (value == NULL)
		value = expr_process_env(s->build, name);
	if (value != NULL)
		return value_scalar(s->arena, YAML_TEXT, value, f->node);
	diag = diag_add(
		s->build->diags, "E0309", place_of(s, f), "the environment has no `%.100s`", name);
	diag_label(s->build->diags, diag, "set it under `env:`, or before flow is started");
	return NULL;
}

static const struct yaml *find_binding(struct scope *s, const struct found *f,
	const struct bindings *bindings, const char *name, const char *root)
{
	struct diag *diag;
	struct near near;
	size_t i;

	if (bindings == NULL) {
		diag = unresolved(s, f, "it cannot be used here");
		diag_label(s->build->diags, diag, "use it in `cmd`, `with`, `cwd` or `env`");
		return NULL;
	}
	near_start(&near, name);
	for (i = 0; i < bindings->count; i++) {
		if (strcmp(bindings->items[i].name, name) == 0)
			return value_scalar(s->arena, YAML_TEXT, bindings->items[i].value, f->node);
		near_offer(&near, bindings->items[i].name);
	}
	diag = unresolved(s, f, "this stage has nothing of that name");
	if (near.best != NULL)
		diag_label(s->build->diags, diag, "did you mean `${%s.%s}`?", root, near.best);
	else
		diag_label(s->build->diags, diag, "name it: `%s: {%.100s: PATH}`", root, name);
	return NULL;
}

/* `item`, or `item.a.b`: path is "" or "a.b". */
static const struct yaml *find_item(struct scope *s, const struct found *f, const char *path)
{
	const struct yaml *value = s->item;
	struct diag *diag;
	struct near near;
	uint32_t i;

	if (value == NULL) {
		unresolved(s, f, "this stage has neither `foreach` nor `matrix`");
		return NULL;
	}
	while (*path != '\0') {
		size_t len = strcspn(path, ".");
		const char *name = arena_strndup(s->arena, path, len);
		const struct yaml *below = value->type == YAML_MAP ? yaml_get(value, name) : NULL;

		if (below == NULL) {
			diag = unresolved(s, f,
				value->type == YAML_MAP ? "the item has no such field"
							: "the item is not a map");
			near_start(&near, name);
			for (i = 0; value->type == YAML_MAP && i < value->count; i++)
				near_offer(&near, yaml_key(value, i)->text);
			if (near.best != NULL)
				diag_label(s->build->diags, diag, "did you mean `%s`?", near.best);
			return NULL;
		}
		value = below;
		path += len + (path[len] == '.' ? 1 : 0);
	}
	return value;
}

static const struct yaml *unknown_root(struct scope *s, const struct found *f, const char *root)
{
	static const char *const roots[] = { "params", "env", "item", "key", "deps", "outs" };
	const char *near = near_find(root, roots, sizeof roots / sizeof roots[0]);
	struct diag *diag = unresolved(s, f, "nothing of that name can be put here");

	if (strcmp(root, "matrix") == 0)
		near = "item";
	if (params_find(s->params, f->body) != UINT32_MAX)
		diag_label(s->build->diags, diag, "write `${params.%.200s}` for the parameter", f->body);
	else if (near != NULL)
		diag_label(s->build->diags, diag, "did you mean `%s`?", near);
	else
		diag_label(
			s->build->diags, diag, "write `$${%.100s}` for the shell's own", f->body);
	diag_note(s->build->diags, diag,
		"known are params.NAME, env.NAME, item, item.FIELD, key, deps.NAME and outs.NAME");
	return NULL;
}

static const struct yaml *resolve(struct scope *s, const struct found *f)
{
	size_t len = strcspn(f->body, ".");
	const char *root = arena_strndup(s->arena, f->body, len);
	const char *rest = f->body[len] == '.' ? f->body + len + 1 : "";

	if (strcmp(root, "item") == 0)
		return find_item(s, f, rest);
	if (strcmp(root, "key") == 0 && *rest == '\0') {
		if (s->key != NULL)
			return value_scalar(s->arena, YAML_TEXT, s->key, f->node);
		unresolved(s, f, "this stage has neither `foreach` nor `matrix`");
		return NULL;
	}
	if (*rest == '\0')
		return unknown_root(s, f, root);
	if (strcmp(root, "params") == 0)
		return find_param(s, f, rest);
	if (strcmp(root, "env") == 0)
		return find_env(s, f, rest);
	if (strcmp(root, "deps") == 0)
		return find_binding(s, f, s->deps, rest, "deps");
	if (strcmp(root, "outs") == 0)
		return find_binding(s, f, s->outs, rest, "outs");
	return unknown_root(s, f, root);
}

bool expr_present(const char *text)
{
	const char *p = strchr(text, '$');

	return p != NULL && strstr(p, "${") != NULL;
}

/* The body of the expression at p, which points behind `${`. NULL: it is malformed, and that was
 * reported. */
static const char *body_of(struct scope *s, struct found *f, const char *p)
{
	const char *end = strchr(p, '}');
	size_t len = end != NULL ? (size_t)(end - p) : strcspn(p, " \n");
	size_t skip = strspn(p, " \t");
	struct diag *diag;

	if (skip > len)
		skip = len;
	if (end == NULL) {
		f->body = arena_strndup(s->arena, p, len > 200 ? 200 : len);
		diag = diag_add(s->build->diags, "E0306", place_of(s, f), "`${` is never closed");
		diag_label(s->build->diags, diag, "write `$${` for a plain `${`");
		return NULL;
	}
	p += skip;
	len -= skip;
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (len == 0 || p[0] == '.' || p[len - 1] == '.' || name_span(p, "_.-/") < len) {
		f->body = arena_strndup(s->arena, p, len > 200 ? 200 : len);
		diag = diag_add(s->build->diags, "E0306", place_of(s, f),
			"`${%.100s}` is not a name such as ${params.lr}", f->body);
		diag_label(s->build->diags, diag, "write `$${` for a plain `${`");
		return NULL;
	}
	f->body = arena_strndup(s->arena, p, len);
	return end + 1;
}

/* What a value is as text, or NULL after a report. */
static const char *text_of(
	struct scope *s, const struct found *f, const struct yaml *value, enum mode mode)
{
	struct buf json = { 0 };
	const char *text;

	if (value->type == YAML_NULL || (mode == MODE_TEXT && !yaml_is_scalar(value))) {
		diag_add(s->build->diags, "E0308", place_of(s, f),
			"`${%.200s}` is %s and cannot be put here", f->body,
			value_type_name(value->type));
		return NULL;
	}
	if (yaml_is_scalar(value))
		return value->text;
	value_json(&json, value);
	text = buf_in(&json, s->arena);
	buf_release(&json);
	return text;
}

static int put_value(struct scope *s, const struct found *f, const char *text, enum mode mode,
	struct shell *shell, struct buf *out)
{
	struct diag *diag;

	if (mode != MODE_SHELL) {
		buf_str(out, text);
		return 0;
	}
	if (shell_value(shell, out, text) == 0)
		return 0;
	diag = diag_add(s->build->diags, "E0308", place_of(s, f),
		"the value of `${%.200s}` needs quotes, and cannot be quoted safely after %s",
		f->body, shell->why);
	diag_label(s->build->diags, diag, "hand it over through `env:`");
	return -1;
}

static void put_literal(
	struct shell *shell, enum mode mode, const char *text, size_t len, struct buf *out)
{
	if (mode == MODE_SHELL)
		shell_text(shell, out, text, len);
	else
		buf_add(out, text, len);
}

/* Replace every expression of a text. All of them are looked at, so that each fault is reported. */
static int substitute(struct scope *s, const struct yaml *node, enum mode mode, struct buf *out)
{
	struct found f = { .node = node };
	struct shell shell = { 0 };
	const char *p = node->text, *next;
	int rc = 0;

	for (; (next = strstr(p, "${")) != NULL; f.number++) {
		const struct yaml *value = NULL;
		const char *text = NULL;
		bool is_escape = next > p && next[-1] == '$';

		put_literal(&shell, mode, p, (size_t)(next - p) - (is_escape ? 1 : 0), out);
		p = next + 2;
		if (is_escape) {
			put_literal(&shell, mode, "${", 2, out);
			continue;
		}
		next = body_of(s, &f, p);
		if (next == NULL)
			return -1;
		p = next;
		value = resolve(s, &f);
		if (value != NULL)
			text = text_of(s, &f, value, mode);
		if (text == NULL || put_value(s, &f, text, mode, &shell, out) < 0)
			rc = -1;
	}
	put_literal(&shell, mode, p, strlen(p), out);
	return rc;
}

int expr_text(struct scope *s, const struct yaml *node, bool may_be_json, struct buf *out)
{
	if (!expr_present(node->text)) {
		buf_add(out, node->text, node->count);
		return 0;
	}
	return substitute(s, node, may_be_json ? MODE_JSON : MODE_TEXT, out);
}

int expr_shell(struct scope *s, const struct yaml *node, struct buf *out)
{
	if (!expr_present(node->text)) {
		buf_add(out, node->text, node->count);
		return 0;
	}
	return substitute(s, node, MODE_SHELL, out);
}

static const struct yaml *value_of_text(struct scope *s, const struct yaml *node)
{
	struct found f = { .node = node };
	struct buf text = { 0 };
	const struct yaml *value = NULL;
	const char *end;

	if (!expr_present(node->text))
		return node;
	if (node->text[0] == '$' && node->text[1] == '{') {
		end = strchr(node->text, '}');
		if (end != NULL && end[1] == '\0')
			return body_of(s, &f, node->text + 2) != NULL ? resolve(s, &f) : NULL;
	}
	if (substitute(s, node, MODE_JSON, &text) == 0)
		value = value_scalar(s->arena, YAML_TEXT, buf_in(&text, s->arena), node);
	buf_release(&text);
	return value;
}

/* Depth is that of the YAML tree. */
const struct yaml *expr_value(struct scope *s, const struct yaml *node)
{
	size_t count = node->type == YAML_MAP ? (size_t)node->count * 2 : node->count, i;
	struct yaml *items, *copy;
	bool is_good = true;

	if (yaml_is_scalar(node))
		return node->type == YAML_TEXT ? value_of_text(s, node) : node;
	items = arena_alloc(s->arena, count * sizeof *items);
	for (i = 0; i < count; i++) {
		const struct yaml *value = &node->items[i];

		if (node->type != YAML_MAP || i % 2 == 1)
			value = expr_value(s, value);
		if (value != NULL)
			items[i] = *value;
		is_good = is_good && value != NULL;
	}
	copy = arena_dup(s->arena, node, sizeof *node);
	copy->items = items;
	return is_good ? copy : NULL;
}
