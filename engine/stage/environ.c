#include "stage/environ.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "stage/wire.h"

#define CONTRACT 20 /* entries of the contract beside deps and outs */

/* A block being filled. */
struct filling {
	const struct environ_base *base;
	struct arena *arena;
	char **items;
	size_t count;
};

void environ_init(struct environ_base *base, const char *root)
{
	size_t n = 0;
	char **p;

	while (environ[n] != NULL)
		n++;
	base->root = root;
	base->count = 0;
	base->items = mem_alloc((n + 1) * sizeof *base->items);
	for (p = environ; *p != NULL; p++) {
		if (strncmp(*p, "FLOW_", 5) != 0)
			base->items[base->count++] = *p;
	}
	base->items[base->count] = NULL;
}

/* "NAME=" + folder + "/" + value; folder may be NULL. */
static char *entry_text(struct arena *a, const char *name, const char *folder, const char *value)
{
	size_t name_len = strlen(name), value_len = strlen(value);
	size_t folder_len = folder != NULL ? strlen(folder) + 1 : 0;
	char *text = arena_alloc(a, name_len + 1 + folder_len + value_len + 1), *p = text;

	memcpy(p, name, name_len);
	p += name_len;
	*p++ = '=';
	if (folder != NULL) {
		memcpy(p, folder, folder_len - 1);
		p += folder_len - 1;
		*p++ = '/';
	}
	memcpy(p, value, value_len + 1);
	return text;
}

static void add(struct filling *f, const char *name, const char *value)
{
	f->items[f->count++] = entry_text(f->arena, name, NULL, value);
}

static void add_path(struct filling *f, const char *name, const char *path)
{
	const char *folder = path[0] != '/' && path[0] != '\0' ? f->base->root : NULL;

	f->items[f->count++] = entry_text(f->arena, name, folder, path);
}

static void add_number(struct filling *f, const char *name, unsigned long long n)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%llu", n);
	add(f, name, text);
}

/* The stage's own variables replace inherited ones of the same name. */
static void add_over(struct filling *f, const char *name, const char *value)
{
	size_t i, len = strlen(name);
	char *text = entry_text(f->arena, name, NULL, value);

	for (i = 0; i < f->count; i++) {
		if (strncmp(f->items[i], name, len) == 0 && f->items[i][len] == '=') {
			f->items[i] = text;
			return;
		}
	}
	f->items[f->count++] = text;
}

/* FLOW_DEP_<NAME>: letters upper-cased, whatever a shell would not take becomes '_'. */
static void add_port(struct filling *f, const char *prefix, const struct wire_pair *port)
{
	size_t prefix_len = strlen(prefix), i, len = strlen(port->name);
	char *name = arena_alloc(f->arena, prefix_len + len + 1), *p = name + prefix_len;

	memcpy(name, prefix, prefix_len);
	for (i = 0; i < len; i++) {
		char c = port->name[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		else if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
			c = '_';
		*p++ = c;
	}
	*p = '\0';
	add_path(f, name, port->value);
}

static void add_contract(struct filling *f, const struct wire_start *s)
{
	size_t stage_len = strcspn(s->task, "@");
	uint32_t i;

	add(f, "FLOW_RUN_ID", s->run_id);
	add(f, "FLOW_STAGE", arena_strndup(f->arena, s->task, stage_len));
	add(f, "FLOW_TASK", s->task);
	add_number(f, "FLOW_ATTEMPT_NUMBER", s->attempt);
	add_number(f, "FLOW_SEED", s->seed);
	add_number(f, "FLOW_THREADS", s->threads != 0 ? s->threads : 1);
	if (s->limits.memory_bytes != 0)
		add_number(f, "FLOW_MEMORY", s->limits.memory_bytes);
	add_path(f, "FLOW_METRICS", s->report);
	if (s->workdir[0] != '\0')
		add_path(f, "FLOW_TMPDIR", s->workdir);
	if (s->checkpoint[0] != '\0')
		add_path(f, "FLOW_CHECKPOINT", s->checkpoint);
	for (i = 0; i < s->deps.count; i++)
		add_port(f, "FLOW_DEP_", &s->deps.items[i]);
	for (i = 0; i < s->outs.count; i++)
		add_port(f, "FLOW_OUT_", &s->outs.items[i]);
}

static void add_inherited(struct filling *f, const struct wire_start *s, enum environ_what what)
{
	size_t i;

	for (i = 0; i < f->base->count; i++) {
		char *text = f->base->items[i];

		if (what == ENVIRON_SCRUBBED && strncmp(text, "LD_", 3) == 0)
			continue;
		if (s->workdir[0] != '\0' && strncmp(text, "TMPDIR=", 7) == 0)
			continue;
		f->items[f->count++] = text;
	}
}

char **environ_make(const struct environ_base *base, const struct wire_start *s,
	enum environ_what what, struct arena *a)
{
	struct filling f = { .base = base, .arena = a };
	size_t room = base->count + s->env.count + s->secrets.count + s->deps.count + s->outs.count + CONTRACT;
	uint32_t i;

	f.items = arena_alloc(a, room * sizeof *f.items);
	add(&f, "FLOW_ATTEMPT", s->token); /* first, so that a sweep finds it soon */
	add_inherited(&f, s, what);
	if (s->workdir[0] != '\0')
		add_path(&f, "TMPDIR", s->workdir);
	for (i = 0; i < s->env.count; i++)
		add_over(&f, s->env.items[i].name, s->env.items[i].value);
	for (i = 0; i < s->secrets.count; i++)
		add_over(&f, s->secrets.items[i].name, s->secrets.items[i].value);
	add_contract(&f, s);
	f.items[f.count] = NULL;
	return f.items;
}

const char *environ_get(char *const *block, const char *name)
{
	size_t len = strlen(name);

	for (; *block != NULL; block++) {
		if (strncmp(*block, name, len) == 0 && (*block)[len] == '=')
			return *block + len + 1;
	}
	return NULL;
}
