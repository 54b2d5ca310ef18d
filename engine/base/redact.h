/*
 * base/redact.h - take secrets out of a stream of bytes.
 *
 *     struct redactor r = { 0 };
 *     redactor_add(&r, value, len);  ...       every form in which the value is known to be written (base/secret_forms.h)
 *     redactor_ready(&r);                      once; nothing may be added afterwards
 *     struct redaction s = { 0 };              one a stream; any number may share a redactor
 *     redact(&r, &s, data, len, &out);  ...    appends what is certain by now
 *     redact_end(&r, &s, &out);                appends the rest; the stream may begin anew
 *     redactor_release(&r); redaction_release(&s);
 *
 * Every run of bytes that occurrences cover becomes one REDACTED. What comes out depends on the bytes alone, not on how the stream
 * was cut into pieces. Held back is only what may be the beginning of an occurrence. A redactor without values passes all on.
 */
#ifndef FLOW_BASE_REDACT_H
#define FLOW_BASE_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define REDACTED "***"

/* A state of the automaton: what has been read is the beginning of some value. State 0: of none. */
struct redact_state {
	uint32_t child, next; /* first state that goes on from here; its next sibling; 0: none */
	uint32_t fail;        /* the longest end of it that is a beginning too */
	uint32_t depth;       /* bytes read */
	uint32_t match;       /* bytes of the longest value that ends here; 0: none does */
	unsigned char byte;   /* read last */
};

struct redactor {
	struct {
		struct redact_state *items;
		size_t count, cap;
	} states;
	uint32_t first[256]; /* state after this byte, from the beginning */
};

struct redaction {
	uint32_t state;
	struct buf held;    /* bytes that are not certain yet, */
	struct buf covered; /* and for each whether an occurrence covers it */
	bool in_secret;     /* the last byte that was passed on was covered */
	bool found;         /* an occurrence was seen; stays set */
};

void redactor_add(struct redactor *r, const void *value, size_t len);
void redactor_ready(struct redactor *r);
bool redactor_is_empty(const struct redactor *r);
void redactor_release(struct redactor *r);

void redact(const struct redactor *r, struct redaction *s, const void *data, size_t len, struct buf *out);
void redact_end(const struct redactor *r, struct redaction *s, struct buf *out);
void redaction_release(struct redaction *s);

/* Does a value occur in these bytes? */
bool redact_finds(const struct redactor *r, const void *data, size_t len);

#endif
