/*
 * support/stage_host.h - a flow_host in this process, for tests of C stages.
 *
 *     flow_ctx *host = stage_host_new();
 *     stage_host_dep(host, "images", path);
 *     stage_host_out(host, "model", stage_host_path(host, "m.safetensors"));
 *     stage_host_with(host, "epochs", "5");                    values are JSON text
 *     rc = stage_host_run(host, &stage_train);
 *     ...stage_host_failure(host), stage_host_metric(host, "loss", 3, &value)...
 *     stage_host_free(host);                                   removes the folder as well
 *
 * Each host has a folder of its own for the test's files. Strings given are copied; strings
 * returned live until stage_host_free(). stage_host_run() may be called again: failure and metrics
 * start anew, the rest stays. A mistake of the test itself (no room, no folder) aborts.
 */
#ifndef FLOW_TESTS_SUPPORT_STAGE_HOST_H
#define FLOW_TESTS_SUPPORT_STAGE_HOST_H

#include <flow/plugin.h>

#include <stddef.h>

flow_ctx *stage_host_new(void);
void stage_host_free(flow_ctx *host);

void stage_host_dep(flow_ctx *host, const char *name, const char *path);
void stage_host_out(flow_ctx *host, const char *name, const char *path);
void stage_host_with(flow_ctx *host, const char *key, const char *json); /* NULL: no longer */
void stage_host_seed(flow_ctx *host, unsigned long seed);
void stage_host_threads(flow_ctx *host, unsigned threads);
/* A folder for checkpoints, which the stage makes; NULL: none. What the one before held is removed. */
const char *stage_host_checkpoint(flow_ctx *host, const char *name);
void stage_host_cancel_after(flow_ctx *host, long questions); /* cancelled() is 1 from then on; -2: no longer */

int stage_host_run(flow_ctx *host, const flow_stage *stage);

const char *stage_host_failure(const flow_ctx *host); /* "" when it did not fail */
/* 1 and the last value recorded for that name and step (-1: of the whole run); 0: none. */
int stage_host_metric(const flow_ctx *host, const char *name, long step, double *value);
size_t stage_host_metric_count(const flow_ctx *host);

/* A path in the host's folder. */
const char *stage_host_path(flow_ctx *host, const char *name);
/* Write a file there and return its path. */
const char *stage_host_write(flow_ctx *host, const char *name, const void *data, size_t size);
/* The same for an IDX file of bytes with those dimensions; data holds their product. */
const char *stage_host_idx(flow_ctx *host, const char *name, const unsigned *dimension,
	unsigned dimensions, const unsigned char *data);
/* The bytes of a file, NUL after the last; free() them. NULL: it is not there. */
char *stage_host_read(const char *path, size_t *size);

#endif
