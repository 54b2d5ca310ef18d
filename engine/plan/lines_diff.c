#include "plan/lines_diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/vec.h"
#include "plan/key.h"

#define COMPARED_MAX 512 /* lines between the first and the last difference that are matched one by one */
#define COLUMNS_MAX  160 /* bytes of a line that are shown */

struct line {
	const char *text;
	size_t len;
};

struct lines {
	struct line *items;
	size_t count, cap;
};

struct told_lines {
	struct buf text;
	size_t told, left_out;
};

static void split(struct lines *out, const struct part_view *v)
{
	const char *at = v->value, *end = at + v->value_len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct line line = { at, (size_t)((newline != NULL ? newline : end) - at) };

		vec_push(out, line);
		at += line.len + 1;
	}
}

static bool same(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void tell(struct told_lines *t, char sign, const struct line *line)
{
	size_t len = line->len < COLUMNS_MAX ? line->len : COLUMNS_MAX, i;

	if (t->told == LINES_SHOWN) {
		t->left_out++;
		return;
	}
	t->told++;
	buf_char(&t->text, sign);
	buf_char(&t->text, ' ');
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line->text[i];

		buf_char(&t->text, c < 0x20 || c == 0x7f ? ' ' : (char)c);
	}
	buf_str(&t->text, len < line->len ? "...\n" : "\n");
}

static void tell_all(struct told_lines *t, char sign, const struct line *lines, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		tell(t, sign, &lines[i]);
}

/* The longest list of lines that both have stays; table[i][k]: its length from was[i] and is[k] on. */
static void tell_difference(struct told_lines *t, const struct line *was, size_t was_count,
	const struct line *is, size_t is_count)
{
	size_t width = is_count + 1, i, k;
	uint16_t *table = mem_zalloc((was_count + 1) * width * sizeof *table);

	for (i = was_count; i-- > 0;)
		for (k = is_count; k-- > 0;) {
			uint16_t down = table[(i + 1) * width + k], right = table[i * width + k + 1];

			table[i * width + k] =
				same(&was[i], &is[k])
					? (uint16_t)(table[(i + 1) * width + k + 1] + 1)
					: (down > right ? down : right);
		}
	for (i = k = 0; i < was_count || k < is_count;) {
		if (i < was_count && k < is_count && same(&was[i], &is[k])) {
			i++;
			k++;
		} else if (k == is_count ||
			   (i < was_count &&
				   table[(i + 1) * width + k] >= table[i * width + k + 1])) {
			tell(t, '-', &was[i++]);
		} else {
			tell(t, '+', &is[k++]);
		}
	}
	free(table);
}

const char *lines_diff(struct arena *a, const struct part_view *was, const struct part_view *is)
{
	struct told_lines t = { 0 };
	struct lines old = { 0 }, new = { 0 };
	size_t head = 0, tail = 0;
	const char *text = "";

	split(&old, was);
	split(&new, is);
	if (old.count > 1 || new.count > 1) {
		size_t least = old.count < new.count ? old.count : new.count;

		while (head < least && same(&old.items[head], &new.items[head]))
			head++;
		while (tail < least - head &&
			same(&old.items[old.count - 1 - tail], &new.items[new.count - 1 - tail]))
			tail++;
		old.count -= tail + head;
		new.count -= tail + head;
		if (old.count <= COMPARED_MAX && new.count <= COMPARED_MAX) {
			tell_difference(
				&t, old.items + head, old.count, new.items + head, new.count);
		} else {
			tell_all(&t, '-', old.items + head, old.count);
			tell_all(&t, '+', new.items + head, new.count);
		}
		if (t.left_out > 0)
			buf_printf(&t.text, "and %zu more lines\n", t.left_out);
		text = buf_in(&t.text, a);
	}
	buf_release(&t.text);
	vec_release(&old);
	vec_release(&new);
	return text;
}
