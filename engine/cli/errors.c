#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/cmd.h"
#include "cli/screen.h"
#include "dag/diag.h"

#define SOURCE_MAX  ((size_t)64 << 20)
#define TAB         8u
#define PLAIN_WIDTH 120u /* of a source line when there is no terminal to say */

/* The text of the file last asked for, so that twenty faults of one file read it once. */
struct sources {
	const char *folder; /* where relative names that are not the dag's start */
	const char *dag;
	const char *name; /* NULL: none yet */
	struct buf text;
	struct arena arena;
};

/* A source line as it will be shown: tabs expanded, foreign characters replaced. */
struct shown {
	struct buf text;
	unsigned from, to; /* columns to underline, 0-based */
};

static void open_source(struct sources *s, const char *name)
{
	const char *path = name;
	struct err e;

	if (s->name != NULL && strcmp(s->name, name) == 0)
		return;
	s->name = name;
	buf_clear(&s->text);
	if (s->dag != NULL && strcmp(name, s->dag) != 0)
		path = path_join(&s->arena, s->folder, name);
	(void)file_read(&s->text, AT_FDCWD, path, SOURCE_MAX, &e);
}

/* Line `line` of the file, without its end; NULL: it has none. */
static const char *source_line(struct sources *s, uint32_t line, size_t *len)
{
	const char *at = buf_text(&s->text), *end = at + s->text.len, *stop;

	while (at < end && --line > 0) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL)
			return NULL;
		at++;
	}
	if (at >= end)
		return NULL;
	stop = memchr(at, '\n', (size_t)(end - at));
	*len = (size_t)((stop != NULL ? stop : end) - at);
	if (*len > 0 && at[*len - 1] == '\r')
		--*len;
	return at;
}

/* Expand one character; returns its columns. */
static unsigned show_one(struct screen *part, const char *s, size_t *len, unsigned at)
{
	char one[8] = "";
	size_t before = part->text.len;
	unsigned width;

	if (*s == '\t') {
		*len = 1;
		width = TAB - at % TAB;
		buf_repeat(&part->text, ' ', width);
		return width;
	}
	(void)text_step(s, len);
	memcpy(one, s, *len < sizeof one ? *len : sizeof one - 1);
	screen_foreign(part, one);
	return text_columns(buf_text(&part->text) + before);
}

static void show_line(struct shown *shown, const char *s, size_t size, uint32_t col, uint32_t width)
{
	struct screen part = { 0 };
	unsigned at = 0;
	uint32_t n = 1;
	size_t len, i;

	shown->from = shown->to = 0;
	for (i = 0; i < size; i += len, n++) {
		if (n == col)
			shown->from = at;
		at += show_one(&part, s + i, &len, at);
		if (n >= col && n - col < width)
			shown->to = at;
	}
	if (n <= col)
		shown->from = at + (n == col ? 0 : 1);
	if (shown->to <= shown->from)
		shown->to = shown->from + 1;
	shown->text = part.text;
}

/* Cut a line that is too wide for the screen so that what is underlined can be seen. */
static void fit_line(struct shown *shown, unsigned room)
{
	unsigned total = text_columns(buf_text(&shown->text)), skip, at = 0, kept = 0;
	const char *s = buf_text(&shown->text);
	struct buf cut = { 0 };
	size_t len;

	if (total <= room || room < 20)
		return;
	skip = shown->to > room - 4
		       ? shown->from - (shown->from < room / 3 ? shown->from : room / 3)
		       : 0;
	buf_str(&cut, skip > 0 ? "..." : "");
	kept = skip > 0 ? 3 : 0;
	for (; *s != '\0' && kept < room - 4; s += len) {
		unsigned width = text_step(s, &len);

		if (at >= skip) {
			buf_add(&cut, s, len);
			kept += width;
		}
		at += width;
	}
	buf_str(&cut, *s != '\0' ? "..." : "");
	buf_release(&shown->text);
	shown->text = cut;
	if (skip > 0) {
		shown->from = shown->from - skip + 3;
		shown->to = shown->to - skip + 3;
	}
	if (shown->to > room)
		shown->to = room > shown->from ? room : shown->from + 1;
}

static void put_head(struct screen *o, const char *id, const char *message)
{
	struct screen part = *o;

	part.text = (struct buf){ 0 };
	screen_paint(&part, PAINT_RED, "error");
	if (id[0] != '\0')
		screen_printf(&part, "[%s]", id);
	screen_str(o, buf_text(&part.text));
	buf_release(&part.text);
	screen_str(o, ": ");
	screen_foreign(o, message);
	screen_str(o, "\n");
}

/* Columns that the number of its line takes. */
static unsigned gutter_of(const struct diag *d)
{
	uint32_t line = d->line;
	unsigned width = 1;

	while ((line /= 10) > 0)
		width++;
	return width;
}

/* The lines under the head: where it is, the source line, and a mark under what is meant. */
static void put_place(struct screen *o, struct sources *s, const struct diag *d)
{
	unsigned gutter = gutter_of(d), room = o->tty ? o->columns : PLAIN_WIDTH;
	struct shown shown;
	const char *line;
	size_t len = 0;

	if (d->file[0] == '\0')
		return;
	screen_printf(o, "%*s", (int)gutter, "");
	screen_paint(o, PAINT_BLUE, "-->");
	screen_str(o, " ");
	screen_foreign(o, d->file);
	if (d->line > 0)
		screen_printf(o, d->col > 0 ? ":%u:%u" : ":%u", d->line, d->col);
	screen_str(o, "\n");
	open_source(s, d->file);
	line = d->line > 0 ? source_line(s, d->line, &len) : NULL;
	if (line == NULL)
		return;
	show_line(&shown, line, len, d->col, d->width);
	fit_line(&shown, room > gutter + 4 ? room - gutter - 4 : 0);
	screen_printf(o, "%*s |\n%u | %s\n", (int)gutter, "", d->line, buf_text(&shown.text));
	buf_release(&shown.text);
	if (d->col == 0)
		return;
	screen_printf(o, "%*s | %*s", (int)gutter, "", (int)shown.from, "");
	while (shown.from++ < shown.to)
		screen_paint(o, PAINT_RED, "^");
	screen_str(o, d->label[0] != '\0' ? " " : "");
	screen_foreign(o, d->label);
	screen_str(o, "\n");
}

/* ` = note: ...`, a line of its own for each line of the text. */
static void put_note(struct screen *o, const struct diag *d, const char *word, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		struct buf line = { 0 };

		buf_add(&line, text, len);
		screen_printf(o, "%*s = %s: ", (int)gutter_of(d), "", word);
		screen_foreign(o, buf_text(&line));
		screen_str(o, "\n");
		buf_release(&line);
		text += len + (text[len] == '\n');
	}
}

static void sources_release(struct sources *s)
{
	buf_release(&s->text);
	arena_release(&s->arena);
}

void screen_err(struct screen *o, const struct err *e)
{
	struct diag d = {
		.file = e->file, .line = e->line, .col = e->col, .width = 1, .label = ""
	};
	struct sources s = { 0 };

	put_head(o, e->id, e->text);
	put_place(o, &s, &d);
	put_note(o, &d, "help", e->hint);
	sources_release(&s);
}

static void put_count(struct screen *o, const struct diags *d)
{
	size_t i, total = d->count + d->dropped, files = 1;

	for (i = 1; i < d->count; i++)
		files += strcmp(d->items[i].file, d->items[i - 1].file) != 0;
	screen_printf(o, "%zu error%s in ", total, total == 1 ? "" : "s");
	if (files == 1)
		screen_foreign(o, d->items[0].file);
	else
		screen_printf(o, "%zu files", files);
	if (d->dropped > 0)
		screen_printf(o, "; the first %zu are shown", d->count);
	screen_str(o, "\n");
}

void screen_diags(struct screen *o, struct diags *d, const char *dag)
{
	struct sources s = { .dag = dag };
	size_t i;

	s.folder = path_folder(&s.arena, dag);
	diags_sort(d);
	for (i = 0; i < d->count; i++) {
		put_head(o, d->items[i].code, d->items[i].message);
		put_place(o, &s, &d->items[i]);
		put_note(o, &d->items[i], "note", d->items[i].note);
		screen_str(o, "\n");
	}
	if (d->count > 0)
		put_count(o, d);
	sources_release(&s);
}
