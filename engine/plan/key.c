#include "plan/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/vec.h"
#include "dag/graph.h"

#define RECORD_HEAD 7u
#define TEXT_OF(n)  #n
#define QUOTED(n)   TEXT_OF(n)
#define FORMAT      QUOTED(KEY_FORMAT)

const struct digest key_absent = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static void put(struct buf *out, enum part part, const char *name, const void *value, size_t len)
{
	size_t name_len = strlen(name);
	unsigned char head[RECORD_HEAD] = { (unsigned char)part, (unsigned char)name_len,
		(unsigned char)(name_len >> 8), (unsigned char)len, (unsigned char)(len >> 8),
		(unsigned char)(len >> 16), (unsigned char)(len >> 24) };

	buf_add(out, head, sizeof head);
	buf_add(out, name, name_len);
	buf_add(out, value, len);
}

static void put_text(struct buf *out, enum part part, const char *name, const char *value)
{
	put(out, part, name, value, strlen(value));
}

static void put_fields(struct buf *out, enum part part, const struct graph *g, struct span span)
{
	uint32_t i;

	for (i = 0; i < span.count; i++) {
		const struct field *f = &g->fields[span.first + i];

		put_text(out, part, graph_text(g, f->name), graph_text(g, f->value));
	}
}

/* What is stored sorted by name, whatever order it comes in. */
struct named {
	const char *name;
	const void *value;
	size_t len;
};

struct named_list {
	struct named few[16], *items;
	size_t count;
};

static void list_open(struct named_list *l, size_t room)
{
	l->items = l->few;
	l->count = 0;
	if (room > sizeof l->few / sizeof *l->few)
		l->items = mem_grow(NULL, room, sizeof *l->items);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* The same name twice is kept once. */
static void list_put(struct named_list *l, struct buf *out, enum part part)
{
	size_t i;

	if (l->count > 1)
		qsort(l->items, l->count, sizeof *l->items, by_name);
	for (i = 0; i < l->count; i++)
		if (i == 0 || strcmp(l->items[i].name, l->items[i - 1].name) != 0)
			put(out, part, l->items[i].name, l->items[i].value, l->items[i].len);
	if (l->items != l->few)
		free(l->items);
}

static void put_inputs(struct buf *out, const struct key_subject *s)
{
	const struct graph *g = s->graph;
	struct span deps = g->nodes[s->node].deps;
	struct named_list list;
	uint32_t i;

	list_open(&list, deps.count);
	for (i = 0; i < deps.count; i++)
		list.items[list.count++] =
			(struct named){ graph_text(g, g->deps[deps.first + i].path),
				s->inputs[i]->bytes, DIGEST_SIZE };
	list_put(&list, out, PART_INPUT);
}

static void put_code(struct buf *out, const struct key_subject *s)
{
	struct named_list list;
	size_t i;

	list_open(&list, s->code_count);
	for (i = 0; i < s->code_count; i++)
		list.items[list.count++] =
			(struct named){ s->code[i].name, s->code[i].digest->bytes, DIGEST_SIZE };
	list_put(&list, out, PART_CODE);
}

/* A plugin or script asks for its inputs by name: which path bears which name counts too. */
static void put_roles(struct buf *out, const struct graph *g, const struct node *n)
{
	struct named_list list;
	uint32_t i;

	list_open(&list, n->deps.count);
	for (i = 0; i < n->deps.count; i++) {
		const struct dep *d = &g->deps[n->deps.first + i];
		const char *name = graph_text(g, d->name), *path = graph_text(g, d->path);

		if (strcmp(name, path) != 0)
			list.items[list.count++] = (struct named){ name, path, strlen(path) };
	}
	list_put(&list, out, PART_ROLE);
}

/* An explicit argv and the same words as shell text are different commands: the words are joined by NULs. */
static void put_command(struct buf *out, const struct graph *g, const struct node *n)
{
	struct buf words = { 0 };
	uint32_t i;

	if (n->argv.count == 0) {
		put_text(out, PART_COMMAND, "", graph_text(g, n->text));
		return;
	}
	for (i = 0; i < n->argv.count; i++) {
		if (i > 0)
			buf_char(&words, '\0');
		buf_str(&words, graph_text(g, g->words[n->argv.first + i]));
	}
	put(out, PART_COMMAND, "", buf_text(&words), words.len);
	if (n->argv.count == 1 && strpbrk(buf_text(&words), " \t\n\"'\\|&;<>()$`*?") != NULL)
		put_text(out, PART_COMMAND, "words",
			"1"); /* "a b", a program's name, is not `a b` */
	buf_release(&words);
}

static void put_word(struct buf *value, const char *word)
{
	if (word[0] != '\0') {
		buf_char(value, '\0');
		buf_str(value, word);
	}
}

/* In dag.yaml's order: that of the recorded outs. */
static void put_outs(struct buf *out, const struct graph *g, const struct node *n)
{
	static const char *const kinds[] = { "", "temp", "checkpoint" };
	struct buf value = { 0 };
	uint32_t i;

	for (i = 0; i < n->outs.count; i++) {
		const struct out *o = &g->outs[n->outs.first + i];

		buf_clear(&value);
		buf_str(&value, graph_text(g, o->path));
		put_word(&value, kinds[o->kind <= OUT_CHECKPOINT ? o->kind : 0]);
		put_word(&value, (o->flags & OUT_OPTIONAL) != 0 ? "optional" : "");
		put_word(&value, (o->flags & OUT_METRICS) != 0 ? "metrics" : "");
		put(out, PART_OUT, graph_text(g, o->name), buf_text(&value), value.len);
	}
	buf_release(&value);
}

static void put_secrets(struct buf *out, const struct graph *g, const struct stage *stage)
{
	struct named_list list;
	uint32_t i;

	list_open(&list, stage->secrets.count);
	for (i = 0; i < stage->secrets.count; i++)
		list.items[list.count++] = (struct named){
			graph_text(g, g->words[stage->secrets.first + i]), "secret", 6 };
	list_put(&list, out, PART_SECRET);
}

void key_parts(struct buf *out, const struct key_subject *s)
{
	static const char *const kinds[] = { "cmd local " FORMAT, "plugin local " FORMAT,
		"lua local " FORMAT, "lua local " FORMAT };
	const struct graph *g = s->graph;
	const struct node *n = &g->nodes[s->node];
	const struct stage *stage = &g->stages[n->stage];

	put_text(out, PART_FORMAT, "", kinds[stage->kind]);
	put_fields(out, PART_PARAM, g, n->params);
	put_inputs(out, s);
	put_code(out, s);
	if (stage->kind == STAGE_CMD || stage->kind == STAGE_INLINE)
		put_command(out, g, n);
	if ((stage->flags & STAGE_UNSAFE) != 0)
		put_text(out, PART_COMMAND, "unsafe", "true");
	put_fields(out, PART_WITH, g, n->with);
	put_fields(out, PART_ENV, g, n->env);
	put_outs(out, g, n);
	if (graph_text(g, n->cwd)[0] != '\0')
		put_text(out, PART_CWD, "", graph_text(g, n->cwd));
	put_roles(out, g, n);
	put_secrets(out, g, stage);
}

void key_digest(struct digest *key, const struct buf *parts)
{
	digest_of(key, buf_text(parts), parts->len);
}

bool parts_next(const void *data, size_t len, size_t *at, struct part_view *view)
{
	const unsigned char *p;

	if (*at >= len)
		return false;
	p = (const unsigned char *)data + *at;
	if (len - *at < RECORD_HEAD)
		goto damaged;
	view->part = (enum part)p[0];
	view->name_len = (size_t)p[1] | (size_t)p[2] << 8;
	view->value_len =
		(size_t)p[3] | (size_t)p[4] << 8 | (size_t)p[5] << 16 | (size_t)p[6] << 24;
	if (len - *at - RECORD_HEAD < view->name_len + view->value_len)
		goto damaged;
	view->name = (const char *)p + RECORD_HEAD;
	view->value = view->name + view->name_len;
	*at += RECORD_HEAD + view->name_len + view->value_len;
	return true;
damaged:
	*at = len + 1;
	return false;
}

int part_order(const struct part_view *a, const struct part_view *b)
{
	size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order;

	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	order = memcmp(a->name, b->name, n);
	if (order != 0)
		return order;
	return a->name_len == b->name_len ? 0 : a->name_len < b->name_len ? -1 : 1;
}

bool part_same_value(const struct part_view *a, const struct part_view *b)
{
	return a->value_len == b->value_len && memcmp(a->value, b->value, a->value_len) == 0;
}

/* The records of the outs, which stand together; their length. */
static size_t outs_of(const void *data, size_t len, const char **first)
{
	struct part_view view;
	size_t at = 0, begin, count = 0;

	*first = data;
	for (begin = at; parts_next(data, len, &at, &view); begin = at) {
		if (view.part != PART_OUT)
			continue;
		if (count == 0)
			*first = (const char *)data + begin;
		count += at - begin;
	}
	return count;
}

bool parts_same_outs(const void *then, size_t then_len, const void *now, size_t now_len)
{
	const char *a, *b;
	size_t n = outs_of(then, then_len, &a);

	return n == outs_of(now, now_len, &b) && (n == 0 || memcmp(a, b, n) == 0);
}

/* Records in order of (part, name): outs are stored in dag.yaml's order, everything else is sorted already. */
struct views {
	struct part_view *items;
	size_t count, cap;
};

static int by_order(const void *a, const void *b)
{
	return part_order(a, b);
}

static void collect(struct views *v, const void *data, size_t len)
{
	struct part_view view;
	size_t at = 0;

	while (parts_next(data, len, &at, &view))
		vec_push(v, view);
	if (v->count > 1)
		qsort(v->items, v->count, sizeof *v->items, by_order);
}

void parts_compare(const void *then, size_t then_len, const void *now, size_t now_len,
	part_found *found, void *user)
{
	struct views a = { 0 }, b = { 0 };
	size_t i = 0, k = 0;

	collect(&a, then, then_len);
	collect(&b, now, now_len);
	while (i < a.count || k < b.count) {
		int order = i == a.count   ? 1
			    : k == b.count ? -1
					   : part_order(&a.items[i], &b.items[k]);

		if (order < 0) {
			found(user, CHANGE_REMOVED, &a.items[i++], NULL);
		} else if (order > 0) {
			found(user, CHANGE_ADDED, NULL, &b.items[k++]);
		} else {
			found(user,
				part_same_value(&a.items[i], &b.items[k]) ? CHANGE_NONE : CHANGE_VALUE,
				&a.items[i], &b.items[k]);
			i++;
			k++;
		}
	}
	vec_release(&a);
	vec_release(&b);
}

/* Hands on all but what is the same. */
struct filter {
	part_found *found;
	void *user;
};

static void pass_changes(
	void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	struct filter *f = user;

	if (change != CHANGE_NONE)
		f->found(f->user, change, was, is);
}

void parts_diff(const void *then, size_t then_len, const void *now, size_t now_len,
	part_found *found, void *user)
{
	struct filter f = { found, user };

	parts_compare(then, then_len, now, now_len, pass_changes, &f);
}
