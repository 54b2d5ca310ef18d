/*
 * store/source.h - which commit the work tree is at, and how it differs.
 *
 *     source_ask(&s, helper, root, questions, len, e)   starts `flow-source` beside the first stages
 *     poll s.fd for reading; source_read(&s, &answer, &arena, e): 1 done, 0 not yet, or an error
 *     source_close(&s)                                  ends the helper if it still runs
 *
 *     source_checkout(helper, root, commit, folder, &arena, &place, e)   a commit's files, in a new folder
 *     source_log(helper, root, a, b, &arena, &log, e)                    what lies between two commits
 *
 * libgit2 runs in a helper process of its own: it takes longer to load than a run with nothing to do, looking at 10,000 files
 * takes tens of milliseconds that the first stages can use, and a hostile repository can crash only the helper.
 *
 * Questions are paths of the project, each ended by a NUL: "o" and an out of a task, which is left out of the patch; "d" and a file
 * or folder that tasks read: what git could not give back of it is answered as loose.
 * The answer is text: `key value` lines (commit, branch, dirty, note, changed, gone, loose), then `patch LEN` and LEN bytes. The
 * commit and the files that changed, untracked ones included, together are the work tree, but for loose files and those that tasks make.
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

struct source_paths {
	const char **items;
	size_t count, cap;
};

struct source_answer {
	const char *commit; /* 40 hex digits, or "" */
	const char *branch; /* "main", "" when detached */
	const char *note;   /* why there is no commit, or "" */
	uint32_t dirty;     /* files that differ from the commit, untracked ones included */
	const char *patch;  /* the difference, untracked files included, in git's binary patch format */
	size_t patch_len;
	struct source_paths changed, gone, loose; /* files */
};

void source_answer_release(struct source_answer *answer); /* the lists; texts are the arena's */

int source_ask(struct source *s, const char *helper, const char *root, const void *questions, size_t len, struct err *e);
int source_read(struct source *s, struct source_answer *answer, struct arena *a, struct err *e);
void source_close(struct source *s);

struct source_place {
	const char *folder;     /* of the project, below the folder that was checked out; "" for itself */
	const char *submodules; /* that were not checked out, "a, b", or "" */
};

/* ERR_NOTFOUND with git's reason when it cannot be made. */
int source_checkout(const char *helper, const char *root, const char *commit, const char *folder, struct arena *a,
	struct source_place *out, struct err *e);

struct source_commit {
	const char *id, *summary;
};

struct source_file {
	const char *path;
	long added, removed;    /* lines; -1: binary */
};

struct source_log {
	const char *way;        /* "same", "forward", "back", "apart" */
	struct { struct source_commit *items; size_t count, cap; } commits; /* made on the way from A to B; way back: undone; none when they are apart */
	struct { struct source_file *items; size_t count, cap; } files;
};

/* Lists are in the arena. ERR_NOTFOUND with git's reason when it cannot say. */
int source_log(const char *helper, const char *root, const char *from, const char *to, struct arena *a, struct source_log *out,
	struct err *e);

#endif
