/*
 * stage/environ.h - the environment of an attempt.
 *
 *     environ_init(&base, root);  once, when the worker starts; root is the project's folder, absolute
 *     char **block = environ_make(&base, &start, ENVIRON_ALL, &arena);
 * What the worker inherited, without FLOW_*, then what the stage asks for, then the contract of ARCHITECTURE 7. The block
 * borrows from base, start and the arena. Paths in it are absolute, so that a command may change its folder. No call here
 * makes a system call or fails.
 */
#ifndef FLOW_STAGE_ENVIRON_H
#define FLOW_STAGE_ENVIRON_H

#include <stddef.h>

struct arena;
struct wire_start;

struct environ_base {
	const char *root;
	char **items; /* the inherited entries that are passed on */
	size_t count;
};

enum environ_what {
	ENVIRON_ALL,      /* for commands */
	ENVIRON_SCRUBBED, /* without LD_*: for plugins and Lua, which run in the worker's image */
};

void environ_init(struct environ_base *base, const char *root);
char **environ_make(const struct environ_base *base, const struct wire_start *s,
	enum environ_what what, struct arena *a);

/* The value of a name in a block, or NULL. */
const char *environ_get(char *const *block, const char *name);

#endif
