/*
 * stage/funnel.h - what an attempt with secrets writes, on its way into the log.
 *
 *     fd = funnel_open(&f, id, &secrets, log_fd);    stdout and stderr of the attempt; close it once it has started. -1: errno
 *     funnels_poll(&f, &list);                       descriptors to poll for reading
 *     funnels_read(&f);                              whatever there is, without its secrets, into the logs
 *     funnel_close(&f, id);                          nothing of the attempt runs any more: the rest
 *     funnels_release(&f);
 *
 * Attempts without secrets write into the log themselves and never come here. Held back is only what may be the beginning of a
 * secret. What cannot be written to the log is lost, as it is for a program whose disk is full.
 */
#ifndef FLOW_STAGE_FUNNEL_H
#define FLOW_STAGE_FUNNEL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/redact.h"

struct wire_list;

struct funnel {
	uint64_t id;      /* of the attempt */
	int fd, log_fd;   /* our end, and a descriptor of its own for the log */
	struct redactor redactor;
	struct redaction stream;
};

struct funnels {
	struct {
		struct funnel **items;
		size_t count, cap;
	} list;
	struct buf out; /* scratch */
};

struct poll_list {
	struct pollfd *items;
	size_t count, cap;
};

int funnel_open(struct funnels *f, uint64_t id, const struct wire_list *secrets, int log_fd);
void funnels_poll(const struct funnels *f, struct poll_list *out); /* appends */
void funnels_read(struct funnels *f);
void funnel_close(struct funnels *f, uint64_t id);
void funnels_release(struct funnels *f);

#endif
