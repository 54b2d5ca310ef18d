/*
 * base/parallel.h - the same work on many things, on all cores.
 *
 *     parallel_do(count, work, user)       calls work(user, i) for each i once, from several threads; returns when all are done
 *
 * work() writes to nothing that two calls share. Where no thread can be started the caller's own does it all.
 */
#ifndef FLOW_BASE_PARALLEL_H
#define FLOW_BASE_PARALLEL_H

#include <stddef.h>

unsigned parallel_cores(void); /* that this process may use; at least 1 */
void parallel_do(size_t count, void (*work)(void *user, size_t i), void *user);

#endif
