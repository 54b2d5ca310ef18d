#include "report/code_changes.h"

#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/vec.h"
#include "plan/key.h"

#define VALUE_MAX  48 /* bytes of a value that are shown */
#define BEFORE_MAX 12 /* of them before the first difference */
#define SHORT_HEX  12

void code_changes_made(struct code_changes *c, const char *path)
{
	(void)map_put(&c->made, path, 0);
}

static const char *kind_of(enum part part)
{
	static const char *const names[] = { "", "format", "param", "input", "code", "command",
		"with", "env", "out", "cwd" };

	return part >= PART_FORMAT && part <= PART_CWD ? names[part] : "other";
}

/* Where two values begin to differ, less some bytes that tell where that is; 0 for short ones. */
static size_t start_of(const struct part_view *a, const struct part_view *b)
{
	size_t n = 0;

	if (a == NULL || b == NULL || (a->value_len <= VALUE_MAX && b->value_len <= VALUE_MAX))
		return 0;
	while (n < a->value_len && n < b->value_len && a->value[n] == b->value[n])
		n++;
	n = n > BEFORE_MAX ? n - BEFORE_MAX : 0;
	while (n > 0 && ((unsigned char)a->value[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* A value as people read it, from `start` on. */
static const char *shown(struct code_changes *c, const struct part_view *v, size_t start)
{
	size_t end, i;
	struct digest d;
	char hex[DIGEST_HEX], *text;

	if (v == NULL)
		return NULL;
	if ((v->part == PART_INPUT || v->part == PART_CODE) && v->value_len == DIGEST_SIZE) {
		memcpy(&d, v->value, sizeof d);
		return arena_strndup(c->arena, digest_hex(&d, hex), SHORT_HEX);
	}
	end = v->value_len - start > VALUE_MAX ? start + VALUE_MAX : v->value_len;
	while (end < v->value_len && end > start && ((unsigned char)v->value[end] & 0xc0) == 0x80)
		end--;
	text = arena_printf(c->arena, "%s%s%s", start > 0 ? "..." : "",
		arena_strndup(c->arena, v->value + start, end - start),
		end < v->value_len ? "..." : "");
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < 0x20)
			text[i] = ' ';
	return text;
}

static void found(
	void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	struct code_changes *c = user;
	const struct part_view *v = is != NULL ? is : was;
	const char *name = arena_strndup(c->arena, v->name, v->name_len), *key;
	struct change_group fresh = { .tasks = 1 };
	size_t start = start_of(was, is);
	uint32_t *at;

	(void)change;
	if (v->part == PART_PARAM || (v->part == PART_INPUT && map_get(&c->made, name) != NULL))
		return;
	fresh.change = (struct change_text){ .task = c->task,
		.kind = kind_of(v->part),
		.name = name,
		.was = shown(c, was, start),
		.is = shown(c, is, start) };
	key = arena_printf(c->arena, "%s\n%s\n%s\n%s", fresh.change.kind, name,
		was != NULL ? fresh.change.was : "", is != NULL ? fresh.change.is : "");
	at = map_put(&c->group_of, key, (uint32_t)c->groups.count);
	if (at != NULL)
		c->groups.items[*at].tasks++;
	else
		vec_push(&c->groups, fresh);
}

void code_changes_add(struct code_changes *c, const char *task, const void *then, size_t then_len,
	const void *now, size_t now_len)
{
	c->task = task;
	parts_diff(then, then_len, now, now_len, found, c);
}

void code_changes_list(const struct code_changes *c, struct text_changes *out)
{
	size_t i;

	for (i = 0; i < c->groups.count; i++) {
		const struct change_group *g = &c->groups.items[i];
		struct change_text change = g->change;

		if (g->tasks > 1)
			change.task = arena_printf(c->arena, "%s (and %zu other%s)", change.task,
				g->tasks - 1, g->tasks == 2 ? "" : "s");
		vec_push(out, change);
	}
}

void code_changes_release(struct code_changes *c)
{
	map_release(&c->group_of);
	map_release(&c->made);
	vec_release(&c->groups);
}
