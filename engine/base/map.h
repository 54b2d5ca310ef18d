/*
 * base/map.h - text to number, for names and paths.
 *
 *     struct map m = { 0 };  map_put(&m, "train", 3);  uint32_t *at = map_get(&m, "train");  map_release(&m);
 * A zeroed map is ready for use. Keys are borrowed: they must outlive the map. Open addressing over XXH3, at most half full.
 */
#ifndef FLOW_BASE_MAP_H
#define FLOW_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map {
	struct map_slot *slots;
	uint32_t count, mask;
};

uint32_t *map_get(const struct map *m, const char *key);          /* NULL when absent */
uint32_t *map_put(struct map *m, const char *key, uint32_t value); /* NULL when new; else the value that was there stays and is returned */
void map_reserve(struct map *m, uint32_t count);
void map_release(struct map *m);

#endif
