/*
 * base/path.h - paths as text; nothing here looks at the disk.
 */
#ifndef FLOW_BASE_PATH_H
#define FLOW_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Collapse `//`, `/./`, `./` and `x/../`; drop a slash at the end. "" becomes ".". A relative path may begin with `../`. */
char *path_clean(struct arena *a, const char *path);
char *path_join(struct arena *a, const char *folder, const char *path); /* cleaned; an absolute path wins */
char *path_below(struct arena *a, const char *folder, const char *path); /* of two that are clean; below "" and "." it is `path` */
bool path_is_absolute(const char *path);
bool path_leaves(const char *clean);                       /* is "..", begins with "../" or is absolute */
bool path_is_inside(const char *clean, const char *folder); /* below it, or the same */
const char *path_base(const char *path);                   /* after the last slash */
char *path_folder(struct arena *a, const char *path);      /* before the last slash; "." when there is none */

/* How many of the first characters are ASCII letters, digits or in `also`. */
size_t name_span(const char *s, const char *also);

/* [A-Za-z0-9_.-]{1,128}, not "." or "..". Names of stages, ports and metrics. */
bool name_is_valid(const char *name);

#endif
