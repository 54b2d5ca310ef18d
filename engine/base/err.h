/*
 * base/err.h - one failure, told once.
 *
 * A function that can fail returns 0 or a negative `enum err_code` and takes a trailing `struct err *`, which is never NULL:
 *     if (file_read(&text, path, LIMIT, e) < 0)
 *             return err_context(e, "%s", path);
 * *e is written on failure only. The finder of the fault words the message; callers prepend context; cli/ alone prints it.
 * The code tells a caller what to do about it, the text tells the user; `id` is the stable name the user can look up.
 */
#ifndef FLOW_BASE_ERR_H
#define FLOW_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

enum err_code {
	ERR_INPUT = -1,     /* the user's file, option or value is wrong: do not retry */
	ERR_SYSTEM = -2,    /* the machine said no: disk full, permission, missing tool */
	ERR_NOTFOUND = -3,  /* what was asked for does not exist */
	ERR_BUSY = -4,      /* another process holds it */
	ERR_POLICY = -5,    /* refused on purpose */
	ERR_CORRUPT = -6,   /* stored data is damaged or of a newer version */
	ERR_USAGE = -7,     /* the command line is wrong */
	ERR_CANCELED = -8,  /* the user stopped it */
};

struct err {
	enum err_code code;
	int sys;             /* errno of the failed call, or 0 */
	uint32_t line, col;  /* place in `file`, 1-based; 0 when there is none */
	char id[8];          /* "E0501", or "" */
	char file[200];      /* as the user typed it, or "" */
	char text[1400];     /* one line, lower case, no full stop */
	char hint[400];      /* what to do about it, or "" */
};

/* Set *e whole and return `code`. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set with ERR_SYSTEM, the text of errno appended and errno kept in e->sys. */
int err_system(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "context: " before the message; returns e->code so that it can end a function. */
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Is it the machine's fault (a full disk, no descriptor left), and not that of a file somebody made unreadable? */
bool err_is_machine(const struct err *e);

/* Name the error ("E0501") and say what would help. Both return e->code. */
int err_id(struct err *e, const char *id);
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
