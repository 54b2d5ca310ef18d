#include "stage/funnel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret_forms.h"
#include "base/vec.h"
#include "stage/wire.h"

#define CHUNK     65536
#define TURN_MOST 16 /* chunks of one attempt before others have their turn */

int funnel_open(struct funnels *f, uint64_t id, const struct wire_list *secrets, int log_fd)
{
	struct funnel *fresh;
	int ends[2];
	uint32_t i;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fresh = mem_zalloc(sizeof *fresh);
	fresh->id = id;
	fresh->fd = ends[0];
	fresh->log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, 0);
	for (i = 0; i < secrets->count; i++)
		secret_forms(&fresh->redactor, secrets->items[i].value,
			strlen(secrets->items[i].value));
	redactor_ready(&fresh->redactor);
	vec_push(&f->list, fresh);
	return ends[1];
}

void funnels_poll(const struct funnels *f, struct poll_list *out)
{
	size_t i;

	for (i = 0; i < f->list.count; i++) {
		struct pollfd ready = { .fd = f->list.items[i]->fd, .events = POLLIN };

		vec_push(out, ready);
	}
}

static void write_log(struct funnels *f, const struct funnel *one)
{
	size_t at = 0;

	while (at < f->out.len) {
		ssize_t n = write(one->log_fd, f->out.data + at, f->out.len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	buf_clear(&f->out);
}

/* Up to `most` chunks; at its end the pipe is polled no longer. */
static void pump(struct funnels *f, struct funnel *one, unsigned most)
{
	char chunk[CHUNK];

	while (one->fd >= 0 && most-- > 0) {
		ssize_t n = read(one->fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (n == 0) {
			(void)close(one->fd);
			one->fd = -1;
			break;
		}
		redact(&one->redactor, &one->stream, chunk, (size_t)n, &f->out);
		write_log(f, one);
	}
	explicit_bzero(chunk, sizeof chunk);
}

void funnels_read(struct funnels *f)
{
	size_t i;

	for (i = 0; i < f->list.count; i++)
		pump(f, f->list.items[i], TURN_MOST);
}

static void finish(struct funnels *f, struct funnel *one)
{
	/* A pipe holds so much and no more once nobody writes any longer. */
	pump(f, one, TURN_MOST * TURN_MOST);
	redact_end(&one->redactor, &one->stream, &f->out);
	write_log(f, one);
	if (one->fd >= 0)
		(void)close(one->fd);
	if (one->log_fd >= 0)
		(void)close(one->log_fd);
	redactor_release(&one->redactor);
	redaction_release(&one->stream);
	free(one);
}

void funnel_close(struct funnels *f, uint64_t id)
{
	size_t i;

	for (i = 0; i < f->list.count && f->list.items[i]->id != id; i++)
		;
	if (i == f->list.count)
		return;
	finish(f, f->list.items[i]);
	f->list.items[i] = f->list.items[--f->list.count];
}

void funnels_release(struct funnels *f)
{
	while (f->list.count > 0)
		funnel_close(f, f->list.items[0]->id);
	vec_release(&f->list);
	buf_release(&f->out);
}
