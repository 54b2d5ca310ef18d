/*
 * store/source_main.h - what the files of `flow-source`, the only program that loads libgit2, share.
 *
 *     flow-source ROOT                            which commit, how it differs; what to look for comes on stdin (store/source.h)
 *     flow-source checkout ROOT COMMIT FOLDER     a repository of its own in FOLDER at that commit
 *     flow-source log ROOT A B                    the commits and files between two commits
 *
 * Each prints its answer and ends with 0; what is wrong stands in the answer, so that the user hears it from flow.
 */
#ifndef FLOW_STORE_SOURCE_MAIN_H
#define FLOW_STORE_SOURCE_MAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <git2.h>

struct buf;

#define DAMAGED "the git repository is damaged: " /* and why */

const char *git_text(void);                                 /* the last error of libgit2, on one line */
const char *below(git_repository *repo, const char *root);  /* path of `root` below the work tree, "" for the work tree itself */
int read_all(struct buf *out, size_t most);                 /* stdin; below 0: more than that, or unreadable */

int state_main(git_repository *repo, const char *root);
int checkout_main(git_repository *repo, const char *root, const char *commit, const char *folder);
int log_main(git_repository *repo, const char *from, const char *to);

#endif
