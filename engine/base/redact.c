/*
 * The automaton of Aho and Corasick: a tree of all values, in which each state knows the longest end of what it stands for that is
 * also the beginning of a value.
 */
#include "base/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

static const struct redact_state *state_at(const struct redactor *r, uint32_t at)
{
	return &r->states.items[at];
}

static uint32_t child_of(const struct redactor *r, uint32_t state, unsigned char byte)
{
	uint32_t at;

	if (state == 0)
		return r->first[byte];
	for (at = state_at(r, state)->child; at != 0; at = state_at(r, at)->next)
		if (state_at(r, at)->byte == byte)
			break;
	return at;
}

static uint32_t add_child(struct redactor *r, uint32_t state, unsigned char byte)
{
	struct redact_state fresh = { .byte = byte,
		.depth = state_at(r, state)->depth + 1,
		.next = state_at(r, state)->child };
	uint32_t at = (uint32_t)r->states.count;

	vec_push(&r->states, fresh);
	r->states.items[state].child = at;
	if (state == 0)
		r->first[byte] = at;
	return at;
}

void redactor_add(struct redactor *r, const void *value, size_t len)
{
	const unsigned char *bytes = value;
	uint32_t at = 0, next;
	size_t i;

	if (len == 0)
		return;
	if (r->states.count == 0) {
		struct redact_state root = { 0 };

		vec_push(&r->states, root);
	}
	for (i = 0; i < len; i++, at = next) {
		next = child_of(r, at, bytes[i]);
		if (next == 0)
			next = add_child(r, at, bytes[i]);
	}
	r->states.items[at].match = (uint32_t)len;
}

/* The state after one more byte. */
static uint32_t step(const struct redactor *r, uint32_t state, unsigned char byte)
{
	uint32_t next;

	while ((next = child_of(r, state, byte)) == 0 && state != 0)
		state = state_at(r, state)->fail;
	return next;
}

/* States in order of depth: what `fail` leads to is less deep, so it is complete. */
void redactor_ready(struct redactor *r)
{
	uint32_t *queue, at, child;
	size_t head = 0, tail = 0;

	if (r->states.count == 0)
		return;
	queue = mem_alloc(r->states.count * sizeof *queue);
	queue[tail++] = 0;
	while (head < tail) {
		at = queue[head++];
		for (child = state_at(r, at)->child; child != 0; child = state_at(r, child)->next) {
			struct redact_state *s = &r->states.items[child];

			s->fail = at == 0 ? 0 : step(r, state_at(r, at)->fail, s->byte);
			if (s->match == 0)
				s->match = state_at(r, s->fail)->match;
			queue[tail++] = child;
		}
	}
	free(queue);
}

bool redactor_is_empty(const struct redactor *r)
{
	return r->states.count == 0;
}

void redactor_release(struct redactor *r)
{
	if (r->states.count > 0)
		explicit_bzero(r->states.items, r->states.count * sizeof *r->states.items);
	vec_release(&r->states);
	memset(r, 0, sizeof *r);
}

/* The first `count` bytes held are certain. */
static void pass_on(struct redaction *s, size_t count, struct buf *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bool covered = s->covered.data[i] != 0;

		if (!covered)
			buf_char(out, s->held.data[i]);
		else if (!s->in_secret)
			buf_str(out, REDACTED);
		s->in_secret = covered;
	}
	if (count == 0)
		return;
	s->held.len -= count;
	s->covered.len -= count;
	memmove(s->held.data, s->held.data + count, s->held.len);
	memmove(s->covered.data, s->covered.data + count, s->covered.len);
}

/* Bytes that begin no value, while nothing is held back: how many of them there are. */
static size_t pass_through(const struct redactor *r, struct redaction *s, const unsigned char *bytes,
	size_t len, struct buf *out)
{
	size_t n = 0;

	if (s->state != 0)
		return 0;
	while (n < len && r->first[bytes[n]] == 0)
		n++;
	buf_add(out, bytes, n);
	if (n > 0)
		s->in_secret = false;
	return n;
}

void redact(const struct redactor *r, struct redaction *s, const void *data, size_t len,
	struct buf *out)
{
	const unsigned char *bytes = data;
	size_t i = 0;

	if (redactor_is_empty(r)) {
		buf_add(out, data, len);
		return;
	}
	while (i < len) {
		const struct redact_state *now;

		i += pass_through(r, s, bytes + i, len - i, out);
		if (i == len)
			break;
		s->state = step(r, s->state, bytes[i]);
		now = state_at(r, s->state);
		buf_char(&s->held, (char)bytes[i++]);
		buf_char(&s->covered, 0);
		if (now->match > 0) {
			s->found = true;
			memset(s->covered.data + s->covered.len - now->match, 1, now->match);
		}
		pass_on(s, s->held.len - now->depth, out);
	}
}

void redact_end(const struct redactor *r, struct redaction *s, struct buf *out)
{
	(void)r;
	pass_on(s, s->held.len, out);
	s->state = 0;
	s->in_secret = false;
}

void redaction_release(struct redaction *s)
{
	if (s->held.cap > 0)
		explicit_bzero(s->held.data, s->held.cap);
	buf_release(&s->held);
	buf_release(&s->covered);
	memset(s, 0, sizeof *s);
}

bool redact_finds(const struct redactor *r, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	uint32_t state = 0;
	size_t i;

	if (redactor_is_empty(r))
		return false;
	for (i = 0; i < len; i++) {
		state = step(r, state, bytes[i]);
		if (state_at(r, state)->match > 0)
			return true;
	}
	return false;
}
