#include "stage/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define HEADER_SIZE 16u

/* What is left of a message. A read past the end sets `bad` and gives zeros and "" from then on. */
struct reader {
	const unsigned char *at;
	size_t left;
	struct arena *arena;
	int bad;
};

static void put_u32(struct buf *out, uint32_t n)
{
	unsigned char b[4];
	unsigned i;

	for (i = 0; i < 4; i++)
		b[i] = (unsigned char)(n >> (8 * i));
	buf_add(out, b, sizeof b);
}

static void put_u64(struct buf *out, uint64_t n)
{
	put_u32(out, (uint32_t)n);
	put_u32(out, (uint32_t)(n >> 32));
}

static void put_text(struct buf *out, const char *s)
{
	size_t len = s != NULL ? strlen(s) : 0;

	put_u32(out, (uint32_t)len);
	buf_add(out, len != 0 ? s : "", len + 1);
}

static void put_list(struct buf *out, const struct wire_list *list)
{
	uint32_t i;

	put_u32(out, list->count);
	for (i = 0; i < list->count; i++) {
		put_text(out, list->items[i].name);
		put_text(out, list->items[i].value);
	}
}

static void put_words(struct buf *out, const struct wire_words *words)
{
	uint32_t i;

	put_u32(out, words->count);
	for (i = 0; i < words->count; i++)
		put_text(out, words->items[i]);
}

static void put_header(struct buf *out, uint32_t kind, uint64_t id)
{
	put_u32(out, WIRE_MAGIC);
	put_u32(out, kind);
	put_u64(out, id);
}

static uint32_t get_u32(struct reader *r)
{
	uint32_t n = 0;
	unsigned i;

	if (r->left < 4) {
		r->bad = 1;
		r->left = 0;
		return 0;
	}
	for (i = 0; i < 4; i++)
		n |= (uint32_t)r->at[i] << (8 * i);
	r->at += 4;
	r->left -= 4;
	return n;
}

static uint64_t get_u64(struct reader *r)
{
	uint64_t low = get_u32(r);

	return low | (uint64_t)get_u32(r) << 32;
}

/* A text holds no NUL but the one at its end, so that it is the same for every reader. */
static const char *get_text(struct reader *r)
{
	uint32_t len = get_u32(r);
	const char *text = (const char *)r->at;

	if (r->bad || len >= r->left || text[len] != '\0' || memchr(text, '\0', len) != NULL) {
		r->bad = 1;
		r->left = 0;
		return "";
	}
	r->at += len + 1u;
	r->left -= len + 1u;
	return text;
}

/* A count of items that take at least `size` bytes each: no more of them than the message could hold. */
static uint32_t get_count(struct reader *r, size_t size)
{
	uint32_t count = get_u32(r);

	if (count > r->left / size) {
		r->bad = 1;
		r->left = 0;
		return 0;
	}
	return count;
}

static void get_list(struct reader *r, struct wire_list *list)
{
	uint32_t i, count = get_count(r, 10);
	struct wire_pair *items = arena_alloc(r->arena, (count + 1) * sizeof *items);

	for (i = 0; i < count; i++) {
		items[i].name = get_text(r);
		items[i].value = get_text(r);
	}
	list->items = items;
	list->count = count;
}

static void get_words(struct reader *r, struct wire_words *words)
{
	uint32_t i, count = get_count(r, 5);
	const char **items = arena_alloc(r->arena, (count + 1) * sizeof *items);

	for (i = 0; i < count; i++)
		items[i] = get_text(r);
	items[count] = NULL;
	words->items = items;
	words->count = count;
}

/* Check the header and stand behind it. */
static int open_message(
	struct reader *r, uint64_t *id, const void *data, size_t len, uint32_t kind, struct err *e)
{
	memset(r, 0, sizeof *r);
	if (wire_kind(data, len, id) != kind)
		return err_set(e, ERR_CORRUPT, "message of %zu bytes is not of kind %u", len, kind);
	r->at = (const unsigned char *)data + HEADER_SIZE;
	r->left = len - HEADER_SIZE;
	return 0;
}

static int close_message(const struct reader *r, const char *what, struct err *e)
{
	if (r->bad || r->left != 0)
		return err_set(e, ERR_CORRUPT, "%s message is damaged", what);
	return 0;
}

uint32_t wire_kind(const void *data, size_t len, uint64_t *id)
{
	struct reader r = { .at = data, .left = len };
	uint32_t magic = get_u32(&r), kind = get_u32(&r);

	*id = get_u64(&r);
	if (r.bad || magic != WIRE_MAGIC || kind < WIRE_SLOT || kind > WIRE_ENDED)
		return 0;
	return kind;
}

void wire_put_start(struct buf *out, const struct wire_start *s)
{
	put_header(out, WIRE_START, s->id);
	put_u32(out, s->slot);
	put_u32(out, s->stage);
	put_text(out, s->token);
	put_text(out, s->cwd);
	put_words(out, &s->argv);
	put_text(out, s->text);
	put_text(out, s->uses);
	put_text(out, s->entry);
	put_text(out, s->with);
	put_text(out, s->params);
	put_list(out, &s->env);
	put_list(out, &s->secrets);
	put_list(out, &s->deps);
	put_list(out, &s->outs);
	put_list(out, &s->modules);
	put_text(out, s->task);
	put_text(out, s->run_id);
	put_text(out, s->workdir);
	put_text(out, s->report);
	put_text(out, s->checkpoint);
	put_u64(out, s->seed);
	put_u64(out, s->limits.memory_bytes);
	put_u64(out, s->limits.file_bytes);
	put_u32(out, s->limits.cpu_seconds);
	put_u32(out, s->limits.open_files);
	put_u32(out, s->limits.processes);
	put_u32(out, s->attempt);
	put_u32(out, s->threads);
	put_u32(out, s->unsafe);
	put_u32(out, s->isolate);
	put_words(out, &s->hidden);
}

int wire_get_start(
	struct wire_start *s, const void *data, size_t len, struct arena *a, struct err *e)
{
	struct reader r;
	uint64_t id;

	if (open_message(&r, &id, data, len, WIRE_START, e) < 0)
		return e->code;
	r.arena = a;
	memset(s, 0, sizeof *s);
	s->id = id;
	s->slot = get_u32(&r);
	s->stage = get_u32(&r);
	s->token = get_text(&r);
	s->cwd = get_text(&r);
	get_words(&r, &s->argv);
	s->text = get_text(&r);
	s->uses = get_text(&r);
	s->entry = get_text(&r);
	s->with = get_text(&r);
	s->params = get_text(&r);
	get_list(&r, &s->env);
	get_list(&r, &s->secrets);
	get_list(&r, &s->deps);
	get_list(&r, &s->outs);
	get_list(&r, &s->modules);
	s->task = get_text(&r);
	s->run_id = get_text(&r);
	s->workdir = get_text(&r);
	s->report = get_text(&r);
	s->checkpoint = get_text(&r);
	s->seed = get_u64(&r);
	s->limits.memory_bytes = get_u64(&r);
	s->limits.file_bytes = get_u64(&r);
	s->limits.cpu_seconds = get_u32(&r);
	s->limits.open_files = get_u32(&r);
	s->limits.processes = get_u32(&r);
	s->attempt = get_u32(&r);
	s->threads = get_u32(&r);
	s->unsafe = get_u32(&r);
	s->isolate = get_u32(&r);
	get_words(&r, &s->hidden);
	if (s->stage > WIRE_LUA)
		r.bad = 1;
	return close_message(&r, "start", e);
}

void wire_put_slot(struct buf *out, uint32_t slot)
{
	put_header(out, WIRE_SLOT, slot);
}

void wire_put_signal(struct buf *out, uint64_t id, uint32_t signo)
{
	put_header(out, WIRE_SIGNAL, id);
	put_u32(out, signo);
}

int wire_get_signal(uint32_t *signo, const void *data, size_t len, struct err *e)
{
	struct reader r;
	uint64_t id;
	uint32_t n;

	if (open_message(&r, &id, data, len, WIRE_SIGNAL, e) < 0)
		return e->code;
	n = get_u32(&r);
	if (close_message(&r, "signal", e) < 0)
		return e->code;
	*signo = n;
	return 0;
}

void wire_put_ended(struct buf *out, const struct wire_ended *m)
{
	put_header(out, WIRE_ENDED, m->id);
	put_u32(out, m->end);
	put_u32(out, m->value);
	put_u32(out, m->strays);
	put_u64(out, m->user_us);
	put_u64(out, m->system_us);
	put_u64(out, m->peak_rss_kib);
	put_text(out, m->text);
}

int wire_get_ended(struct wire_ended *m, const void *data, size_t len, struct err *e)
{
	struct reader r;
	uint64_t id;

	if (open_message(&r, &id, data, len, WIRE_ENDED, e) < 0)
		return e->code;
	memset(m, 0, sizeof *m);
	m->id = id;
	m->end = get_u32(&r);
	m->value = get_u32(&r);
	m->strays = get_u32(&r);
	m->user_us = get_u64(&r);
	m->system_us = get_u64(&r);
	m->peak_rss_kib = get_u64(&r);
	m->text = get_text(&r);
	if (m->end > END_NOT_FOUND)
		r.bad = 1;
	return close_message(&r, "ended", e);
}

static int send_datagram(int sock, const void *data, size_t len, int fd, struct err *e)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	/* sendmsg only reads what iov_base points at, but its type does not say so. */
	union {
		const void *from;
		void *to;
	} base = { .from = data };
	struct iovec part = { .iov_base = base.to, .iov_len = len };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof control);
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof control.bytes;
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_system(e, "cannot send to the other side");
	return 0;
}

static int write_whole(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The message itself goes into a memfd; only its header, under another kind, and the descriptor go by the socket. */
static int send_by_memfd(int sock, const struct buf *message, struct err *e)
{
	struct buf header = { 0 };
	uint64_t id;
	int fd, rc;

	if (wire_kind(message->data, message->len, &id) != WIRE_START || message->len > WIRE_MAX)
		return err_set(e, ERR_INPUT, "a message of %zu bytes is too large", message->len);
	fd = memfd_create("flow-start", MFD_CLOEXEC);
	if (fd < 0)
		return err_system(e, "cannot make a memory file for a large task");
	if (write_whole(fd, message->data, message->len) < 0) {
		rc = err_system(e, "cannot fill a memory file for a large task");
	} else {
		put_header(&header, WIRE_START_FD, id);
		rc = send_datagram(sock, header.data, header.len, fd, e);
	}
	buf_release(&header);
	(void)close(fd);
	return rc;
}

int wire_send(int sock, const struct buf *message, int fd, struct err *e)
{
	if (message->len > WIRE_INLINE)
		return send_by_memfd(sock, message, e);
	return send_datagram(sock, message->data, message->len, fd, e);
}

/* Keep the first descriptor that came along, close any other. */
static int take_descriptor(struct msghdr *m)
{
	struct cmsghdr *c;
	int kept = -1;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		size_t i, count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (kept < 0)
				kept = fd;
			else
				(void)close(fd);
		}
	}
	return kept;
}

static int read_memfd(struct buf *message, int fd, struct err *e)
{
	struct stat st;
	size_t size;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "a large message came without its memory file");
	if (st.st_size <= 0 || st.st_size > (off_t)WIRE_MAX)
		return err_set(e, ERR_CORRUPT, "a large message has a wrong size");
	size = (size_t)st.st_size;
	buf_clear(message);
	(void)buf_room(message, size);
	while (message->len < size) {
		ssize_t n = pread(
			fd, message->data + message->len, size - message->len, (off_t)message->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_CORRUPT, "a large message is cut short");
		message->len += (size_t)n;
	}
	message->data[size] = '\0';
	return 0;
}

int wire_recv(int sock, struct buf *message, int *fd, struct err *e)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part;
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	uint64_t id;
	ssize_t n;
	int rc;

	buf_clear(message);
	part.iov_base = buf_room(message, WIRE_INLINE + 1);
	part.iov_len = WIRE_INLINE + 1;
	m.msg_control = control.bytes;
	m.msg_controllen = sizeof control.bytes;
	*fd = -1;
	do
		n = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return err_system(e, "cannot receive from the other side");
	message->len = (size_t)n;
	message->data[n] = '\0';
	*fd = take_descriptor(&m);
	if (n == 0)
		return 0;
	if (wire_kind(message->data, message->len, &id) != WIRE_START_FD)
		return 1;
	rc = read_memfd(message, *fd, e);
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	return rc < 0 ? rc : 1;
}
