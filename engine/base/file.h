/*
 * base/file.h - files, whole or not at all.
 *
 * Everything opens with O_CLOEXEC. A function that writes leaves either the old or the new content, never a part.
 * `dir` arguments are folder descriptors (or AT_FDCWD), paths relative to them.
 */
#ifndef FLOW_BASE_FILE_H
#define FLOW_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct buf;
struct err;

int file_read(struct buf *out, int dir, const char *path, size_t limit, struct err *e); /* appends; ERR_NOTFOUND, ERR_INPUT when over the limit */
int file_read_fd(struct buf *out, int fd, size_t limit, struct err *e);
int file_write_atomic(int dir, const char *path, const void *data, size_t len, mode_t mode, struct err *e); /* temp + rename */
int file_write_all(int fd, const void *data, size_t len, struct err *e); /* loops over short writes and EINTR */
int file_copy_bytes(int from, int to, struct err *e); /* from where `from` stands to its end; in the kernel, shared blocks where it can */

int folder_make(int dir, const char *path, mode_t mode, struct err *e);         /* with its parents; there already is fine */
int folder_make_parents(int dir, const char *path, mode_t mode, struct err *e); /* of a file's path */
int tree_remove(int dir, const char *path, struct err *e);                      /* file or folder and all below; absent is fine */

uint64_t tree_bytes(int dir, const char *path); /* what a file, or all files below a folder, take of the disk; 0 of what cannot be read */

bool file_exists(int dir, const char *path); /* lstat */

#endif
