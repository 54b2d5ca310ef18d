/*
 * stage/native.h - C plugins.
 *
 * native_run is the rest of a forked child's life: it checks the file and its table, then calls run(). Everything that goes
 * wrong is recorded with host_fail.
 */
#ifndef FLOW_STAGE_NATIVE_H
#define FLOW_STAGE_NATIVE_H

struct flow_ctx;

void native_run(struct flow_ctx *ctx);

/* The stage table of a plugin as JSON on stdout, read in a child process; an exit status. */
int native_describe(const char *path);

#endif
