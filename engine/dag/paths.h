/*
 * dag/paths.h - a table of paths that can be asked for their folders.
 *
 *     struct paths t = { 0 };  paths_put(&t, "out/a", 7);  paths_get(&t, "out/a/b", 5)
 *     paths_release(&t);
 * Keys are borrowed. A folder of a path is looked up by its length, so nothing is copied.
 */
#ifndef FLOW_DAG_PATHS_H
#define FLOW_DAG_PATHS_H

#include <stddef.h>
#include <stdint.h>

struct paths {
	struct path_slot *slots;
	uint32_t count, mask;
};

void paths_reserve(struct paths *t, uint32_t count);
/* NULL when new; else the value that was there, which stays. */
uint32_t *paths_put(struct paths *t, const char *path, uint32_t value);
uint32_t *paths_get(const struct paths *t, const char *path, size_t len);

/* Length of the folder that holds path[0..len): 0 for the top; `.` has none. */
size_t paths_parent(const char *path, size_t len);
void paths_release(struct paths *t);

#endif
