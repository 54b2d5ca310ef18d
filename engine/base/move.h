/*
 * base/move.h - a file, link or folder changes its place, also from one disk to another, or gets a twin.
 *
 *     tree_move(from_dir, from, to_dir, to, e)     rename; across file systems a copy, then the old one goes
 *     tree_copy(from_dir, from, to_dir, to, e)     written beside `to`, then renamed
 *
 * `to` must not be there, or be something that rename() replaces. ERR_NOTFOUND when `from` is not there. Whatever fails, `from` is whole.
 */
#ifndef FLOW_BASE_MOVE_H
#define FLOW_BASE_MOVE_H

struct err;

int tree_move(int from_dir, const char *from, int to_dir, const char *to, struct err *e);
int tree_copy(int from_dir, const char *from, int to_dir, const char *to, struct err *e);

#endif
