#include "dag/secrets.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/near.h"
#include "base/vec.h"
#include "dag/build.h"
#include "dag/diag.h"
#include "dag/reader.h"
#include "dag/spec.h"
#include "dag/yaml.h"

#define MARK     "secret:"
#define MARK_LEN (sizeof MARK - 1)

/* In the order of enum secret_kind. */
static const char *const kinds[] = { "env", "file", "command" };

static bool is_variable(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		char c = name[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' &&
			(i == 0 || c < '0' || c > '9'))
			return false;
	}
	return i > 0 && i <= 128 && strncmp(name, "FLOW_", 5) != 0;
}

static void check_one(struct reader *r, const struct yaml *name, const struct yaml *value)
{
	const struct yaml *values[KEY_COUNT];

	if (!is_variable(name->text))
		diag_add(r->diags, "E0112", yaml_place(name),
			"`%.100s` cannot be the name of a secret: it becomes an environment variable",
			name->text);
	if (value->type != YAML_MAP) {
		reader_type(r, value, name->text, "a map: {env: VARIABLE}, {file: PATH} or {command: TEXT}");
		return;
	}
	reader_map(r, value, KEY_SECRET, "a secret", values);
	if (value->count != 1)
		diag_add(r->diags, "E0215", yaml_place(name),
			"the secret `%.100s` has %s of `env`, `file` and `command`", name->text,
			value->count == 0 ? "none" : "more than one");
}

/* A name alone is a list of one. */
static uint32_t listed_count(const struct yaml *list)
{
	return list == NULL ? 0 : yaml_is_scalar(list) ? 1 : list->count;
}

static const struct yaml *listed(const struct yaml *list, uint32_t i)
{
	return yaml_is_scalar(list) ? list : yaml_item(list, i);
}

static void check_listed(struct reader *r, const struct spec *s, const struct yaml *item)
{
	struct diag *diag;
	struct near near;
	uint32_t i;

	if (!yaml_is_scalar(item)) {
		reader_type(r, item, "secrets", "a list of names");
		return;
	}
	near_start(&near, item->text);
	for (i = 0; s->secrets != NULL && i < s->secrets->count; i++) {
		if (strcmp(yaml_key(s->secrets, i)->text, item->text) == 0)
			return;
		near_offer(&near, yaml_key(s->secrets, i)->text);
	}
	diag = diag_add(r->diags, "E0214", yaml_place(item), "there is no secret `%.100s`", item->text);
	if (near.best != NULL)
		diag_label(r->diags, diag, "did you mean `%s`?", near.best);
	else
		diag_label(r->diags, diag, "declare it: `secrets: {NAME: {env: VARIABLE}}` beside `stages`");
}

void secrets_check(struct reader *r, const struct spec *s)
{
	uint32_t i, k;

	for (i = 0; s->secrets != NULL && i < s->secrets->count; i++)
		check_one(r, yaml_key(s->secrets, i), yaml_value(s->secrets, i));
	for (i = 0; i < s->stage_count; i++) {
		const struct yaml *list = s->stages[i].secrets;

		for (k = 0; k < listed_count(list); k++)
			check_listed(r, s, listed(list, k));
	}
}

static void put_one(struct build *b, const struct yaml *name, const struct yaml *value)
{
	const struct yaml *kind = yaml_key(value, 0);
	struct field field = { 0 };
	char origin[300];
	struct buf text = { 0 };

	buf_printf(&text, MARK "%s", name->text);
	field.name = text_pool_string(&b->text, buf_text(&text));
	buf_clear(&text);
	buf_printf(&text, "%s:%s", kind->text, yaml_value(value, 0)->text);
	field.value = text_pool_string(&b->text, buf_text(&text));
	(void)snprintf(origin, sizeof origin, "%.200s:%u", name->file->name, name->line);
	field.origin = text_pool_string(&b->text, origin);
	vec_push(&b->sources, field);
	buf_release(&text);
}

void secrets_put(struct build *b, const struct spec *s)
{
	uint32_t i;

	for (i = 0; s->secrets != NULL && i < s->secrets->count; i++)
		put_one(b, yaml_key(s->secrets, i), yaml_value(s->secrets, i));
}

struct span secrets_of_stage(struct build *b, const struct yaml *list)
{
	struct span span = { .first = (uint32_t)b->words.count };
	uint32_t i;

	for (i = 0; i < listed_count(list); i++)
		vec_push(&b->words, text_pool_string(&b->text, listed(list, i)->text));
	span.count = (uint32_t)b->words.count - span.first;
	return span;
}

static const char *text_of(const struct build *b, uint32_t at)
{
	return text_pool_text(&b->text, at);
}

bool secret_is_named(const struct build *b, const char *name)
{
	size_t i;

	for (i = 0; i < b->sources.count; i++) {
		const char *text = text_of(b, b->sources.items[i].name);

		if (strncmp(text, MARK, MARK_LEN) == 0 && strcmp(text + MARK_LEN, name) == 0)
			return true;
	}
	return false;
}

bool secret_is_variable(const struct build *b, const char *variable)
{
	size_t i;

	for (i = 0; i < b->sources.count; i++) {
		const struct field *f = &b->sources.items[i];

		if (strncmp(text_of(b, f->name), MARK, MARK_LEN) == 0 &&
			strncmp(text_of(b, f->value), "env:", 4) == 0 &&
			strcmp(text_of(b, f->value) + 4, variable) == 0)
			return true;
	}
	return secret_is_named(b, variable);
}

static bool read_kind(const char *value, struct secret *out)
{
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t len = strlen(kinds[i]);

		if (strncmp(value, kinds[i], len) != 0 || value[len] != ':')
			continue;
		out->kind = (enum secret_kind)i;
		out->from = value + len + 1;
		return true;
	}
	return false;
}

bool secret_next(const struct graph *g, uint32_t *at, struct secret *out)
{
	while (*at < g->source_count) {
		const struct field *f = &g->sources[(*at)++];
		const char *name = graph_text(g, f->name);

		if (strncmp(name, MARK, MARK_LEN) != 0 || !read_kind(graph_text(g, f->value), out))
			continue;
		out->name = name + MARK_LEN;
		out->origin = graph_text(g, f->origin);
		return true;
	}
	return false;
}
