/*
 * cli/codes.h - what every error code means: those of dag.yaml (dag/codes.h) and those of the journal, Lua and plugins.
 *
 * The latter are in cli/codes.def, in the form that dag/codes.h describes: E0100 the file itself, E0410 a metrics file, E05xx the journal, the store and
 * the machine, E06xx Lua stages, E07xx plugins.
 */
#ifndef FLOW_CLI_CODES_H
#define FLOW_CLI_CODES_H

#include <stdbool.h>
#include <stddef.h>

#include "dag/codes.h"

size_t codes_count(void);
const struct code_info *codes_at(size_t i);      /* ascending */
const struct code_info *codes_find(const char *id); /* in either case; NULL: unknown */
bool codes_is_id(const char *text);              /* has the form of one: "E0107" */

#endif
