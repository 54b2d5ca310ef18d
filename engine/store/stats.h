/*
 * store/stats.h - the stat cache: what digest a path has, without reading it again.
 *
 *     stats_load(&s, &db, e)            all entries of the project, once
 *     stats_learn(&s, root_fd, paths, count)          before many questions: what must be read is read together
 *     stats_digest(&s, root_fd, path, &digest, e)     stat, then the entry if its identity matches, else hash and remember
 *     stats_note(&s, path, &id, &digest)              just made or just hashed by somebody else
 *     stats_save(&s, &db, e)            write what is new, inside a transaction
 *     stats_release(&s)
 *
 * Identity is (dev, ino, size, mtime, ctime). An entry whose mtime or ctime is not older than the moment it was recorded is
 * racy: a change within the same clock tick could not be seen, so the file is hashed again. Each path is looked at once a
 * process: later questions get the same answer, unless stats_note() says that it has changed.
 * A folder has the digest of its manifest (store/tree.h); its files have entries of their own.
 */
#ifndef FLOW_STORE_STATS_H
#define FLOW_STORE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/map.h"

struct db;
struct err;
struct stat;

struct stat_id {
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

struct stat_entry {
	const char *path;
	struct stat_id id;
	int64_t seen_ns;
	struct digest digest;
	uint8_t state;       /* enum in stats.c: loaded, looked at, not there; see stats_forget() */
	bool dirty;          /* listed in stats.dirty */
	uint32_t known;      /* moment, counted by stats.now, at which `state` was set */
};

struct stat_list {
	uint32_t *items;
	size_t count, cap;
};

struct stats {
	struct arena arena;
	struct map by_path;
	struct stat_entry *items;
	size_t count, cap;
	struct stat_list dirty; /* entries to be saved */
	struct map forgotten; /* folder -> moment since which nothing below it is known */
	uint32_t now;
	uint32_t hashed;     /* files read in this process */
};

int stats_load(struct stats *s, struct db *db, struct err *e);
void stats_expect(struct stats *s, const char *path); /* it will be noted: takes the memory now */
int stats_digest(struct stats *s, int root_fd, const char *path, struct digest *out, struct err *e);
/* All of these will be asked for: what has to be read is read now, on all cores. A path twice is no harm; what cannot be read says so
 * when it is asked for. */
void stats_learn(struct stats *s, int root_fd, const char *const *paths, size_t count);
bool stats_still(const struct stats *s, int root_fd, const char *path); /* is a file on the disk what it was when its digest was asked for */
void stats_note(struct stats *s, const char *path, const struct stat_id *id, const struct digest *d);
void stats_forget(struct stats *s, const char *path); /* look at the disk again next time, also for what is below and above it */
int stats_save(struct stats *s, struct db *db, struct err *e);
void stats_release(struct stats *s);

void stat_id_of(struct stat_id *id, const struct stat *st);
bool stat_id_same(const struct stat_id *a, const struct stat_id *b);

#endif
