/*
 * store/config.h - how flow is set up here. Nothing of it is part of a key.
 *
 *     struct config c;
 *     config_read(&c, &arena, flow_fd, e)      ERR_INPUT names file and line
 *     c.values[CONFIG_CACHE_DIR].text, .origin
 *
 * What holds, the first that is set: FLOW_* of the environment, .flow/config.yaml of the project, $XDG_CONFIG_HOME/flow/config.yaml of
 * the user, what is built in. A list is kept as its words with commas between.
 */
#ifndef FLOW_STORE_CONFIG_H
#define FLOW_STORE_CONFIG_H

#include <stddef.h>

#include "store/link.h"

struct arena;
struct err;

enum config_key { CONFIG_CACHE_DIR, CONFIG_CACHE_LINK, CONFIG_COUNT };

struct config_value {
	const char *text;      /* never NULL */
	const char *origin;    /* ".flow/config.yaml:2", "FLOW_CACHE_DIR", "default" */
};

struct config {
	struct config_value values[CONFIG_COUNT];
	unsigned char links[LINK_KINDS]; /* enum link_kind, of cache.link */
};

extern const char *const config_names[CONFIG_COUNT + 1]; /* "cache.dir"; NULL at the end */

int config_read(struct config *c, struct arena *a, int flow_fd, struct err *e);
/* Write .flow/config.yaml anew with one value set; NULL takes it out. The value is checked first. */
int config_set(struct arena *a, int flow_fd, enum config_key key, const char *value, struct err *e);

#endif
