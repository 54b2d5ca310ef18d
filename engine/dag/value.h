/*
 * dag/value.h - what a node of a YAML tree means: numbers, truth values, JSON.
 *
 * Pure functions over struct yaml (dag/yaml.h). The readers return false when the node is not of
 * that type or out of range.
 */
#ifndef FLOW_DAG_VALUE_H
#define FLOW_DAG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dag/yaml.h"

struct arena;
struct buf;

enum yaml_type value_type_of(
	const char *plain, size_t len);    /* of a plain scalar, YAML 1.2 core schema */
const char *value_type_name(uint8_t type); /* "text", "a whole number", "a list" ... */

bool value_bool(const struct yaml *node, bool *out);
bool value_int(const struct yaml *node, int64_t *out);
bool value_number(const struct yaml *node, double *out); /* whole numbers too; finite */

/* Canonical JSON: keys sorted, numbers in their shortest form, no blanks. What is not finite is
 * written as text. */
void value_json(struct buf *out, const struct yaml *node);

/* A scalar of that type and text at the place of another node. */
const struct yaml *value_scalar(
	struct arena *a, enum yaml_type type, const char *text, const struct yaml *at);

/* `x`, or `[1,2]` for lists and maps, cut to fit a message. */
const char *value_shown(struct arena *a, const struct yaml *node);

#endif
