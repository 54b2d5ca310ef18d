/*
 * A trace as a tree of lines for people.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/units.h"
#include "base/vec.h"
#include "plan/key.h"
#include "report/trace.h"

#define DEPTH_MAX 16 /* levels that are indented; what is deeper gets a section of its own */
#define VALUE_MAX 60 /* bytes of a value that are shown */
#define SHORT_HEX 12
#define DRAWN     UINT32_MAX

struct section_list {
	uint32_t *items; /* inputs */
	size_t count, cap;
};

struct drawer {
	struct trace_lines *out;
	const struct trace *trace;
	struct trace_style style;
	struct arena *arena;
	uint32_t *seen; /* per step: 0 not yet, DRAWN, or the number of its section */
	struct section_list sections;
};

static void add_line(struct drawer *d, const char *branch, const char *text)
{
	struct trace_line line = { branch, text };

	if (d->style.most != 0 && d->out->count >= d->style.most)
		d->out->dropped++;
	else
		vec_push(d->out, line);
}

/* Further work is only counting. */
static bool is_full(const struct drawer *d)
{
	return d->style.most != 0 && d->out->count >= d->style.most;
}

static const char *tee(const struct drawer *d, bool last)
{
	return d->style.utf8 ? (last ? "└─ " : "├─ ") : last ? "`- " : "|- ";
}

static const char *stem(const struct drawer *d, bool last)
{
	return last ? "   " : d->style.utf8 ? "│  " : "|  ";
}

static const char *dots(const struct drawer *d)
{
	return d->style.utf8 ? "…" : "...";
}

static const char *short_hex(struct drawer *d, const struct digest *digest)
{
	char hex[DIGEST_HEX];

	return arena_strndup(d->arena, digest_hex(digest, hex), SHORT_HEX);
}

/* A value on one line, cut: its first line, or less. */
static void put_value(struct drawer *d, struct buf *out, const char *value, size_t len)
{
	size_t n = len < VALUE_MAX ? len : VALUE_MAX, i;

	for (i = 0; i < n && value[i] != '\n'; i++)
		;
	n = i;
	while (n < len && n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80)
		n--;
	for (i = 0; i < n; i++)
		buf_char(out, value[i] == '\0' || value[i] == '\t' ? ' ' : value[i]);
	if (n < len && (n + 1 < len || value[n] != '\n'))
		buf_str(out, dots(d));
}

static void put_part(struct drawer *d, struct buf *out, const struct part_view *v)
{
	struct digest digest;

	if (out->len > 0)
		buf_str(out, "  ");
	if (v->part == PART_CODE && v->value_len == DIGEST_SIZE) {
		memcpy(&digest, v->value, DIGEST_SIZE);
		buf_add(out, v->name, v->name_len);
		buf_char(out, ' ');
		buf_str(out, short_hex(d, &digest));
		return;
	}
	if (v->name_len > 0) {
		buf_add(out, v->name, v->name_len);
		buf_char(out, '=');
	}
	put_value(d, out, v->value, v->value_len);
}

/* All components of a kind on one line, "train.lr=0.003  train.epochs=20"; "" when there are none. */
static void put_parts(struct drawer *d, struct buf *out, const struct trace_step *s, enum part part)
{
	struct part_view view;
	size_t at = 0;

	buf_clear(out);
	while (parts_next(s->parts, s->parts_len, &at, &view))
		if (view.part == part)
			put_part(d, out, &view);
}

static void put_source(struct drawer *d, struct buf *out, const struct run_record *r)
{
	buf_clear(out);
	if (r->commit_id[0] == '\0') {
		buf_printf(out, "no commit%s%s", r->note[0] != '\0' ? ": " : "", r->note);
		return;
	}
	buf_printf(out, "commit %.12s", r->commit_id);
	if (r->branch[0] != '\0')
		buf_printf(out, " (%s)", r->branch);
	if (r->dirty == 0)
		buf_str(out, ", clean");
	else
		buf_printf(
			out, ", dirty: %lld file%s", (long long)r->dirty, r->dirty == 1 ? "" : "s");
	if (!digest_is_zero(&r->patch))
		buf_printf(out, ", patch %s", short_hex(d, &r->patch));
}

static bool same_source(const struct run_record *a, const struct run_record *b)
{
	return strcmp(a->commit_id, b->commit_id) == 0 && a->dirty == b->dirty &&
	       digest_same(&a->patch, &b->patch);
}

/* One property of a step. */
struct property {
	const char *label, *text;
};

#define PROPERTIES_MAX 7

static size_t list_properties(struct drawer *d, const struct trace_step *s,
	const struct trace_step *reader, struct property *list)
{
	static const struct {
		const char *label;
		enum part part;
	} kinds[] = { { "code    ", PART_CODE }, { "params  ", PART_PARAM },
		{ "with    ", PART_WITH }, { "command ", PART_COMMAND }, { "env     ", PART_ENV } };
	const struct run_record *runs = d->trace->runs.items;
	struct buf text = { 0 };
	size_t i, count = 0;

	if (reader == NULL || !same_source(&runs[s->run], &runs[reader->run])) {
		put_source(d, &text, &runs[s->run]);
		list[count++] = (struct property){ "source  ", buf_in(&text, d->arena) };
	}
	if (s->attempt.accepted != 0) /* its reason begins with that word */
		list[count++] = (struct property){ "accepted",
			s->attempt.why + strcspn(s->attempt.why, " ") };
	for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		put_parts(d, &text, s, kinds[i].part);
		if (text.len > 0)
			list[count++] =
				(struct property){ kinds[i].label, buf_in(&text, d->arena) };
	}
	buf_release(&text);
	return count;
}

/* "made by train (019aa3b2-7c1e, attempt 1, 1m52s)" */
static void put_maker(struct drawer *d, struct buf *out, const struct trace_step *s)
{
	const struct attempt_record *a = &s->attempt;
	char took[32];

	buf_printf(out, "made by %s (%s, attempt %lld, %s)", a->task,
		d->trace->runs.items[s->run].name, (long long)a->number,
		took_text(attempt_took_ms(a, a->began_ms), took));
}

static void put_size(struct buf *out, uint64_t size)
{
	char text[UNITS_TEXT];

	buf_printf(out, "  %s", size_text(size, text));
}

static const char *input_text(struct drawer *d, const struct trace_input *in, const char *end)
{
	const struct trace_step *s =
		in->maker < d->trace->steps.count ? &d->trace->steps.items[in->maker] : NULL;
	struct buf out = { 0 };
	char *text;

	buf_printf(&out, "%s  %s", in->path, short_hex(d, &in->digest));
	if (s != NULL && in->folder == NULL)
		put_size(&out, in->size);
	buf_str(&out, "  ");
	if (in->folder != NULL)
		buf_printf(&out, "in %s, ", in->folder);
	if (s != NULL)
		put_maker(d, &out, s);
	else if (in->maker == TRACE_PARTLY)
		buf_str(&out, "(folder)");
	else
		buf_str(&out, in->maker == TRACE_CUT ? "(too many steps)" : "(source)");
	buf_str(&out, end);
	text = buf_in(&out, d->arena);
	buf_release(&out);
	return text;
}

static void draw_step(
	struct drawer *d, uint32_t step, uint32_t reader, const char *lead, unsigned depth);

/* Where the step of an input is shown, if not right below it; "" otherwise. Too deep: it gets a section. */
static const char *elsewhere(struct drawer *d, const struct trace_input *in, unsigned depth)
{
	uint32_t *seen = &d->seen[in->maker];

	if (*seen == DRAWN)
		return " (see above)";
	if (*seen == 0 && depth < DEPTH_MAX) {
		*seen = DRAWN;
		return "";
	}
	if (*seen == 0) {
		vec_push(&d->sections, (uint32_t)(in - d->trace->inputs.items));
		*seen = (uint32_t)d->sections.count;
	}
	return arena_printf(d->arena, " (see [%u])", *seen);
}

/* An input, and below it the step that made it. */
static void draw_input(struct drawer *d, const struct trace_input *in, uint32_t reader,
	const char *lead, bool last, unsigned depth)
{
	bool made = in->maker < d->trace->steps.count;
	const char *where = made ? elsewhere(d, in, depth) : "";

	if (is_full(d))
		d->out->dropped++;
	else
		add_line(d, arena_printf(d->arena, "%s%s", lead, tee(d, last)),
			input_text(d, in, where));
	if (made && where[0] == '\0')
		draw_step(d, in->maker, reader, arena_printf(d->arena, "%s%s", lead, stem(d, last)),
			depth);
}

/* Inputs from first to end; those within a folder hang below it. */
static void draw_inputs(struct drawer *d, uint32_t first, uint32_t end, uint32_t reader,
	const char *lead, unsigned depth)
{
	const struct trace_input *inputs = d->trace->inputs.items;
	uint32_t i, next;

	for (i = first; i < end; i = next) {
		for (next = i + 1;
			next < end && inputs[i].maker == TRACE_PARTLY && inputs[next].within;
			next++)
			;
		draw_input(d, &inputs[i], reader, lead, next == end, depth);
		if (next > i + 1)
			draw_inputs(d, i + 1, next, reader,
				arena_printf(d->arena, "%s%s", lead, stem(d, next == end)), depth);
	}
}

/* What went into a step. Recurses DEPTH_MAX levels at most, whatever the journal holds. */
static void draw_step(
	struct drawer *d, uint32_t step, uint32_t reader, const char *lead, unsigned depth)
{
	const struct trace_step *s = &d->trace->steps.items[step];
	struct property list[PROPERTIES_MAX];
	size_t count = 0, i;

	count = list_properties(
		d, s, reader != TRACE_SOURCE ? &d->trace->steps.items[reader] : NULL, list);
	for (i = 0; i < count; i++)
		add_line(d,
			arena_printf(d->arena, "%s%s", lead,
				tee(d, i + 1 == count && s->input_count == 0)),
			arena_printf(d->arena, "%s %s", list[i].label, list[i].text));
	if (s->input_count == 0)
		return;
	add_line(d, arena_printf(d->arena, "%s%s", lead, tee(d, true)), "inputs");
	draw_inputs(d, s->first_input, s->first_input + s->input_count, step,
		arena_printf(d->arena, "%s%s", lead, stem(d, true)), depth + 1);
}

static void draw_head(struct drawer *d)
{
	const struct artifact_record *a = &d->trace->artifact;
	struct buf out = { 0 };

	buf_printf(&out, "%s  %s", a->path, short_hex(d, &a->made.digest));
	put_size(&out, a->made.size);
	buf_str(&out, "  ");
	put_maker(d, &out, &d->trace->steps.items[0]);
	add_line(d, "", buf_in(&out, d->arena));
	buf_release(&out);
}

void trace_draw(struct trace_lines *out, const struct trace *t, const struct trace_style *style,
	struct arena *a)
{
	struct drawer d = { .out = out, .trace = t, .style = *style, .arena = a };
	size_t i;

	*out = (struct trace_lines){ 0 };
	if (t->steps.count == 0)
		return;
	d.seen = mem_zalloc(t->steps.count * sizeof *d.seen);
	d.seen[0] = DRAWN;
	draw_head(&d);
	draw_step(&d, 0, TRACE_SOURCE, "", 0);
	for (i = 0; i < d.sections.count; i++) {
		const struct trace_input *in = &t->inputs.items[d.sections.items[i]];

		add_line(&d, "", arena_printf(a, "[%zu] %s", i + 1, input_text(&d, in, "")));
		draw_step(&d, in->maker, TRACE_SOURCE, "", 0);
	}
	free(d.seen);
	vec_release(&d.sections);
}
