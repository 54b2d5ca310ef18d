#include "common/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *there(void *memory)
{
	if (memory == NULL) {
		(void)fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *array_new(size_t count, size_t size)
{
	return there(calloc(count != 0 ? count : 1, size != 0 ? size : 1));
}

void *array_grown(void *old, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		(void)there(NULL);
	return there(realloc(old, count * size != 0 ? count * size : 1));
}

/* Make place for `more` bytes and a NUL after what is there. */
static void grow(struct text *text, size_t more)
{
	size_t room = text->room != 0 ? text->room : 256;

	if (more > SIZE_MAX / 4 || text->length > SIZE_MAX / 4)
		(void)there(NULL);
	while (room - text->length <= more)
		room *= 2;
	if (room == text->room)
		return;
	text->data = there(realloc(text->data, room));
	text->room = room;
}

char *text_copy(const char *text, size_t length)
{
	return memcpy(array_new(length + 1, 1), text, length);
}

void text_add(struct text *text, const char *data, size_t length)
{
	grow(text, length);
	memcpy(text->data + text->length, data, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_format(struct text *text, const char *format, ...)
{
	char piece[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(piece, sizeof piece, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	if ((size_t)length < sizeof piece) {
		text_add(text, piece, (size_t)length);
		return;
	}
	grow(text, (size_t)length);
	va_start(arguments, format);
	(void)vsnprintf(text->data + text->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)length;
}

void text_release(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}
