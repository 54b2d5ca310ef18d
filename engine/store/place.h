/*
 * store/place.h - the files of the store: their temporary names, and the ways to bring bytes under one. For store/objects.c alone.
 *
 *     for (i = 0; (kind = place_kind(&o, i)) != LINK_NONE; i++) ...    the order of `cache.link`
 *     place_copy(&o, fd, "objects/ab/cd...", 0444, false, e)           whole or not at all
 */
#ifndef FLOW_STORE_PLACE_H
#define FLOW_STORE_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/link.h"

struct err;
struct objects;

void place_temp(char name[64]);
int place_bytes(int from, int to, mode_t mode, struct err *e);
int place_rename(const struct objects *o, const char *temp, const char *path, struct err *e);
int place_copy(const struct objects *o, int from, const char *path, mode_t mode, bool only_clone, struct err *e);
enum link_kind place_kind(const struct objects *o, unsigned i);
bool place_can_clone(const struct objects *o, int from);
mode_t place_mode(const struct objects *o, unsigned mode);

#endif
