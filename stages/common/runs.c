#include "common/runs.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "common/fitted.h"

uint32_t runs_hash(const char *text, size_t length, uint32_t size)
{
	return (uint32_t)(XXH3_64bits(text, length) % size);
}

static int is_word_byte(unsigned char c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void make_plain(struct runs *r, const char *text, size_t length)
{
	size_t i = 0;

	r->plain.length = r->bounds.length = 0;
	while (i < length) {
		size_t bound[2];

		while (i < length && !is_word_byte((unsigned char)lower(text[i])))
			i++;
		if (i == length)
			break;
		if (r->plain.length != 0)
			text_add(&r->plain, " ", 1);
		bound[0] = r->plain.length;
		for (; i < length && is_word_byte((unsigned char)lower(text[i])); i++) {
			char c = lower(text[i]);

			text_add(&r->plain, &c, 1);
		}
		bound[1] = r->plain.length;
		text_add(&r->bounds, (const char *)bound, sizeof bound);
	}
}

static void add(struct runs *r, uint32_t cell)
{
	if (r->count == r->room) {
		size_t room = r->room != 0 ? 2 * r->room : 256;
		uint32_t *wider = array_new(room, sizeof *wider);

		if (r->count != 0)
			memcpy(wider, r->cell, r->count * sizeof *wider);
		free(r->cell);
		free(r->times);
		r->cell = wider;
		r->times = array_new(room, sizeof *r->times);
		r->room = room;
	}
	r->cell[r->count++] = cell;
}

static void find_words(struct runs *r, const struct fitted_step *s)
{
	size_t words = r->bounds.length / (2 * sizeof(size_t));
	const size_t *bound = (const size_t *)(const void *)r->bounds.data;

	for (size_t first = 0; first < words; first++)
		for (size_t run = s->low; run <= s->high && first + run <= words; run++) {
			size_t start = bound[2 * first], end = bound[2 * (first + run - 1) + 1];

			add(r, runs_hash(r->plain.data + start, end - start, s->size));
		}
}

void runs_find(struct runs *r, const struct fitted_step *s, const char *text, size_t length)
{
	r->count = 0;
	make_plain(r, text, length);
	if (s->kind != STEP_CHARS) {
		find_words(r, s);
		return;
	}
	for (size_t first = 0; first < r->plain.length; first++)
		for (size_t run = s->low; run <= s->high && first + run <= r->plain.length; run++)
			add(r, runs_hash(r->plain.data + first, run, s->size));
}

static int compare(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

void runs_gather(struct runs *r)
{
	size_t kept = 0;

	if (r->count == 0)
		return;
	qsort(r->cell, r->count, sizeof *r->cell, compare);
	for (size_t i = 0; i < r->count; i++) {
		if (i == 0 || r->cell[i] != r->cell[kept - 1]) {
			r->cell[kept] = r->cell[i];
			r->times[kept++] = 0;
		}
		r->times[kept - 1]++;
	}
	r->count = kept;
}

void runs_release(struct runs *r)
{
	free(r->cell);
	free(r->times);
	text_release(&r->plain);
	text_release(&r->bounds);
	*r = (struct runs){ .cell = NULL };
}
