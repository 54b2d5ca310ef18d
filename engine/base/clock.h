/*
 * base/clock.h - the time, and texts of it.
 *
 * Wall time is milliseconds since 1970 UTC; monotonic time (CLOCK_BOOTTIME) is for durations and deadlines.
 */
#ifndef FLOW_BASE_CLOCK_H
#define FLOW_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_wall_ns(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);

const char *time_text(int64_t wall_ms, char text[32]);  /* "2026-11-21T03:04:05.678Z" */
const char *took_text(int64_t ms, char text[32]);       /* "12 ms", "3.4s", "2m31s", "1h05m" */
const char *ago_text(int64_t then_ms, int64_t now_ms, char text[32]); /* "just now", "2 min ago", "yesterday" */

/* A UUIDv7 (RFC 9562): 48 bits of wall milliseconds, then random. 37 bytes with the NUL. */
void uuid7(int64_t wall_ms, char text[37]);

#endif
