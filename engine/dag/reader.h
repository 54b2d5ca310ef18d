/*
 * dag/reader.h - a map of dag.yaml, checked against the key table.
 *
 *     struct reader r = { arena, diags };  const struct yaml *values[KEY_COUNT];
 *     reader_map(&r, map, KEY_RETRY, "`retry`", values);  if (values[KEY_RETRY_limit] != NULL) ...
 * A value of the wrong type is reported and left out (NULL), so that reading goes on with what is
 * right.
 */
#ifndef FLOW_DAG_READER_H
#define FLOW_DAG_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "dag/keys.h"
#include "dag/yaml.h"

struct arena;
struct settings;
struct ports;
struct stage_spec;

struct reader {
	struct arena *arena;
	struct diags *diags;
	const struct dag_input *input;
};

/* Sets values[] of the keys of that place, NULL where absent. `owner` is for messages: "stage
 * `train`". */
void reader_map(struct reader *r, const struct yaml *map, enum key_where where, const char *owner,
	const struct yaml **values);

/* Report that a value is not what `key` takes (E0109) or out of its range (E0110). */
void reader_type(struct reader *r, const struct yaml *value, const char *key, const char *wanted);
void reader_range(struct reader *r, const struct yaml *value, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* These leave *out alone when the value is NULL or wrong. */
void reader_bool(struct reader *r, const struct yaml *value, const char *key, bool *out);
void reader_integer(struct reader *r, const struct yaml *value, const char *key, int64_t least,
	int64_t most, uint32_t *out);
void reader_number(struct reader *r, const struct yaml *value, const char *key, double least,
	double most, double *out);
void reader_duration(struct reader *r, const struct yaml *value, int64_t *out);
void reader_size(struct reader *r, const struct yaml *value, uint64_t *out);

/* dag/settings.c: what `defaults:` and stages share. */
void settings_init(struct settings *s);
void settings_retry(struct reader *r, const struct yaml *map, struct settings *s);
void settings_resources(struct reader *r, const struct yaml *map, struct settings *s);

/* dag/ports.c: deps, and outs with metrics and plots. */
void ports_deps(struct reader *r, const struct yaml *value, struct ports *out);
void ports_outs(struct reader *r, const struct yaml *outs, const struct yaml *metrics,
	const struct yaml *plots, struct ports *out);

#endif
