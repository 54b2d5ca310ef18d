/*
 * dag/override.h - --params FILE and -p NAME=VALUE.
 *
 * An override must name a known parameter and have the type of its default. Faults go to
 * build->diags; see dag/params.h.
 */
#ifndef FLOW_DAG_OVERRIDE_H
#define FLOW_DAG_OVERRIDE_H

struct build;
struct params;
struct place;
struct yaml;

/* Read a file of parameters, note it in build->sources. Returns 0 and its map, or -1 after a
 * diagnostic. */
int override_read(struct build *b, const char *path, struct place from, const struct yaml **map);

/* Apply input->files, then input->sets. */
void override_all(struct params *p, struct build *b);

#endif
