#include "dag/diag.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

static bool same(
	const struct diag *a, const char *code, const struct place *at, const char *message)
{
	return a->line == at->line && a->col == at->col && strcmp(a->code, code) == 0 &&
	       strcmp(a->message, message) == 0 && strcmp(a->file, at->file) == 0;
}

/* The name of a file in the diags' arena: that of the last one when it is the same. */
static const char *keep_file(struct diags *d, const char *file)
{
	if (d->count > 0 && strcmp(d->items[d->count - 1].file, file) == 0)
		return d->items[d->count - 1].file;
	return arena_strdup(d->arena, file);
}

struct diag *diag_add(struct diags *d, const char *code, struct place at, const char *fmt, ...)
{
	const char *message;
	struct diag *diag;
	va_list ap;
	size_t i;

	if (d->count == DIAG_MAX) {
		d->dropped++;
		return &d->spare;
	}
	if (at.file == NULL)
		at.file = "";
	va_start(ap, fmt);
	message = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	for (i = 0; i < d->count; i++)
		if (same(&d->items[i], code, &at, message))
			return &d->items[i];
	diag = &d->items[d->count];
	*diag = (struct diag){ .code = code,
		.file = keep_file(d, at.file),
		.line = at.line,
		.col = at.col,
		.width = at.width > 0 ? at.width : 1,
		.message = message,
		.label = "",
		.note = "" };
	d->count++;
	return diag;
}

void diag_add_err(struct diags *d, const char *code, struct place at, const struct err *e)
{
	struct diag *diag = diag_add(d, e->id[0] != '\0' ? arena_strdup(d->arena, e->id) : code, at, "%s", e->text);

	if (e->hint[0] != '\0')
		diag_note(d, diag, "%s", e->hint);
}

void diag_label(struct diags *d, struct diag *diag, const char *fmt, ...)
{
	va_list ap;

	if (diag == &d->spare)
		return;
	va_start(ap, fmt);
	diag->label = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
}

void diag_note(struct diags *d, struct diag *diag, const char *fmt, ...)
{
	va_list ap;

	if (diag == &d->spare)
		return;
	va_start(ap, fmt);
	diag->note = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
}

/* Whether a is to be shown after b. */
static bool is_after(const struct diag *a, const struct diag *b)
{
	int order = strcmp(a->file, b->file);

	if (order != 0)
		return order > 0;
	if (a->line != b->line)
		return a->line > b->line;
	return a->col > b->col;
}

void diags_sort(struct diags *d)
{
	size_t i, j;

	for (i = 1; i < d->count; i++) {
		struct diag diag = d->items[i];

		for (j = i; j > 0 && is_after(&d->items[j - 1], &diag); j--)
			d->items[j] = d->items[j - 1];
		d->items[j] = diag;
	}
}
