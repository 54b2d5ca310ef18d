/*
 * common/fault.h - why a step of a stage went wrong, told once.
 *
 * A function that can fail returns 0 or -1 and takes a trailing `struct fault *`, which is never
 * NULL. It writes *fault on failure only: one line, lower case, no full stop. Callers prepend
 * context and, at the top, hand the text to host->fail():
 *     if (idx_open(&images, path, 3, fault) < 0)
 *             return fault_context(fault, "dep 'images'");
 */
#ifndef FLOW_STAGES_COMMON_FAULT_H
#define FLOW_STAGES_COMMON_FAULT_H

struct fault {
	char text[1000];
};

/* Set the text whole. Both return -1, so that they can end a function. */
int fault_set(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, with the text of errno appended. */
int fault_system(struct fault *fault, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Put "context: " before the text; returns -1. */
int fault_context(struct fault *fault, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
