#include "plan/part_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"

#define SHOWN_MAX  60 /* bytes of a value that are shown */
#define BEFORE_MAX 12 /* of them before the first difference */
#define SHORT_HEX  12

const char *part_kind(enum part part)
{
	static const char *const names[] = { "", "format", "param", "input", "code", "command",
		"with", "env", "out", "cwd", "dep", "secret" };

	return part >= PART_FORMAT && part <= PART_SECRET ? names[part] : "other";
}

static bool is_inside_letter(const struct part_view *v, size_t at)
{
	return at > 0 && at < v->value_len && ((unsigned char)v->value[at] & 0xc0) == 0x80;
}

/* Of two texts of several lines the first line that differs in each: what stands before it is left out, and what follows. */
static void first_lines(struct part_view *was, struct part_view *is)
{
	size_t n = 0, start = 0;
	const char *end;

	if (memchr(was->value, '\n', was->value_len) == NULL &&
		memchr(is->value, '\n', is->value_len) == NULL)
		return;
	for (; n < was->value_len && n < is->value_len && was->value[n] == is->value[n]; n++)
		if (was->value[n] == '\n')
			start = n + 1;
	was->value += start;
	was->value_len -= start;
	is->value += start;
	is->value_len -= start;
	if ((end = memchr(was->value, '\n', was->value_len)) != NULL)
		was->value_len = (size_t)(end - was->value);
	if ((end = memchr(is->value, '\n', is->value_len)) != NULL)
		is->value_len = (size_t)(end - is->value);
}

/* Where to begin: some bytes before the values begin to differ; 0 when both are short or there is only one. */
static size_t start_of(const struct part_view *was, const struct part_view *is)
{
	size_t n = 0;

	if (was == NULL || is == NULL ||
		(was->value_len <= SHOWN_MAX && is->value_len <= SHOWN_MAX))
		return 0;
	while (n < was->value_len && n < is->value_len && was->value[n] == is->value[n])
		n++;
	if (n <= SHOWN_MAX / 2 || (n == was->value_len && n == is->value_len))
		return 0;
	n -= BEFORE_MAX;
	while (is_inside_letter(is, n))
		n--;
	return n;
}

/* A value from `start` on, cut. What could move the cursor is a blank. */
static const char *cut(struct arena *a, const struct part_view *v, size_t start)
{
	size_t end = v->value_len - start > SHOWN_MAX ? start + SHOWN_MAX : v->value_len, i;
	char *text;

	while (is_inside_letter(v, end))
		end--;
	text = arena_strndup(a, v->value + start, end - start);
	for (i = 0; i < end - start; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
	return start == 0 && end == v->value_len ? text
						 : arena_printf(a, "%s%s%s", start > 0 ? "..." : "",
							   text, end < v->value_len ? "..." : "");
}

static const char *text_of(struct arena *a, const struct part_view *v, size_t start)
{
	static const struct digest unknown;
	char hex[DIGEST_HEX];
	struct digest d;

	if (v == NULL)
		return "";
	if ((v->part != PART_INPUT && v->part != PART_CODE) || v->value_len != DIGEST_SIZE)
		return cut(a, v, start);
	memcpy(&d, v->value, sizeof d);
	if (v->part == PART_INPUT && digest_same(&d, &unknown))
		return "made by an upstream task that runs";
	if (v->part == PART_INPUT && digest_same(&d, &key_absent))
		return "absent";
	return arena_strndup(a, digest_hex(&d, hex), SHORT_HEX);
}

void part_texts(struct part_texts *out, struct arena *a, const struct part_view *was,
	const struct part_view *is)
{
	struct part_view old, new;
	size_t start;

	if (was != NULL && is != NULL && is->part == PART_COMMAND) {
		old = *was;
		new = *is;
		first_lines(&old, &new);
		was = &old;
		is = &new;
	}
	start = start_of(was, is);
	out->was = text_of(a, was, start);
	out->is = text_of(a, is, start);
}
