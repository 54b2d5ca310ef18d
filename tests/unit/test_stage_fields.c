#include "table/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table/chunk.h"

static uint64_t state = 88172645463325252u;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Character by character, as fields.h says it. */
static size_t find_slowly(struct span *span, const char *text, size_t size, uint64_t *line_ends)
{
	size_t count = 0, start = 0;
	int quoted = 0;

	*line_ends = 0;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"' && quoted && i + 1 < size && text[i + 1] == '"') {
			i++;
		} else if (text[i] == '"' && (quoted || i == start)) {
			quoted = !quoted;
		} else if (!quoted && (text[i] == ',' || text[i] == '\n')) {
			span[count++] = (struct span){ (uint32_t)start, (uint32_t)(i - start) };
			start = i + 1;
			*line_ends += text[i] == '\n';
		}
	}
	if (size > 0 && (start < size || text[size - 1] != '\n')) {
		span[count++] = (struct span){ (uint32_t)start, (uint32_t)(size - start) };
		++*line_ends;
	}
	return count;
}

static void expect_same(const char *text, size_t size, char behind)
{
	struct span want[2000];
	struct chunk chunk = { 0 };
	uint64_t line_ends, lines = 0;
	size_t count = find_slowly(want, text, size, &line_ends);
	enum fields_loops most = fields_of(text, size, ',').loops;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	chunk_reserve(&chunk, size);
	memcpy(chunk.text, text, size);
	memset(chunk.text + size, behind, CHUNK_MARGIN);
	for (unsigned loops = FIELDS_ANY; loops <= most; loops++) {
		struct fields f = fields_of(chunk.text, size, ',');

		f.loops = (enum fields_loops)loops;
		assert_int_equal(fields_find(&f, &chunk), count);
		assert_int_equal(f.line_ends, line_ends);
		assert_int_equal(f.lines, lines);
		assert_int_equal(f.has_quotes, memchr(text, '"', size) != NULL);
		if (count != 0)
			assert_memory_equal(chunk.span, want, count * sizeof *want);
	}
	chunk_release(&chunk);
}

static void all_loops_find_what_is_found_slowly(void **unused)
{
	static const char *const signs[4] = { ",,\na1", ",\n\"a\r", ",abcdef1234567.-\n", ",abcdef\"1234567.-\n" };
	char text[1500];

	(void)unused;
	for (int i = 0; i < 20000; i++) {
		const char *from = signs[i % 4];
		size_t size = draw() % (i % 3 == 0 ? 1500 : 140);

		for (size_t k = 0; k < size; k++)
			text[k] = from[draw() % strlen(from)];
		expect_same(text, size, ",\n\"a"[i % 5 % 4]);
	}
}

static void blocks_that_are_full_have_room(void **unused)
{
	char text[1500];

	(void)unused;
	memset(text, ',', sizeof text);
	for (size_t size = 0; size <= sizeof text; size++)
		expect_same(text, size, ',');
	memset(text, '\n', sizeof text);
	for (size_t size = 0; size <= sizeof text; size++)
		expect_same(text, size, '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_loops_find_what_is_found_slowly),
		cmocka_unit_test(blocks_that_are_full_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
