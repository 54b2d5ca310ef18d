/*
 * stage/registry.h - where the stages that come with flow live.
 *
 *     struct registry r;  registry_open(&r, &arena, NULL);
 *     if (registry_find(&r, "train", &arena, &path, &kind)) ...
 * Looked through in order: the folders of FLOW_STAGE_PATH; then what was installed beside the executable
 * (../lib/flow/stages and ../share/flow/lua); then the build tree (stages/ beside the executable and the source's lua/).
 * A plugin is <folder>/flow_stage_<name>.so; a Lua stage is <folder>/stages/<name>.lua, or <name>.lua in FLOW_STAGE_PATH; a
 * Lua module a.b is <folder>/a/b.lua. Only looks whether files are there; loads and runs nothing. Everything lives in the
 * arena.
 */
#ifndef FLOW_STAGE_REGISTRY_H
#define FLOW_STAGE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "stage/wire.h"

struct arena;

#define REGISTRY_FOLDERS 40

struct registry {
	const char *folders[REGISTRY_FOLDERS];
	size_t count;
	size_t listed; /* the first so many come from FLOW_STAGE_PATH */
};

/* executable: its path; NULL: the one that is running. */
void registry_open(struct registry *r, struct arena *a, const char *executable);
/* False: no stage of that name is there. */
bool registry_find(const struct registry *r, const char *name, struct arena *a, const char **path,
	enum wire_stage *kind);
/* Does it lie in one of flow's own folders, not in one of FLOW_STAGE_PATH or of a project? */
bool registry_is_own(const struct registry *r, const char *path);
/* Path of the Lua module "flow.stats", or NULL. */
const char *registry_module(const struct registry *r, const char *name, struct arena *a);
/* The names of all stages, sorted, each once. */
size_t registry_names(const struct registry *r, struct arena *a, const char *const **names);

#endif
