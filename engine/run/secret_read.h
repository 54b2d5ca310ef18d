/*
 * run/secret_read.h - the value of one secret, from where dag.yaml says.
 *
 *     secret_read(&secret, root_fd, root, &value, e)     appends to value
 *
 * A variable that is not set or a file that is not there is ERR_NOTFOUND; everything else that is wrong is an error with what to do
 * about it. A file of the caller's own that others may read is refused, as ssh does with keys. A command runs under /bin/sh in the
 * project's folder, for COMMAND_MS at most.
 */
#ifndef FLOW_RUN_SECRET_READ_H
#define FLOW_RUN_SECRET_READ_H

struct buf;
struct err;
struct secret;

int secret_read(const struct secret *s, int root_fd, const char *root, struct buf *value, struct err *e);

#endif
