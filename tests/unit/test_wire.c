#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "stage/wire.h"

static const struct wire_pair env[] = { { "LANG", "C" }, { "EMPTY", "" } };
static const struct wire_pair deps[] = { { "data", "data/train.npy" } };
static const struct wire_pair outs[] = { { "model", "models/m.bin" }, { "log", "l" } };
static const struct wire_pair modules[] = { { "util.x", "lua/util/x.lua" } };
static const char *const argv[] = { "python", "-c", "print('\xC3\xA9')" };

static struct wire_start sample(void)
{
	return (struct wire_start){ .id = UINT64_C(0x1122334455667788),
		.slot = 3,
		.stage = WIRE_LUA,
		.token = "token",
		.cwd = "sub",
		.argv = { argv, 3 },
		.text = "return {}",
		.uses = "lua/x.lua",
		.entry = "x.lua",
		.with = "{\"a\":1}",
		.params = "{}",
		.env = { env, 2 },
		.secrets = { deps, 1 },
		.deps = { deps, 1 },
		.outs = { outs, 2 },
		.modules = { modules, 1 },
		.task = "t@1",
		.run_id = "run",
		.workdir = "w",
		.report = "r",
		.checkpoint = "c",
		.seed = UINT64_MAX,
		.limits = { .memory_bytes = 1u << 30, .file_bytes = 5, .cpu_seconds = 6, .open_files = 7, .processes = 8 },
		.attempt = 2,
		.threads = 8,
		.unsafe = 1 };
}

static void assert_lists_same(const struct wire_list *a, const struct wire_list *b)
{
	uint32_t i;

	assert_int_equal(a->count, b->count);
	for (i = 0; i < a->count; i++) {
		assert_string_equal(a->items[i].name, b->items[i].name);
		assert_string_equal(a->items[i].value, b->items[i].value);
	}
}

static void assert_same(const struct wire_start *a, const struct wire_start *b)
{
	uint32_t i;

	assert_int_equal(a->id, b->id);
	assert_int_equal(a->slot, b->slot);
	assert_int_equal(a->stage, b->stage);
	assert_string_equal(a->token, b->token);
	assert_string_equal(a->cwd, b->cwd);
	assert_lists_same(&a->secrets, &b->secrets);
	assert_int_equal(a->argv.count, b->argv.count);
	for (i = 0; i < a->argv.count; i++)
		assert_string_equal(a->argv.items[i], b->argv.items[i]);
	assert_null(b->argv.items[b->argv.count]);
	assert_string_equal(a->text, b->text);
	assert_string_equal(a->uses, b->uses);
	assert_string_equal(a->entry, b->entry);
	assert_string_equal(a->with, b->with);
	assert_string_equal(a->params, b->params);
	assert_lists_same(&a->env, &b->env);
	assert_lists_same(&a->deps, &b->deps);
	assert_lists_same(&a->outs, &b->outs);
	assert_lists_same(&a->modules, &b->modules);
	assert_string_equal(a->task, b->task);
	assert_string_equal(a->run_id, b->run_id);
	assert_string_equal(a->workdir, b->workdir);
	assert_string_equal(a->report, b->report);
	assert_string_equal(a->checkpoint, b->checkpoint);
	assert_int_equal(a->seed, b->seed);
	assert_int_equal(a->limits.memory_bytes, b->limits.memory_bytes);
	assert_int_equal(a->limits.file_bytes, b->limits.file_bytes);
	assert_int_equal(a->limits.cpu_seconds, b->limits.cpu_seconds);
	assert_int_equal(a->limits.open_files, b->limits.open_files);
	assert_int_equal(a->limits.processes, b->limits.processes);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->threads, b->threads);
	assert_int_equal(a->unsafe, b->unsafe);
}

static void start_comes_back_whole(void **state)
{
	struct wire_start in = sample(), out;
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct err e;
	uint64_t id;

	(void)state;
	wire_put_start(&b, &in);
	assert_int_equal(wire_kind(b.data, b.len, &id), WIRE_START);
	assert_int_equal(id, in.id);
	assert_int_equal(wire_get_start(&out, b.data, b.len, &a, &e), 0);
	assert_same(&in, &out);
	arena_release(&a);
	buf_release(&b);
}

static void small_messages_come_back_whole(void **state)
{
	struct wire_ended in = { .id = 9,
		.end = END_SIGNAL,
		.value = 11,
		.strays = 4,
		.user_us = 1,
		.system_us = UINT64_C(1) << 40,
		.peak_rss_kib = 77,
		.text = "why" };
	struct wire_ended out;
	struct buf b = { 0 };
	struct err e;
	uint32_t signo;
	uint64_t id;

	(void)state;
	wire_put_ended(&b, &in);
	assert_int_equal(wire_get_ended(&out, b.data, b.len, &e), 0);
	assert_int_equal(out.id, 9);
	assert_int_equal(out.end, END_SIGNAL);
	assert_int_equal(out.value, 11);
	assert_int_equal(out.strays, 4);
	assert_int_equal(out.user_us, 1);
	assert_int_equal(out.system_us, in.system_us);
	assert_int_equal(out.peak_rss_kib, 77);
	assert_string_equal(out.text, "why");
	buf_clear(&b);
	wire_put_signal(&b, 5, 15);
	assert_int_equal(wire_get_signal(&signo, b.data, b.len, &e), 0);
	assert_int_equal(signo, 15);
	buf_clear(&b);
	wire_put_slot(&b, 12);
	assert_int_equal(wire_kind(b.data, b.len, &id), WIRE_SLOT);
	assert_int_equal(id, 12);
	buf_release(&b);
}

/* A copy of exactly that length, so that a sanitizer sees every read beyond it. */
static void *exact(const struct buf *b, size_t len)
{
	void *p = malloc(len != 0 ? len : 1);

	assert_non_null(p);
	memcpy(p, b->data, len);
	return p;
}

static void every_truncation_is_refused(void **state)
{
	struct wire_start in = sample(), out;
	struct wire_ended ended = { .text = "text" }, got;
	struct buf b = { 0 };
	struct err e;
	size_t len;

	(void)state;
	wire_put_start(&b, &in);
	for (len = 0; len < b.len; len++) {
		struct arena a = { 0 };
		void *p = exact(&b, len);

		assert_int_equal(wire_get_start(&out, p, len, &a, &e), ERR_CORRUPT);
		arena_release(&a);
		free(p);
	}
	buf_clear(&b);
	wire_put_ended(&b, &ended);
	for (len = 0; len < b.len; len++) {
		void *p = exact(&b, len);

		assert_int_equal(wire_get_ended(&got, p, len, &e), ERR_CORRUPT);
		free(p);
	}
	buf_release(&b);
}

static void trailing_bytes_are_refused(void **state)
{
	struct wire_start in = sample(), out;
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct err e;

	(void)state;
	wire_put_start(&b, &in);
	buf_char(&b, 'x');
	assert_int_equal(wire_get_start(&out, b.data, b.len, &a, &e), ERR_CORRUPT);
	arena_release(&a);
	buf_release(&b);
}

/* Any byte may be wrong: the decoder refuses or gives texts that lie inside, and never reads outside. */
static void garbage_is_survived(void **state)
{
	struct wire_start in = sample(), out;
	struct buf b = { 0 };
	unsigned round;
	struct err e;

	(void)state;
	wire_put_start(&b, &in);
	srandom(1);
	for (round = 0; round < 20000; round++) {
		struct arena a = { 0 };
		unsigned char *p = exact(&b, b.len);
		unsigned i, changes = 1 + (unsigned)random() % 4;

		for (i = 0; i < changes; i++)
			p[16 + (size_t)random() % (b.len - 16)] =
				(unsigned char)(random() % 4 == 0 ? 0xff : random());
		if (wire_get_start(&out, p, b.len, &a, &e) == 0)
			assert_true(strlen(out.token) + strlen(out.task) < b.len);
		arena_release(&a);
		free(p);
	}
	buf_release(&b);
}

static void other_magic_is_no_message(void **state)
{
	struct buf b = { 0 };
	uint64_t id;

	(void)state;
	wire_put_slot(&b, 1);
	b.data[0] = 'X';
	assert_int_equal(wire_kind(b.data, b.len, &id), 0);
	assert_int_equal(wire_kind("", 0, &id), 0);
	buf_release(&b);
}

static void pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void descriptors_travel_and_are_closed_on_exec(void **state)
{
	struct buf b = { 0 }, in = { 0 };
	int ends[2], fd, null = open("/dev/null", O_RDONLY);
	struct err e;

	(void)state;
	pair(ends);
	assert_int_equal(wire_recv(ends[1], &in, &fd, &e), ERR_SYSTEM);
	assert_int_equal(e.sys, EAGAIN);
	wire_put_slot(&b, 7);
	assert_int_equal(wire_send(ends[0], &b, null, &e), 0);
	assert_int_equal(wire_recv(ends[1], &in, &fd, &e), 1);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(in.len, b.len);
	(void)close(fd);
	(void)close(null);
	(void)close(ends[0]);
	assert_int_equal(wire_recv(ends[1], &in, &fd, &e), 0);
	assert_int_equal(wire_send(ends[1], &b, -1, &e), ERR_SYSTEM);
	assert_int_equal(e.sys, EPIPE);
	(void)close(ends[1]);
	buf_release(&b);
	buf_release(&in);
}

static void large_start_goes_by_memory_file(void **state)
{
	struct wire_start s = sample(), out;
	struct arena a = { 0 };
	struct buf b = { 0 }, in = { 0 };
	size_t size = 3u << 20;
	char *text = malloc(size + 1);
	int ends[2], fd;
	struct err e;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	text[size] = '\0';
	s.text = text;
	pair(ends);
	wire_put_start(&b, &s);
	assert_int_equal(wire_send(ends[0], &b, -1, &e), 0);
	assert_int_equal(wire_recv(ends[1], &in, &fd, &e), 1);
	assert_int_equal(fd, -1);
	assert_int_equal(wire_get_start(&out, in.data, in.len, &a, &e), 0);
	assert_same(&s, &out);
	free(text);
	(void)close(ends[0]);
	(void)close(ends[1]);
	arena_release(&a);
	buf_release(&b);
	buf_release(&in);
}

static void start_by_memory_file_without_one_is_refused(void **state)
{
	unsigned char header[16] = { 'F', 'L', 'W', '1', WIRE_START_FD };
	struct buf in = { 0 };
	int ends[2], fd, null = open("/dev/null", O_RDONLY);
	struct buf b = { 0 };
	struct err e;

	(void)state;
	pair(ends);
	buf_add(&b, header, sizeof header);
	assert_int_equal(wire_send(ends[0], &b, -1, &e), 0);
	assert_int_equal(wire_recv(ends[1], &in, &fd, &e), ERR_CORRUPT);
	assert_int_equal(wire_send(ends[0], &b, null, &e), 0);
	assert_int_equal(wire_recv(ends[1], &in, &fd, &e), ERR_CORRUPT);
	assert_int_equal(fd, -1);
	(void)close(null);
	(void)close(ends[0]);
	(void)close(ends[1]);
	buf_release(&b);
	buf_release(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_comes_back_whole),
		cmocka_unit_test(small_messages_come_back_whole),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(trailing_bytes_are_refused),
		cmocka_unit_test(garbage_is_survived),
		cmocka_unit_test(other_magic_is_no_message),
		cmocka_unit_test(descriptors_travel_and_are_closed_on_exec),
		cmocka_unit_test(large_start_goes_by_memory_file),
		cmocka_unit_test(start_by_memory_file_without_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
