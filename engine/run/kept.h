/*
 * run/kept.h - the folders of failed attempts, kept for inspection under a quota: .flow/runs/<run>/<task>/<number>/.
 *
 *     kept_prune(flow_fd, KEPT_ATTEMPTS, KEPT_BYTES, e)      after a run that added some
 *
 *     kept_environment(flow_fd, folder, block, work, e)       as the folder is kept: env.sh, for `flow attempt shell`
 *
 * The newest ones stay, as many as the quota allows; of older ones the log stays and the rest goes. Nothing that is recorded depends on them.
 * .flow/kept notes how far back that is done, so that a project of many runs is not walked each time; without it all is.
 */
#ifndef FLOW_RUN_KEPT_H
#define FLOW_RUN_KEPT_H

#include <stdint.h>

struct err;

#define KEPT_ATTEMPTS 100u
#define KEPT_BYTES    (UINT64_C(2) << 30)

#define KEPT_ENVIRONMENT "env.sh"

/* The variables of block as a shell script, with the folder of the attempt called as it is now: it was `work`. A file of that name
 * that the stage wrote makes room for it. */
int kept_environment(int flow_fd, const char *folder, char *const *block, const char *work, struct err *e);

int kept_prune(int flow_fd, uint32_t attempts, uint64_t bytes, struct err *e);

#endif
