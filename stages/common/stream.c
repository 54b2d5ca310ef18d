#include "common/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "common/fault.h"
#include "common/text.h"

#define INPUT_SIZE  ((size_t)256 << 10)
#define WINDOW_LOG  27 /* zstd: memory of at most 128 MiB */
#define GZIP_WINDOW (15 + 16)

struct unpacker {
	int is_zstd;
	z_stream gzip;
	ZSTD_DStream *zstd;
	unsigned char *input;
	size_t at, filled;
	int ended;   /* the file has no more bytes */
	int between; /* a member ended; nothing of the next was seen */
};

/* -1 with errno: cannot. */
static long read_some(struct stream *s, void *to, size_t size)
{
	ssize_t got;

	do
		got = read(s->fd, to, size);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		s->taken += (uint64_t)got;
	return (long)got;
}

static int open_unpacker(struct stream *s, int is_zstd, struct fault *fault)
{
	struct unpacker *u = array_new(1, sizeof *u);

	s->unpacker = u;
	u->is_zstd = is_zstd;
	u->between = 1;
	u->input = array_new(INPUT_SIZE, 1);
	if (!is_zstd)
		return inflateInit2(&u->gzip, GZIP_WINDOW) == Z_OK
			       ? 0
			       : fault_set(fault, "no memory to unpack '%s'", s->path);
	u->zstd = ZSTD_createDStream();
	if (u->zstd == NULL ||
		ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG)))
		return fault_set(fault, "no memory to unpack '%s'", s->path);
	return 0;
}

static int look(struct stream *s, struct fault *fault)
{
	static const unsigned char gzip[2] = { 0x1f, 0x8b };
	static const unsigned char zstd[4] = { 0x28, 0xb5, 0x2f, 0xfd };
	long got;

	s->first = array_new(8, 1);
	while (s->first_size < sizeof zstd) {
		got = read_some(s, s->first + s->first_size, sizeof zstd - s->first_size);
		if (got < 0)
			return fault_system(fault, "cannot read '%s'", s->path);
		if (got == 0)
			break;
		s->first_size += (size_t)got;
	}
	if (s->first_size >= sizeof gzip && memcmp(s->first, gzip, sizeof gzip) == 0)
		return open_unpacker(s, 0, fault);
	if (s->first_size == sizeof zstd && memcmp(s->first, zstd, sizeof zstd) == 0)
		return open_unpacker(s, 1, fault);
	return 0;
}

int stream_open(struct stream *stream, const char *path, struct fault *fault)
{
	struct stream made = { .path = path };
	struct stat status;

	made.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (made.fd < 0)
		return fault_system(fault, "cannot open '%s'", path);
	if (fstat(made.fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		(void)close(made.fd);
		return fault_set(fault, "'%s' is a folder", path);
	}
	if (S_ISREG(status.st_mode))
		made.size = (uint64_t)status.st_size;
	if (look(&made, fault) < 0) {
		stream_close(&made);
		return -1;
	}
	*stream = made;
	return 0;
}

static long read_plain(struct stream *s, unsigned char *to, size_t size, struct fault *fault)
{
	size_t done = s->first_size - s->first_at;

	if (done > size)
		done = size;
	memcpy(to, s->first + s->first_at, done);
	s->first_at += done;
	while (done < size) {
		long got = read_some(s, to + done, size - done);

		if (got < 0)
			return fault_system(fault, "cannot read '%s'", s->path);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (long)done;
}

static int refill(struct stream *s, struct fault *fault)
{
	struct unpacker *u = s->unpacker;
	long got = read_plain(s, u->input, INPUT_SIZE, fault);

	if (got < 0)
		return -1;
	u->at = 0;
	u->filled = (size_t)got;
	u->ended = got == 0;
	return 0;
}

/* One call of the library: takes from input, gives at most `size`. */
static long unpack_gzip(struct stream *s, unsigned char *to, size_t size, struct fault *fault)
{
	struct unpacker *u = s->unpacker;
	unsigned piece = size < (1u << 30) ? (unsigned)size : 1u << 30;
	int rc;

	if (u->between && inflateReset(&u->gzip) != Z_OK)
		return fault_set(fault, "cannot unpack '%s'", s->path);
	u->between = 0;
	u->gzip.next_in = u->input + u->at;
	u->gzip.avail_in = (unsigned)(u->filled - u->at);
	u->gzip.next_out = to;
	u->gzip.avail_out = piece;
	rc = inflate(&u->gzip, Z_NO_FLUSH);
	u->at = u->filled - u->gzip.avail_in;
	if (rc == Z_STREAM_END)
		u->between = 1;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return fault_set(fault, "'%s' is damaged: %s", s->path,
			u->gzip.msg != NULL ? u->gzip.msg : "not gzip");
	return (long)(piece - u->gzip.avail_out);
}

static long unpack_zstd(struct stream *s, unsigned char *to, size_t size, struct fault *fault)
{
	struct unpacker *u = s->unpacker;
	ZSTD_inBuffer in = { u->input, u->filled, u->at };
	ZSTD_outBuffer out = { to, size, 0 };
	size_t rc = ZSTD_decompressStream(u->zstd, &out, &in);

	if (ZSTD_isError(rc))
		return fault_set(fault, "'%s' is damaged: %s", s->path, ZSTD_getErrorName(rc));
	u->at = in.pos;
	u->between = rc == 0;
	return (long)out.pos;
}

static long read_packed(struct stream *s, unsigned char *to, size_t size, struct fault *fault)
{
	struct unpacker *u = s->unpacker;
	size_t done = 0;

	while (done < size) {
		long got;

		if (u->at == u->filled && !u->ended && refill(s, fault) < 0)
			return -1;
		if (u->ended && u->between)
			break;
		got = u->is_zstd ? unpack_zstd(s, to + done, size - done, fault)
				 : unpack_gzip(s, to + done, size - done, fault);
		if (got < 0)
			return -1;
		if (got == 0 && u->ended && !u->between)
			return fault_set(fault, "'%s' ends in the middle: it was cut", s->path);
		done += (size_t)got;
	}
	return (long)done;
}

long stream_read(struct stream *stream, void *to, size_t size, struct fault *fault)
{
	if (stream->unpacker != NULL)
		return read_packed(stream, to, size, fault);
	return read_plain(stream, to, size, fault);
}

void stream_close(struct stream *stream)
{
	struct unpacker *u = stream->unpacker;

	if (stream->first == NULL)
		return;
	if (u != NULL) {
		if (u->is_zstd)
			(void)ZSTD_freeDStream(u->zstd);
		else
			(void)inflateEnd(&u->gzip);
		free(u->input);
		free(u);
	}
	free(stream->first);
	(void)close(stream->fd);
	*stream = (struct stream){ 0 };
}
