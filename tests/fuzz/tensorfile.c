#include "tensorfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/file.h"
#include "fuzz.h"

#define NOTES_MAX   64
#define METADATA    "{\"__metadata__\":{"
#define HEADER_SIZE 8 /* the header's length */

void tensorfile_keep(struct tensorfile *file, const char *path)
{
	struct mapped written;
	struct fault fault;

	FUZZ_CHECK(mapped_open(&written, path, &fault) == 0);
	file->size = written.size;
	file->data = malloc(file->size);
	FUZZ_CHECK(file->data != NULL);
	memcpy(file->data, written.data, file->size);
	mapped_close(&written);
}

/* The header as it stands: where each note's text lies in it. */
struct notes {
	const char *header;
	size_t length, count;
	size_t from[NOTES_MAX], end[NOTES_MAX];
};

static size_t end_of_text(const struct notes *n, size_t at)
{
	while (n->header[at] != '"')
		at += n->header[at] == '\\' ? 2 : 1;
	return at;
}

/* The file was written by tensors_write(): notes come first, and nothing stands between two. */
static void find_notes(struct notes *n, const struct tensorfile *good)
{
	uint64_t length;
	size_t at = sizeof METADATA - 1;

	memcpy(&length, good->data, HEADER_SIZE);
	*n = (struct notes){ .header = (const char *)good->data + HEADER_SIZE, .length = length };
	if (strncmp(n->header, METADATA, at) != 0)
		return;
	for (; n->count < NOTES_MAX; n->count++) {
		size_t from = end_of_text(n, at + 1) + sizeof "\":\"" - 1;

		n->from[n->count] = from;
		n->end[n->count] = end_of_text(n, from);
		at = n->end[n->count] + 2;
		if (n->header[at - 1] != ',')
			break;
	}
	n->count++;
}

static size_t write_text(char *to, const uint8_t *text, size_t length)
{
	size_t at = 0;

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] == '"' || text[i] == '\\')
			at += (size_t)sprintf(to + at, "\\u%04x", (unsigned)text[i]);
		else
			to[at++] = (char)text[i];
	return at;
}

static void change_notes(struct tensorfile *changed, const struct tensorfile *good, const uint8_t *input, size_t size)
{
	const uint8_t *text[NOTES_MAX] = { NULL };
	size_t length[NOTES_MAX], at = HEADER_SIZE, from = 0;
	struct notes n;
	uint64_t header;

	find_notes(&n, good);
	while (size >= 2 && n.count != 0) {
		size_t which = input[0] % n.count;

		length[which] = input[1] < size - 2 ? input[1] : size - 2;
		text[which] = input + 2;
		size -= 2 + length[which];
		input += 2 + length[which];
	}
	for (size_t i = 0; i < n.count; i++) {
		if (text[i] == NULL)
			continue;
		memcpy(changed->data + at, n.header + from, n.from[i] - from);
		at += n.from[i] - from;
		at += write_text((char *)changed->data + at, text[i], length[i]);
		from = n.end[i];
	}
	memcpy(changed->data + at, n.header + from, n.length - from);
	at += n.length - from;
	header = at - HEADER_SIZE;
	memcpy(changed->data, &header, HEADER_SIZE);
	memcpy(changed->data + at, good->data + HEADER_SIZE + n.length, good->size - HEADER_SIZE - n.length);
	changed->size = at + good->size - HEADER_SIZE - n.length;
}

void tensorfile_change(struct tensorfile *changed, const struct tensorfile *good, const uint8_t *input, size_t size)
{
	changed->data = malloc(good->size + 6 * size);
	FUZZ_CHECK(changed->data != NULL);
	memcpy(changed->data, good->data, good->size);
	changed->size = good->size;
	if (size == 0)
		return;
	if (input[0] % 2 == 0)
		fuzz_patch(changed->data, changed->size, input + 1, size - 1);
	else
		change_notes(changed, good, input + 1, size - 1);
}

void tensorfile_release(struct tensorfile *file)
{
	free(file->data);
	*file = (struct tensorfile){ .data = NULL };
}
