#include "../support/store.h"

#include <sys/socket.h>

#include "run/exec.h"
#include "run/slots.h"

#define UUID "01900000-0000-7000-8000-000000000000"

static struct store s;
static struct slots slots;
static struct exec exec;
static int worker; /* the other end of its socket */

static int setup(void **state)
{
	int ends[2];
	struct err e;

	(void)state;
	store_open(&s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	exec = (struct exec){ .sock = ends[0] };
	worker = ends[1];
	GOOD(slots_open(&slots, &s.project, UUID, 3, &exec, &e));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slots_close(&slots);
	(void)close(exec.sock);
	(void)close(worker);
	buf_release(&exec.message);
	store_close(&s);
	return 0;
}

static uint32_t take(void)
{
	uint32_t slot = 99;
	struct err e;

	GOOD(slots_take(&slots, &slot, &e));
	assert_true(slot < 3);
	return slot;
}

static void give(uint32_t slot)
{
	struct err e;

	GOOD(slots_give(&slots, slot, &e));
}

static void write_log(uint32_t slot, const char *text)
{
	struct err e;

	GOOD(file_write_all(slots.items[slot].log_fd, text, strlen(text), &e));
}

/* A path in the slot's work folder, below the project. */
static const char *inside(uint32_t slot, const char *name)
{
	static char path[200];

	(void)snprintf(path, sizeof path, ".flow/%s/%s", slots.items[slot].folder, name);
	return path;
}

/* How many log descriptors the worker was sent since the last time. */
static unsigned sent(void)
{
	struct buf message = { 0 };
	unsigned count = 0;
	struct err e;
	int fd;

	while (wire_recv(worker, &message, &fd, &e) == 1) {
		if (fd >= 0)
			(void)close(fd);
		count += fd >= 0;
	}
	buf_release(&message);
	return count;
}

static void lowest_free_slot_is_taken(void **state)
{
	(void)state;
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 2);
	give(1);
	assert_int_equal(take(), 1);
}

static void attempts_of_a_slot_share_its_log(void **state)
{
	uint32_t slot = take();
	struct slot *at = &slots.items[slot];

	(void)state;
	assert_string_equal(at->log, "logs/" UUID "/0.log");
	assert_int_equal(at->log_from, 0);
	write_log(slot, "first\n");
	assert_int_equal(slot_log_size(at), 6);
	give(slot);
	assert_int_equal(take(), slot);
	assert_int_equal(at->log_from, 6);
	assert_int_equal(slot_log_size(at), 0);
	write_log(slot, "second\n");
	assert_int_equal(slot_log_size(at), 7);
	assert_string_equal(folder_text(&s.folder, ".flow/logs/" UUID "/0.log"), "first\nsecond\n");
	assert_int_equal(folder_mode(&s.folder, ".flow/logs/" UUID "/0.log"), 0600);
}

static void worker_gets_each_log_once(void **state)
{
	(void)state;
	(void)take();
	(void)take();
	assert_int_equal(sent(), 2);
	give(0);
	(void)take();
	assert_int_equal(sent(), 0);
	slots_lost(&slots); /* a new worker knows nothing */
	give(0);
	(void)take();
	assert_int_equal(sent(), 1);
}

static void untouched_folder_serves_the_next_attempt(void **state)
{
	uint32_t slot = take();
	char first[96];

	(void)state;
	memcpy(first, slots.items[slot].folder, sizeof first);
	assert_int_equal(folder_mode(&s.folder, inside(slot, ".")), 0700);
	assert_false(slot_is_spoilt(&slots, &slots.items[slot]));
	/* Whatever the file system's clock ticks in, a file in it makes it younger. */
	assert_true(folder_stat(&s.folder, inside(slot, ".")).st_mtim.tv_sec < time(NULL) - 3600);
	give(slot);
	(void)take();
	assert_string_equal(slots.items[slot].folder, first);
}

/* At once: within the tick of the file system's clock in which the folder was made. */
static void folder_that_was_written_to_is_not_used_again(void **state)
{
	char first[96];
	uint32_t slot;
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		slot = take();
		memcpy(first, slots.items[slot].folder, sizeof first);
		folder_write(&s.folder, inside(slot, "x"), "");
		assert_true(slot_is_spoilt(&slots, &slots.items[slot]));
		give(slot);
		slot = take();
		assert_string_not_equal(slots.items[slot].folder, first);
		assert_false(file_exists(s.folder.fd, inside(slot, "x")));
		give(slot);
		slots.items[slot].folder[0] = '\0'; /* a fresh one for the next round */
	}
}

static void file_that_came_and_went_is_noticed(void **state)
{
	uint32_t slot = take();

	(void)state;
	folder_write(&s.folder, inside(slot, "x"), "");
	assert_int_equal(unlinkat(s.folder.fd, inside(slot, "x"), 0), 0);
	assert_true(slot_is_spoilt(&slots, &slots.items[slot]));
}

static void failed_attempt_keeps_its_folder_and_log(void **state)
{
	uint32_t slot = take();
	struct buf big = { 0 };
	struct err e;

	(void)state;
	write_log(slot, "of another attempt\n");
	give(slot);
	(void)take();
	folder_write(&s.folder, inside(slot, "partial"), "half");
	buf_repeat(&big, 'x', 200000);
	write_log(slot, buf_text(&big));
	GOOD(slots_keep(&slots, slot, "runs/" UUID "/train@a/1", &e));
	assert_string_equal(folder_text(&s.folder, ".flow/runs/" UUID "/train@a/1/partial"), "half");
	assert_string_equal(folder_text(&s.folder, ".flow/runs/" UUID "/train@a/1/log"), buf_text(&big));
	assert_int_equal(take(), slot);
	assert_false(file_exists(s.folder.fd, inside(slot, "partial")));
	buf_release(&big);
}

/* A stage may have removed its own folder, or put a link in its place. */
static void folder_that_is_gone_is_no_trouble(void **state)
{
	uint32_t slot = take();
	struct err e;

	(void)state;
	write_log(slot, "why\n");
	GOOD(tree_remove(s.project.flow_fd, slots.items[slot].folder, &e));
	GOOD(slots_keep(&slots, slot, "runs/" UUID "/a/1", &e));
	assert_string_equal(folder_text(&s.folder, ".flow/runs/" UUID "/a/1/log"), "why\n");
	(void)take();
	GOOD(tree_remove(s.project.flow_fd, slots.items[slot].folder, &e));
	give(slot);
	(void)take();
	assert_true(file_exists(s.folder.fd, inside(slot, ".")));
}

static void link_in_its_place_is_not_followed(void **state)
{
	uint32_t slot = take();
	struct err e;

	(void)state;
	folder_make_one(&s.folder, "elsewhere");
	GOOD(tree_remove(s.project.flow_fd, slots.items[slot].folder, &e));
	assert_int_equal(symlinkat("../../elsewhere", s.project.flow_fd, slots.items[slot].folder), 0);
	write_log(slot, "why\n");
	GOOD(slots_keep(&slots, slot, "runs/" UUID "/a/1", &e));
	assert_false(file_exists(s.folder.fd, "elsewhere/log"));
	assert_string_equal(folder_text(&s.folder, ".flow/runs/" UUID "/a/1/log"), "why\n");
}

static void log_of_the_stages_own_stays_too(void **state)
{
	uint32_t slot = take();
	struct err e;

	(void)state;
	folder_write(&s.folder, inside(slot, "log/a"), "mine");
	write_log(slot, "why\n");
	GOOD(slots_keep(&slots, slot, "runs/" UUID "/a/1", &e));
	assert_string_equal(folder_text(&s.folder, ".flow/runs/" UUID "/a/1/log"), "why\n");
	assert_string_equal(folder_text(&s.folder, ".flow/runs/" UUID "/a/1/log.of-stage/a"), "mine");
}

static void closing_leaves_no_folder_behind(void **state)
{
	char kept[200];
	uint32_t slot;
	struct err e;

	(void)state;
	slot = take();
	(void)snprintf(kept, sizeof kept, "%s", inside(slot, "."));
	give(slot);
	slots_close(&slots);
	assert_false(file_exists(s.folder.fd, kept));
	GOOD(slots_open(&slots, &s.project, UUID, 3, &exec, &e));
	slot = take(); /* the same run once more: names that are taken are passed over */
	(void)snprintf(kept, sizeof kept, "%s", inside(slot, "."));
	slots_close(&slots);
	assert_true(file_exists(s.folder.fd, kept)); /* of an attempt that is under way */
	GOOD(slots_open(&slots, &s.project, UUID, 3, &exec, &e));
	slot = take();
	assert_string_not_equal(kept, inside(slot, "."));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lowest_free_slot_is_taken),
		TEST(attempts_of_a_slot_share_its_log),
		TEST(worker_gets_each_log_once),
		TEST(untouched_folder_serves_the_next_attempt),
		TEST(folder_that_was_written_to_is_not_used_again),
		TEST(file_that_came_and_went_is_noticed),
		TEST(failed_attempt_keeps_its_folder_and_log),
		TEST(folder_that_is_gone_is_no_trouble),
		TEST(link_in_its_place_is_not_followed),
		TEST(log_of_the_stages_own_stays_too),
		TEST(closing_leaves_no_folder_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
