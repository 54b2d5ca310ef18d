/*
 * store/shared.h - a store that several projects of one user share (cache.dir).
 *
 *     shared_open(&p, "/data/flow", e)      by project_open(): p->store_fd; a writer is registered and holds the store's lock
 *     shared_own(&p, e)                     before anything is removed: nobody else may be at work; ERR_BUSY
 *     shared_each(&p, found, user, e)       the other projects that are registered
 *     shared_forget(&p, "/home/x/old", e)   a project that is no more
 *
 * The store is a folder with objects/, objects/tmp/, quarantine/, projects/ and store.lock. projects/ has a link for each project,
 * named by device and number of its .flow, so that a project that was moved registers in its old place. Who writes the journal of a project
 * holds store.lock shared, for as long as it lives; gc holds it alone. What another project needs is read from its journal: a project that
 * cannot be read makes gc refuse, as nobody can tell what it needs.
 */
#ifndef FLOW_STORE_SHARED_H
#define FLOW_STORE_SHARED_H

#include <stdbool.h>

#include "store/project.h"

struct err;

bool is_shared(const struct project *p);
int shared_open(struct project *p, const char *folder, enum project_mode mode, struct err *e);
int shared_own(struct project *p, struct err *e); /* nothing to do for a store of the project's own */

typedef int shared_found(void *user, const char *root, struct err *e);
int shared_each(const struct project *p, shared_found *found, void *user, struct err *e);
int shared_forget(const struct project *p, const char *root, struct err *e); /* ERR_NOTFOUND */

#endif
