/*
 * base/units.h - durations and sizes as people write them.
 *
 * Durations are `250ms 30s 10m 2h 1d`, sums of them (`1h30m`) and decimals (`1.5h`); the result is
 * whole milliseconds. Sizes are `512M 2G 1.5G 64K 100B`, powers of 1024. A bare number is an error,
 * so that nobody has to guess its unit. The parsers return 0, or ERR_INPUT with a message that
 * quotes the text. The formatters never fail.
 */
#ifndef FLOW_BASE_UNITS_H
#define FLOW_BASE_UNITS_H

#include <stdint.h>

struct err;

#define DURATION_MAX_MS (3650ll * 24 * 3600 * 1000) /* ten years */
#define SIZE_MAX_BYTES  (1ull << 60)
#define UNITS_TEXT      32 /* room a formatted value needs */

int duration_parse(int64_t *ms, const char *text, struct err *e);
int size_parse(uint64_t *bytes, const char *text, struct err *e);

/* Exact, and what duration_parse reads back: "1h30m", "250ms", "0s". */
const char *duration_text(int64_t ms, char text[UNITS_TEXT]);
/* For people: at most one decimal, "1.5G", "512M", "100B". */
const char *size_text(uint64_t bytes, char text[UNITS_TEXT]);

#endif
