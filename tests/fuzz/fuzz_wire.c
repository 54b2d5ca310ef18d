/*
 * The input is a message between flow and flow-worker: alone, over the socket, and in the memory file of a large one. It is
 * also what to change (fuzz_patch) in a START.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "fuzz.h"
#include "stage/wire.h"

/* What was understood is written just so. */
static void decode(const void *data, size_t size)
{
	struct arena arena = { 0 };
	struct buf again = { 0 };
	struct wire_start start;
	struct wire_ended ended;
	uint32_t signo, kind;
	struct err e;
	uint64_t id;

	kind = wire_kind(data, size, &id);
	if (wire_get_start(&start, data, size, &arena, &e) == 0) {
		FUZZ_CHECK(kind == WIRE_START);
		wire_put_start(&again, &start);
	} else if (wire_get_ended(&ended, data, size, &e) == 0) {
		FUZZ_CHECK(kind == WIRE_ENDED);
		wire_put_ended(&again, &ended);
	} else if (wire_get_signal(&signo, data, size, &e) == 0) {
		FUZZ_CHECK(kind == WIRE_SIGNAL);
		wire_put_signal(&again, id, signo);
	}
	FUZZ_CHECK(again.len == 0 || (again.len == size && memcmp(again.data, data, size) == 0));
	buf_release(&again);
	arena_release(&arena);
}

/* A whole START with some of its bytes changed: its lengths are seldom right in bytes out of nothing. */
static void decode_start(const uint8_t *input, size_t size)
{
	static const char *const words[] = { "python", "a b.py" };
	static const struct wire_pair pairs[] = { { "data", "data/x" }, { "", "" } };
	const struct wire_start start = { .id = 7, .stage = WIRE_LUA, .token = "token", .cwd = "sub",
		.argv = { words, 2 }, .text = "return {}", .uses = "./x.lua", .entry = "x", .with = "{}",
		.params = "{\"a\":1}", .env = { pairs, 2 }, .deps = { pairs, 1 }, .outs = { pairs, 1 },
		.modules = { pairs, 2 }, .task = "t@1", .run_id = "run", .workdir = "runs/w", .report = "r",
		.checkpoint = "", .seed = 1, .attempt = 1, .threads = 2 };
	struct buf message = { 0 };

	wire_put_start(&message, &start);
	fuzz_patch((unsigned char *)message.data, message.len, input, size);
	decode(message.data, message.len);
	buf_release(&message);
}

static void receive(int sock)
{
	struct buf message = { 0 };
	struct err e;
	int fd = -1;

	if (wire_recv(sock, &message, &fd, &e) == 1)
		decode(message.data, message.len);
	if (fd >= 0)
		(void)close(fd);
	buf_release(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf large = { 0 }, piece = { 0 };
	int pair[2], file;
	struct err e;

	decode(data, size);
	decode_start(data, size);
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	buf_add(&piece, data, size);
	if (size > 0 && wire_send(pair[0], &piece, -1, &e) == 0)
		receive(pair[1]);
	file = memfd_create("message", MFD_CLOEXEC);
	FUZZ_CHECK(file >= 0 && write(file, data, size) == (ssize_t)size);
	wire_put_signal(&large, 7, 9);
	large.data[4] = WIRE_START_FD;
	if (wire_send(pair[0], &large, file, &e) == 0)
		receive(pair[1]);
	(void)close(file);
	(void)close(pair[0]);
	(void)close(pair[1]);
	buf_release(&large);
	buf_release(&piece);
	return 0;
}
