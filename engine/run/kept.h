/*
 * run/kept.h - the folders of failed attempts, kept for inspection under a quota: .flow/runs/<run>/<task>/<number>/.
 *
 *     kept_prune(flow_fd, KEPT_ATTEMPTS, KEPT_BYTES, e)      after a run that added some
 *
 * The newest ones stay, as many as the quota allows; of older ones the log stays and the rest goes. Nothing that is recorded depends on them.
 */
#ifndef FLOW_RUN_KEPT_H
#define FLOW_RUN_KEPT_H

#include <stdint.h>

struct err;

#define KEPT_ATTEMPTS 100u
#define KEPT_BYTES    (UINT64_C(2) << 30)

int kept_prune(int flow_fd, uint32_t attempts, uint64_t bytes, struct err *e);

#endif
