#include "store/config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/near.h"
#include "dag/yaml.h"

#define CONFIG_MAX ((size_t)64 << 10)

const char *const config_names[CONFIG_COUNT + 1] = { "cache.dir", "cache.link", NULL };

static const char *const variables[CONFIG_COUNT] = { "FLOW_CACHE_DIR", "FLOW_CACHE_LINK" };
static const char *const standards[CONFIG_COUNT] = { "", "reflink,hardlink,copy" };
static const char *const link_names[LINK_KINDS] = { "reflink", "hardlink", "copy" };

/* -- values ----------------------------------------------------------------------------------------------------------- */

/* Said already what is wrong; now where. */
static int bad(const char *origin, struct err *e)
{
	err_context(e, "%s", origin);
	return err_id(e, "E0517");
}

static int check_links(
	const char *text, const char *origin, unsigned char links[LINK_KINDS], struct err *e)
{
	const char *whole = text;
	size_t n, count = 0, i;

	memset(links, 0, LINK_KINDS);
	for (;; text += n + 1) {
		n = strcspn(text, ",");
		for (i = 0; i < LINK_KINDS; i++)
			if (strlen(link_names[i]) == n && memcmp(link_names[i], text, n) == 0)
				break;
		if (i == LINK_KINDS || count == LINK_KINDS ||
			memchr(links, (int)i + 1, count) != NULL)
			break;
		links[count++] = (unsigned char)(i + 1);
		if (text[n] == '\0')
			return 0;
	}
	err_set(e, ERR_INPUT,
		"`cache.link` is a list of reflink, hardlink and copy, each once, not `%.60s`",
		whole);
	return bad(origin, e);
}

static int check(struct config *c, enum config_key key, struct err *e)
{
	const struct config_value *v = &c->values[key];

	if (key == CONFIG_CACHE_LINK)
		return check_links(v->text, v->origin, c->links, e);
	if (strlen(v->text) <= 3000)
		return 0;
	err_set(e, ERR_INPUT, "`cache.dir` is too long: `%.60s...`", v->text);
	return bad(v->origin, e);
}

/* -- the files -------------------------------------------------------------------------------------------------------- */

struct file {
	struct arena *arena;
	struct config *config;
	const char *name; /* as it is shown */
};

static const char *place(struct file *f, const struct yaml *node)
{
	return arena_printf(f->arena, "%s:%u", f->name, node->line);
}

static int find_key(struct file *f, const char *name, const struct yaml *at, struct err *e)
{
	const char *near = near_find(name, config_names, CONFIG_COUNT);
	int i;

	for (i = 0; i < CONFIG_COUNT; i++)
		if (strcmp(config_names[i], name) == 0)
			return i;
	err_set(e, ERR_INPUT, "%s: unknown key `%.60s`", place(f, at), name);
	if (near != NULL)
		err_hint(e, "did you mean %s?", near);
	return err_id(e, "E0517");
}

/* A word, or a list of words as one text. */
static const char *text_of(struct file *f, const struct yaml *value)
{
	struct buf words = { 0 };
	const char *text;
	uint32_t i;

	if (yaml_is_scalar(value))
		return value->text;
	if (value->type != YAML_LIST)
		return NULL;
	for (i = 0; i < value->count; i++) {
		if (!yaml_is_scalar(yaml_item(value, i)))
			return NULL;
		if (i > 0)
			buf_char(&words, ',');
		buf_str(&words, yaml_item(value, i)->text);
	}
	text = buf_in(&words, f->arena);
	buf_release(&words);
	return text;
}

static int read_value(struct file *f, const char *name, const struct yaml *key,
	const struct yaml *value, struct err *e)
{
	int found = find_key(f, name, key, e);
	const char *text;

	if (found < 0)
		return e->code;
	text = text_of(f, value);
	if (text == NULL) {
		err_set(e, ERR_INPUT, "`%s` is a text or a list of texts", name);
		return bad(place(f, value), e);
	}
	f->config->values[found] = (struct config_value){ text, place(f, value) };
	return 0;
}

/* Two levels: cache: {dir: ...}. */
static int read_map(struct file *f, const struct yaml *root, struct err *e)
{
	uint32_t i, k;

	for (i = 0; i < root->count; i++) {
		const struct yaml *key = yaml_key(root, i), *value = yaml_value(root, i);

		if (value->type != YAML_MAP && read_value(f, key->text, key, value, e) < 0)
			return e->code;
		for (k = 0; value->type == YAML_MAP && k < value->count; k++) {
			const struct yaml *inner = yaml_key(value, k);

			if (read_value(f, arena_printf(f->arena, "%s.%s", key->text, inner->text),
				    inner, yaml_value(value, k), e) < 0)
				return e->code;
		}
	}
	return 0;
}

static int read_text(struct file *f, const char *text, size_t len, struct err *e)
{
	struct yaml_file *file = arena_zalloc(f->arena, sizeof *file);
	struct diags *diags = arena_zalloc(f->arena, sizeof *diags);
	const struct yaml *root = NULL;

	*file = (struct yaml_file){ f->name, text, len };
	diags->arena = f->arena;
	if (yaml_read(&root, f->arena, file, diags) < 0) {
		err_set(e, ERR_INPUT, "%s:%u: %s", f->name, diags->items[0].line,
			diags->items[0].message);
		return err_id(e, "E0517");
	}
	if (root->type == YAML_NULL)
		return 0;
	if (root->type != YAML_MAP) {
		err_set(e, ERR_INPUT, "it must be a map, as `cache: {dir: ...}`");
		return bad(f->name, e);
	}
	return read_map(f, root, e);
}

static int read_file(struct file *f, int dir, const char *path, struct err *e)
{
	struct buf text = { 0 };
	int rc = file_read(&text, dir, path, CONFIG_MAX, e);

	if (rc == 0)
		rc = read_text(f, buf_in(&text, f->arena), text.len, e);
	else if (rc == ERR_NOTFOUND)
		rc = 0;
	else
		err_context(e, "%s", f->name);
	buf_release(&text);
	return rc;
}

static int read_users_file(struct file *f, struct err *e)
{
	const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (folder != NULL && folder[0] == '/')
		f->name = arena_printf(f->arena, "%s/flow/config.yaml", folder);
	else if (home != NULL && home[0] == '/')
		f->name = arena_printf(f->arena, "%s/.config/flow/config.yaml", home);
	else
		return 0;
	return read_file(f, AT_FDCWD, f->name, e);
}

int config_read(struct config *c, struct arena *a, int flow_fd, struct err *e)
{
	struct file f = { .arena = a, .config = c };
	int i;

	for (i = 0; i < CONFIG_COUNT; i++)
		c->values[i] = (struct config_value){ standards[i], "default" };
	if (read_users_file(&f, e) < 0)
		return e->code;
	f.name = ".flow/config.yaml";
	if (flow_fd >= 0 && read_file(&f, flow_fd, "config.yaml", e) < 0)
		return e->code;
	for (i = 0; i < CONFIG_COUNT; i++) {
		const char *text = getenv(variables[i]);

		if (text != NULL && text[0] != '\0')
			c->values[i] = (struct config_value){ text, variables[i] };
		if (check(c, (enum config_key)i, e) < 0)
			return e->code;
	}
	return 0;
}

/* -- writing ---------------------------------------------------------------------------------------------------------- */

static void put_quoted(struct buf *out, const char *text)
{
	buf_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_char(out, '\'');
		buf_char(out, *text);
	}
	buf_str(out, "'\n");
}

int config_set(struct arena *a, int flow_fd, enum config_key key, const char *value, struct err *e)
{
	struct config c = { .values = { { .text = NULL } } };
	struct file f = { .arena = a, .config = &c, .name = ".flow/config.yaml" };
	struct buf text = { 0 };
	int rc = read_file(&f, flow_fd, "config.yaml", e), i;

	c.values[key] = (struct config_value){ value, config_names[key] };
	if (rc == 0 && value != NULL)
		rc = check(&c, key, e);
	for (i = 0; i < CONFIG_COUNT; i++)
		if (c.values[i].text != NULL) {
			buf_printf(&text, "%s: ", config_names[i]);
			put_quoted(&text, c.values[i].text);
		}
	if (rc == 0)
		rc = file_write_atomic(flow_fd, "config.yaml", buf_text(&text), text.len, 0600, e);
	buf_release(&text);
	return rc;
}
