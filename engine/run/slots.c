#include "run/slots.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/mem.h"
#include "run/exec.h"
#include "store/gap.h"
#include "store/project.h"

int slots_open(struct slots *s, const struct project *p, const char *uuid, uint32_t jobs,
	struct exec *exec, struct err *e)
{
	char folder[64];
	uint32_t i;

	memset(s, 0, sizeof *s);
	s->project = p;
	s->exec = exec;
	s->count = jobs;
	s->items = mem_zalloc(jobs * sizeof *s->items);
	(void)snprintf(s->uuid, sizeof s->uuid, "%s", uuid);
	for (i = 0; i < jobs; i++)
		s->items[i].log_fd = -1;
	(void)snprintf(folder, sizeof folder, "logs/%s", uuid);
	return folder_make(p->flow_fd, folder, 0700, e);
}

int slots_log(struct slots *s, uint32_t at, struct err *e)
{
	struct slot *slot = &s->items[at];

	if (slot->log_fd < 0) {
		(void)snprintf(slot->log, sizeof slot->log,
			slot->logs == 0 ? "logs/%s/%u.log" : "logs/%s/%u-%u.log", s->uuid, at, slot->logs);
		slot->log_fd = openat(s->project->flow_fd, slot->log,
			O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (slot->log_fd < 0)
			return err_system(e, "cannot open `.flow/%s`", slot->log);
	}
	if (slot->sent)
		return 0;
	/* A worker that has just died is noticed by the loop; the next one is sent the log before a start. */
	slot->sent = exec_slot(s->exec, at, slot->log_fd, e) == 0;
	return slot->sent || e->sys == EPIPE || e->sys == ECONNRESET ? 0 : e->code;
}

static int64_t folder_time(const struct slots *s, const struct slot *slot)
{
	struct stat st;

	if (fstatat(s->project->flow_fd, slot->folder, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
}

static int make_folder(struct slots *s, struct slot *slot, struct err *e)
{
	/* Older than any clock will say: a file written in the tick in which the folder is made still changes its time. */
	static const struct timespec old[2] = { { 1, 0 }, { 1, 0 } };

	do {
		(void)snprintf(
			slot->folder, sizeof slot->folder, "work/%.36s.%u", s->uuid, s->serial++);
		if (mkdirat(s->project->flow_fd, slot->folder, 0700) == 0) {
			(void)utimensat(s->project->flow_fd, slot->folder, old, 0);
			slot->pristine_ns = folder_time(s, slot);
			return 0;
		}
	} while (errno == EEXIST);
	return err_system(e, "cannot make `.flow/%s`", slot->folder);
}

bool slot_is_spoilt(const struct slots *s, const struct slot *slot)
{
	return folder_time(s, slot) != slot->pristine_ns;
}

uint64_t slot_log_size(const struct slot *slot)
{
	struct stat st;

	if (fstat(slot->log_fd, &st) < 0 || (uint64_t)st.st_size < slot->log_from)
		return 0;
	return (uint64_t)st.st_size - slot->log_from;
}

bool slot_log_cut(const struct slot *slot, uint64_t most)
{
	return gap_cut(slot->log_fd, slot->log_from, slot->log_from + slot_log_size(slot), most);
}

uint64_t slot_log_kept(const struct slot *slot)
{
	uint64_t size = slot_log_size(slot);
	char text[GAP_TEXT];
	struct gap gap;

	gap_find(slot->log_fd, slot->log_from, slot->log_from + size, &gap);
	return gap.from == gap.to ? size : size - (gap.to - gap.from) + gap_text(&gap, text);
}

int slots_take(struct slots *s, uint32_t *at, struct err *e)
{
	struct slot *slot;
	uint32_t i = 0;

	while (i + 1 < s->count && s->items[i].taken)
		i++;
	slot = &s->items[i];
	if (slots_log(s, i, e) < 0)
		return e->code;
	slot->log_from += slot_log_size(slot);
	if (slot->folder[0] == '\0' && make_folder(s, slot, e) < 0)
		return e->code;
	slot->taken = true;
	*at = i;
	return 0;
}

int slots_fresh(struct slots *s, uint32_t at, struct err *e)
{
	struct slot *slot = &s->items[at];

	if (slot->log_from == 0)
		return 0;
	close(slot->log_fd);
	slot->log_fd = -1;
	slot->log_from = 0;
	slot->logs++;
	slot->sent = false;
	return slots_log(s, at, e);
}

int slots_give(struct slots *s, uint32_t at, struct err *e)
{
	struct slot *slot = &s->items[at];

	slot->taken = false;
	if (!slot_is_spoilt(s, slot))
		return 0;
	if (tree_remove(s->project->flow_fd, slot->folder, e) < 0)
		return e->code;
	slot->folder[0] = '\0';
	return 0;
}

static int copy_part(int to, int fd, uint64_t from, uint64_t end, struct err *e)
{
	int rc = 0;

	while (rc == 0 && from < end) {
		char chunk[65536];
		ssize_t n = pread(fd, chunk, end - from < sizeof chunk ? end - from : sizeof chunk, (off_t)from);

		if (n <= 0)
			break;
		rc = file_write_all(to, chunk, (size_t)n, e);
		from += (uint64_t)n;
	}
	return rc;
}

/* The attempt's part of the slot's log as a file of its own, with a line in the place of what was cut out. */
static int copy_log(struct slots *s, struct slot *slot, const char *folder, struct err *e)
{
	uint64_t end = slot->log_from + slot_log_size(slot);
	char path[4096], aside[4096], text[GAP_TEXT];
	struct gap gap;
	int to, rc;

	(void)snprintf(path, sizeof path, "%s/log", folder);
	(void)snprintf(aside, sizeof aside, "%s/log.of-stage", folder);
	(void)renameat(s->project->flow_fd, path, s->project->flow_fd,
		aside); /* the attempt may have one too */
	to = openat(s->project->flow_fd, path,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return err_system(e, "cannot create `.flow/%s`", path);
	gap_find(slot->log_fd, slot->log_from, end, &gap);
	rc = copy_part(to, slot->log_fd, slot->log_from, gap.from, e);
	if (rc == 0 && gap.from < gap.to)
		rc = file_write_all(to, text, gap_text(&gap, text), e);
	if (rc == 0)
		rc = copy_part(to, slot->log_fd, gap.to, end, e);
	close(to);
	return rc;
}

int slots_keep(struct slots *s, uint32_t at, const char *folder, struct err *e)
{
	struct slot *slot = &s->items[at];

	int flow = s->project->flow_fd;
	struct stat st;

	if (FAILPOINT("slots.keep", e) < 0 || folder_make_parents(flow, folder, 0700, e) < 0)
		return e->code;
	if (fstatat(flow, slot->folder, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
		/* The attempt did away with it: its log is all there is to keep. */
		if (tree_remove(flow, slot->folder, e) < 0 ||
			folder_make(flow, folder, 0700, e) < 0)
			return e->code;
	} else if (renameat(flow, slot->folder, flow, folder) < 0) {
		return err_system(e, "cannot keep the folder of a failed attempt");
	}
	/* Not before: what a recovery needs lies in a folder that slots_close() would remove. */
	slot->taken = false;
	slot->folder[0] = '\0';
	if (FAILPOINT("slots.kept", e) < 0)
		return e->code;
	return copy_log(s, slot, folder, e);
}

void slots_lost(struct slots *s)
{
	uint32_t i;

	for (i = 0; i < s->count; i++)
		s->items[i].sent = false;
}

void slots_close(struct slots *s)
{
	struct err e;
	uint32_t i;

	for (i = 0; i < s->count && s->items != NULL; i++) {
		struct slot *slot = &s->items[i];

		if (slot->folder[0] != '\0' && !slot->taken)
			(void)tree_remove(s->project->flow_fd, slot->folder, &e);
		if (slot->log_fd >= 0)
			close(slot->log_fd);
	}
	free(s->items);
	s->items = NULL;
}
