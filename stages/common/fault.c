#include "common/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fault_set(struct fault *fault, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(fault->text, sizeof fault->text, format, arguments);
	va_end(arguments);
	return -1;
}

/* Put ": tail" after what is in `text`, cutting what does not fit. */
static void append(char *text, size_t size, const char *tail)
{
	size_t used = strlen(text);

	(void)snprintf(text + used, size - used, ": %s", tail);
}

int fault_system(struct fault *fault, const char *format, ...)
{
	int code = errno;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(fault->text, sizeof fault->text, format, arguments);
	va_end(arguments);
	append(fault->text, sizeof fault->text, strerror(code));
	return -1;
}

int fault_context(struct fault *fault, const char *format, ...)
{
	char tail[sizeof fault->text];
	va_list arguments;

	memcpy(tail, fault->text, sizeof tail);
	va_start(arguments, format);
	(void)vsnprintf(fault->text, sizeof fault->text, format, arguments);
	va_end(arguments);
	append(fault->text, sizeof fault->text, tail);
	return -1;
}
