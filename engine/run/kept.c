#include "run/kept.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/vec.h"

#define CLEARED   "kept" /* file that names the newest run of which everything is cleared away */
#define RUN_MAX   255

struct pruning {
	int flow_fd;
	struct arena arena;
	uint32_t attempts_left;
	uint64_t bytes_left;
};

struct names {
	const char **items;
	size_t count, cap;
};

/* Run ids are of one length and begin with their time; numbers grow in length first. */
static int compare_age(const char *x, const char *y)
{
	size_t n = strlen(x), m = strlen(y);

	if (n != m)
		return n < m ? 1 : -1;
	return strcmp(y, x);
}

static int newest_first(const void *a, const void *b)
{
	return compare_age(*(const char *const *)a, *(const char *const *)b);
}

static int list(struct pruning *p, const char *folder, struct names *names, struct err *e)
{
	int fd = openat(p->flow_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL)
		return err_system(e, "cannot read `.flow/%s`", folder);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			vec_push(names, arena_strdup(&p->arena, entry->d_name));
	closedir(dir);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof *names->items, newest_first);
	return 0;
}

static bool is_folder(const struct pruning *p, const char *path)
{
	struct stat st;

	return fstatat(p->flow_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* All but its log. */
static int empty(struct pruning *p, const char *path, struct err *e)
{
	struct names names = { 0 };
	int rc = list(p, path, &names, e);
	size_t i;

	for (i = 0; i < names.count && rc == 0; i++)
		if (strcmp(names.items[i], "log") != 0)
			rc = tree_remove(p->flow_fd,
				arena_printf(&p->arena, "%s/%s", path, names.items[i]), e);
	vec_release(&names);
	return rc;
}

static int prune_attempt(struct pruning *p, const char *path, struct err *e)
{
	uint64_t bytes = p->attempts_left > 0 ? tree_bytes(p->flow_fd, path) : 0;

	if (p->attempts_left == 0 || bytes > p->bytes_left)
		return empty(p, path, e);
	p->attempts_left--;
	p->bytes_left -= bytes;
	return 0;
}

/* A run, a task: level 1, 2; below a task lie its attempts. */
static int prune_below(struct pruning *p, const char *path, int level, struct err *e)
{
	struct names names = { 0 };
	int rc = list(p, path, &names, e);
	size_t i;

	for (i = 0; i < names.count && rc == 0; i++) {
		const char *below = arena_printf(&p->arena, "%s/%s", path, names.items[i]);

		if (is_folder(p, below))
			rc = level < 2 ? prune_below(p, below, level + 1, e)
				       : prune_attempt(p, below, e);
	}
	vec_release(&names);
	return rc;
}

/* The run that the last pruning noted, "" when there is none: nothing is to be done in it, or in an older one. */
static const char *cleared_run(struct pruning *p)
{
	struct buf text = { 0 };
	const char *run = "";
	struct err ignored;

	if (file_read(&text, p->flow_fd, CLEARED, RUN_MAX, &ignored) == 0)
		run = buf_in(&text, &p->arena);
	buf_release(&text);
	return run;
}

static int prune_runs(struct pruning *p, struct err *e)
{
	const char *cleared = cleared_run(p), *note = NULL;
	struct names names = { 0 };
	int rc = list(p, "runs", &names, e);
	size_t i;

	for (i = 0; i < names.count && rc == 0; i++) {
		const char *below = arena_printf(&p->arena, "runs/%s", names.items[i]);

		if (cleared[0] != '\0' && compare_age(names.items[i], cleared) >= 0)
			break;
		if (p->attempts_left == 0 && note == NULL)
			note = names.items[i];
		if (is_folder(p, below))
			rc = prune_below(p, below, 1, e);
	}
	vec_release(&names);
	/* Not before all of it is done. */
	if (rc == 0 && note != NULL)
		rc = file_write_atomic(p->flow_fd, CLEARED, note, strlen(note), 0600, e);
	return rc;
}

int kept_prune(int flow_fd, uint32_t attempts, uint64_t bytes, struct err *e)
{
	struct pruning p = { .flow_fd = flow_fd, .attempts_left = attempts, .bytes_left = bytes };
	int rc = prune_runs(&p, e);

	arena_release(&p.arena);
	return rc;
}

/* 'it'\''s' */
static void put_quoted(struct buf *out, const char *text, const char *work, const char *folder)
{
	size_t work_len = strlen(work);

	buf_char(out, '\'');
	while (*text != '\0') {
		if (strncmp(text, work, work_len) == 0) {
			buf_str(out, folder);
			text += work_len;
		} else if (*text == '\'') {
			buf_str(out, "'\\''");
			text++;
		} else {
			buf_char(out, *text++);
		}
	}
	buf_char(out, '\'');
}

int kept_environment(int flow_fd, const char *folder, char *const *block, const char *work, struct err *e)
{
	struct buf text = { 0 };
	char path[1024], aside[1100];
	int rc;

	for (; *block != NULL; block++) {
		const char *equals = strchr(*block, '=');

		/* By this one the next run would know a shell as left over from it, and end it. */
		if (strncmp(*block, "FLOW_ATTEMPT=", 13) == 0)
			continue;
		buf_printf(&text, "export %.*s=", (int)(equals - *block), *block);
		put_quoted(&text, equals + 1, work, folder);
		buf_char(&text, '\n');
	}
	(void)snprintf(path, sizeof path, "%s/" KEPT_ENVIRONMENT, folder);
	(void)snprintf(aside, sizeof aside, "%s.of-stage", path);
	(void)renameat(flow_fd, path, flow_fd, aside);
	rc = file_write_atomic(flow_fd, path, buf_text(&text), text.len, 0600, e);
	buf_release(&text);
	return rc;
}
