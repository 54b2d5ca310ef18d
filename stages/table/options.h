/*
 * table/options.h - what `with:` of the stage table says, read and checked.
 *
 *     struct options o;  options_read(&o, host, ctx, fault);  ...  options_release(&o);
 */
#ifndef FLOW_STAGES_TABLE_OPTIONS_H
#define FLOW_STAGES_TABLE_OPTIONS_H

#include <flow/plugin.h>

#include <stddef.h>

#include "common/column.h"
#include "common/dictionary.h"
#include "common/where.h"
#include "table/convert.h"

struct fault;

enum format { FORMAT_CSV, FORMAT_JSONL, FORMAT_NPY, FORMAT_IDX, FORMAT_SHARD };

#define MISSING_DEFAULT "[\"\", \"NA\", \"N/A\", \"NaN\", \"nan\", \"null\", \"NULL\"]"

struct options {
	const char *path;
	enum format format;
	char delimiter;
	int has_header;
	struct dictionary names;    /* instead of the header's */
	struct dictionary declared; /* columns with a type */
	enum column_type *type;     /* of each of them */
	struct dictionary keep, drop;
	struct missing_words missing;
	struct where where;
	int skip_bad_rows;
	long bad_rows_max, categories_max, group_rows; /* group_rows 0: by the width of rows */
	unsigned threads;
};

/* In any case *o is ready for options_release(). */
int options_read(struct options *o, const flow_host *host, flow_ctx *ctx, struct fault *fault);
void options_release(struct options *o);

/* Is a column of that name wanted? */
int options_keeps(const struct options *o, const char *name);

extern const flow_option options_table[];

#endif
