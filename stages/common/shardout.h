/*
 * common/shardout.h - write the file that common/shard.h reads.
 *
 *     struct shardout out;  shardout_open(&out, path, columns, count, group_rows, fault);
 *     shardout_add(&out, cells, first, rows);           cells[c] for each column, again and again
 *     shardout_category(&out, column, "red", 3);         in the order of their numbers
 *     shardout_commit(&out, fault);
 *     shardout_abandon(&out);                            at the `out` label; after a commit: nothing
 *
 * One group is held in memory. Columns and their names are borrowed until the end. A write that
 * fails is told by shardout_commit(). The same rows in the same order, by the same recipe, give the
 * same bytes, however they were cut into calls.
 */
#ifndef FLOW_STAGES_COMMON_SHARDOUT_H
#define FLOW_STAGES_COMMON_SHARDOUT_H

#include "common/column.h"
#include "common/file.h"
#include "common/moments.h"
#include "common/shard.h"
#include "common/text.h"

struct fault;

#define SHARDOUT_GROUP_ROWS  65536
#define SHARDOUT_GROUP_BYTES ((size_t)64 << 20)

struct shardout {
	struct output output;
	uint64_t at; /* bytes written */
	const struct column *column;
	size_t columns, group_rows; /* group_rows 0: not settled yet */
	uint64_t rows, groups;      /* in groups that are written */
	uint64_t state;             /* set it after shardout_open(): the recipe's (fitted.h) */
	struct cells *cells;        /* the group that grows, each column */
	struct moments *moments;
	struct shardout_names {
		struct text names, ends; /* ends: uint64 each */
	} * categories;
	struct text parts; /* the records so far */
};

/* group_rows 0: SHARDOUT_GROUP_ROWS, or as many as fill SHARDOUT_GROUP_BYTES at the beginning. */
int shardout_open(struct shardout *out, const char *path, const struct column *columns,
	size_t count, size_t group_rows, struct fault *fault);
void shardout_add(struct shardout *out, const struct cells *cells, size_t first, size_t rows);
void shardout_category(struct shardout *out, size_t column, const char *name, size_t length);
int shardout_commit(struct shardout *out, struct fault *fault);
void shardout_abandon(struct shardout *out);

#endif
