/*
 * dag/diag.h - what is wrong with the user's text: all of it, not only the first.
 *
 * Each reader adds what it finds and goes on; whoever called it looks at the count. At most DIAG_MAX are kept, sorted by
 * place when shown (cli/ does that, with the source line and a caret). Codes are stable: E01xx yaml and keys, E02xx graph,
 * E03xx params and expressions, E04xx stages. dag/codes.def tells each one's long text.
 */
#ifndef FLOW_DAG_DIAG_H
#define FLOW_DAG_DIAG_H

#include <stddef.h>
#include <stdint.h>

#define DIAG_MAX 20

struct arena;
struct err;

struct diag {
	const char *code;      /* "E0107" */
	const char *file;      /* as the user typed it */
	uint32_t line, col;    /* 1-based; 0: the file as a whole */
	uint32_t width;        /* columns to underline, at least 1 */
	const char *message;   /* one line, lower case, no full stop */
	const char *label;     /* under the caret: "did you mean `retry`?", or "" */
	const char *note;      /* a further line, or "" */
};

struct diags {
	struct arena *arena;   /* texts live here; set by the caller */
	struct diag items[DIAG_MAX];
	size_t count;          /* kept */
	size_t dropped;        /* found beyond DIAG_MAX */
	struct diag spare;     /* what diag_add returns for those; not shown */
};

/* Where in the text. */
struct place {
	const char *file;
	uint32_t line, col, width;
};

/* Add one; returns it, so that label and note can be set with diag_label and diag_note. Never NULL. One that is there already
 * (same code, place and message: an error of each instance of a stage) is not kept twice. */
struct diag *diag_add(struct diags *d, const char *code, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* An error, with its hint; code: when it has none of its own. */
void diag_add_err(struct diags *d, const char *code, struct place at, const struct err *e);
void diag_label(struct diags *d, struct diag *diag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_note(struct diags *d, struct diag *diag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diags_sort(struct diags *d);

#endif
