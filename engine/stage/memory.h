/*
 * stage/memory.h - how much memory some processes take together.
 */
#ifndef FLOW_STAGE_MEMORY_H
#define FLOW_STAGE_MEMORY_H

#include <stdint.h>

struct pids;

/* Bytes that they hold, what they share counted once (PSS). Exact only when it is near the limit or over it: a process' own pages
 * are asked for first, which is ten times cheaper, and when even their sum, pages shared after a fork counted for each, is below
 * the limit, that is the answer. Processes that have ended count nothing. */
uint64_t memory_of(const struct pids *pids, uint64_t limit);

/* How often the kernel killed for lack of memory since the machine started; 0 when it does not say. */
uint64_t memory_kills(void);

#endif
