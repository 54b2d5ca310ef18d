/*
 * common/text.h - memory that is there, and text that grows.
 *
 *     struct text t = { 0 };  text_add(&t, "x", 1);  text_format(&t, "%d", 1);
 *     ...t.data, t.length...  text_release(&t);
 *
 * A zeroed text is ready for use; after any call that adds, data[length] is NUL. Memory that is not
 * there ends the process with one line on standard error: it is the attempt's own process, so only
 * the attempt fails. Sizes that a file or an option gives are checked by whoever reads them, before
 * they come here.
 */
#ifndef FLOW_STAGES_COMMON_TEXT_H
#define FLOW_STAGES_COMMON_TEXT_H

#include <stddef.h>

/* `count` zeroed items of `size` bytes; free() it. Never NULL. */
void *array_new(size_t count, size_t size);
/* More room for an array, or its first (old is NULL); what is new in it holds anything. */
void *array_grown(void *old, size_t count, size_t size);
/* So many bytes of a text, and NUL; free() it. */
char *text_copy(const char *text, size_t length);

struct text {
	char *data;
	size_t length, room;
};

void text_add(struct text *text, const char *data, size_t length);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_release(struct text *text);

#endif
