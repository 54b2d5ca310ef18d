/*
 * stage/option.h - does a value of `with:` fit what a stage says of it? Asked before a stage runs, and by `flow lint`.
 *
 *     struct option o = { .key = "rounds", .min = 1, .max = 100 };  (void)snprintf(o.type, sizeof o.type, "integer");
 *     why = option_fault(&o, value, &arena);        NULL: it fits
 *
 * Texts are made in the arena.
 */
#ifndef FLOW_STAGE_OPTION_H
#define FLOW_STAGE_OPTION_H

#include <stdbool.h>

struct arena;
struct json_t; /* jansson */

#define OPTION_TYPE 20

struct option {
	const char *key;
	char type[OPTION_TYPE];
	double min, max; /* allowed themselves; infinite: none */
};

/* "integer 1..100" -> type and bounds. */
void option_read(struct option *o, const char *key, const char *type);
const char *option_fault(const struct option *o, const struct json_t *value, struct arena *a);
/* near: a key that was perhaps meant, or NULL. help: what the key is, or NULL. */
const char *option_unknown(const char *key, const char *near, struct arena *a);
const char *option_missing(const char *key, const char *help, struct arena *a);

/* "json" -> what people call a value of that type. */
const char *option_type_name(const struct json_t *value);
/* "" and unknown types take all. */
bool option_type_fits(const struct json_t *value, const char *type);

#endif
