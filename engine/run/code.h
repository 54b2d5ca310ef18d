/*
 * run/code.h - what the code of a stage is: the plugin, or the script and every module it requires.
 *
 *     code_open(&c, &graph, &stats, root_fd, &registry);
 *     history.past.code = code_for_plan; (user: see session.c)
 *     code_of(&c, node, &list, e)        borrowed until code_close
 *     code_close(&c)
 *
 * Files are read as text, never run: the modules of a Lua script are those whose names stand in it as literals. They are
 * looked for beside the script, then in the project's lua/, then among those that come with flow. Answers are kept by the
 * text of `uses:`, so that a thousand instances ask once.
 */
#ifndef FLOW_RUN_CODE_H
#define FLOW_RUN_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "stage/wire.h"

struct code_file;
struct err;
struct graph;
struct registry;
struct stats;

struct code_list {
	const char *path;           /* of the plugin or script; "" for an inline script */
	const char *entry;          /* after `#` in `uses: x.so#entry`, or "" */
	struct code_file *files;    /* name and digest: part of the key */
	size_t count;
	struct wire_pair *modules;  /* what `require` may load */
	uint32_t module_count;
};

struct code_lists {
	struct code_list **items;
	size_t count, cap;
};

struct code {
	const struct graph *graph;
	struct stats *stats;
	const struct registry *registry;
	int root_fd;
	struct arena arena;
	struct map by_uses;         /* text of `uses` -> index in lists */
	struct map by_text;         /* text of an inline script -> index in lists */
	struct code_lists lists;
};

void code_open(struct code *c, const struct graph *g, struct stats *stats, int root_fd, const struct registry *registry);
int code_of(struct code *c, uint32_t node, const struct code_list **out, struct err *e);
void code_close(struct code *c);

#endif
