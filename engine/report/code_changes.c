#include "report/code_changes.h"

#include "base/arena.h"
#include "base/vec.h"
#include "plan/part_text.h"

void code_changes_made(struct code_changes *c, const char *path)
{
	(void)map_put(&c->made, path, 0);
}

static void found(
	void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	struct code_changes *c = user;
	const struct part_view *v = is != NULL ? is : was;
	const char *name = arena_strndup(c->arena, v->name, v->name_len), *key;
	struct change_group fresh = { .tasks = 1 };
	struct part_texts texts;
	uint32_t *at;

	(void)change;
	if (v->part == PART_PARAM || (v->part == PART_INPUT && map_get(&c->made, name) != NULL))
		return;
	part_texts(&texts, c->arena, was, is);
	fresh.change = (struct change_text){ .task = c->task,
		.kind = part_kind(v->part),
		.name = name,
		.was = was != NULL ? texts.was : NULL,
		.is = is != NULL ? texts.is : NULL };
	key = arena_printf(
		c->arena, "%s\n%s\n%s\n%s", fresh.change.kind, name, texts.was, texts.is);
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
