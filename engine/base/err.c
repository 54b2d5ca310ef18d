#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	memset(e, 0, sizeof *e);
	e->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return code;
}

int err_system(struct err *e, const char *fmt, ...)
{
	int sys = errno;
	size_t used;
	va_list ap;

	memset(e, 0, sizeof *e);
	e->code = ERR_SYSTEM;
	e->sys = sys;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof e->text - used, ": %s", strerror(sys));
	if (sys == ENOSPC || sys == EDQUOT) { /* wherever it happens, it means the same to the user */
		err_id(e, "E0502");
		err_hint(e, "free some space and run again: what is done stays done");
	}
	return e->code;
}

int err_context(struct err *e, const char *fmt, ...)
{
	char old[sizeof e->text];
	size_t used;
	va_list ap;

	memcpy(old, e->text, sizeof old);
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	used = strlen(e->text);
	if (used + 3 < sizeof e->text) {
		size_t room = sizeof e->text - used;
		(void)snprintf(e->text + used, room, ": %.*s", (int)(room - 3), old);
	}
	return e->code;
}

bool err_is_machine(const struct err *e)
{
	return e->code == ERR_SYSTEM && e->sys != EACCES && e->sys != EPERM;
}

int err_id(struct err *e, const char *id)
{
	(void)snprintf(e->id, sizeof e->id, "%s", id);
	return e->code;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->hint, sizeof e->hint, fmt, ap);
	va_end(ap);
	return e->code;
}
