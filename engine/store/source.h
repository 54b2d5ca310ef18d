/*
 * store/source.h - which commit the work tree is at, and how it differs.
 *
 *     source_ask(&s, helper, root, e)     starts `flow-source` beside the first stages
 *     poll s.fd for reading; source_read(&s, &answer, &arena, e): 1 done, 0 not yet, or an error
 *     source_close(&s)                    ends the helper if it still runs
 *
 * libgit2 runs in a helper process of its own: it takes longer to load than a run with nothing to do, looking at 10,000 files
 * takes tens of milliseconds that the first stages can use, and a hostile repository can crash only the helper.
 *
 * The answer is text: `key value` lines (commit, branch, dirty, note), then `patch LEN` and LEN bytes.
 */
#ifndef FLOW_STORE_SOURCE_H
#define FLOW_STORE_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct arena;
struct err;

struct source {
	int fd;            /* -1: not asked, or done */
	pid_t pid;
	struct buf text;
};

struct source_answer {
	const char *commit; /* 40 hex digits, or "" */
	const char *branch; /* "main", "" when detached */
	const char *note;   /* why there is no commit, or "" */
	uint32_t dirty;     /* files that differ from the commit, untracked ones included */
	const char *patch;  /* the difference of tracked files, git's binary patch format */
	size_t patch_len;
};

int source_ask(struct source *s, const char *helper, const char *root, struct err *e);
int source_read(struct source *s, struct source_answer *answer, struct arena *a, struct err *e);
void source_close(struct source *s);

#endif
