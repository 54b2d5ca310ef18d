/*
 * store/tree.h - the digest of what lies at a path: a file's bytes, or a folder's manifest.
 *
 * A manifest is text, one line an entry in the order of its path: `100644 <digest> <size> <path>`, 100755 for a file that may
 * be executed, `120000 - 0 <path>\t<target>` for a link; a line break, tab or backslash in a name stands as \n, \t, \\. Two
 * folders are the same when their manifests are; empty folders do not count. Links that leave the folder, and anything that is
 * neither file, folder nor link, are refused. Depth and number of entries are bounded.
 */
#ifndef FLOW_STORE_TREE_H
#define FLOW_STORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct arena;
struct buf;
struct digest;
struct err;

#define TREE_ENTRIES_MAX 2000000u
#define TREE_DEPTH_MAX   64u

/* Hash an open regular file from its beginning. ERR_INPUT "changed while it was read" when its size or times moved. */
bool file_same(const struct stat *a, const struct stat *b); /* size and time of the last write */
int file_hash(int fd, const struct stat *before, struct digest *out, struct err *e);

struct tree_entry {
	const char *path;          /* below the folder */
	const char *target;        /* of a link, else NULL */
	struct stat st;
};

/* All entries below a folder, sorted by path; those of "." without .flow. Allocated in the arena. */
int tree_list(int dir, const char *path, struct arena *a, struct tree_entry **entries, size_t *count,
	struct err *e);

/* The same; regular files for which `unseen` says so, by their path below the folder, are not looked at: their st is all zero. */
struct tree_filter {
	bool (*unseen)(void *user, const char *path);
	void *user;
};
int tree_list_some(int dir, const char *path, const struct tree_filter *filter, struct arena *a,
	struct tree_entry **entries, size_t *count, struct err *e);

/* One line of a manifest. */
void manifest_add(struct buf *out, const struct tree_entry *entry, const struct digest *d);

struct manifest_line {
	unsigned mode;             /* 0100644, 0100755, 0120000 */
	const char *digest;        /* 64 hex digits, or "-" */
	uint64_t size;
	const char *path;
	const char *target;        /* NULL but for links */
};

/* The next line of a manifest, taken apart in place (text is changed); false at the end, and when it is damaged: then *bad is
 * set. A path that is absolute or has a `..` in it, and a link that leaves the folder, count as damaged. */
bool manifest_next(char **text, struct manifest_line *line, bool *bad);

#endif
