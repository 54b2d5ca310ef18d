/*
 * dag/shell.h - just enough of the POSIX shell: quoting values, and seeing that a command needs no
 * shell at all.
 *
 *     struct shell s = { 0 };
 *     shell_text(&s, &out, "echo ", 5);  shell_value(&s, &out, "it's");  ...
 * shell_text() adds what the user wrote and keeps track of quotes; shell_value() adds a value so
 * that the shell reads it as that very text, whatever it holds. Where that cannot be told for sure
 * (inside "$(...)", backquotes, here-documents, arithmetic, comments) only values that need no
 * quotes are taken; for others it returns -1.
 */
#ifndef FLOW_DAG_SHELL_H
#define FLOW_DAG_SHELL_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;

enum shell_place { SHELL_PLAIN, SHELL_SINGLE, SHELL_DOUBLE, SHELL_COMMENT, SHELL_UNSURE };

struct shell {
	enum shell_place place;
	bool is_escaped; /* the text so far ends in a backslash that counts */
	bool in_word;    /* a `#` here does not begin a comment */
	char last;       /* last plain character, for `<<`, `$(` */
	const char *why; /* what made it unsure: "a here-document" */
};

void shell_text(struct shell *s, struct buf *out, const char *text, size_t len);
int shell_value(struct shell *s, struct buf *out, const char *value);

bool shell_is_bare(const char *value); /* not empty, and only [A-Za-z0-9_./:@%+=,-] */
void shell_quote(struct buf *out, const char *value); /* bare, or in single quotes */

/* The words of a command that needs no shell, or 0 when it needs one. The words live in the
 * arena. */
size_t shell_words(struct arena *a, const char *command, const char ***words);

#endif
