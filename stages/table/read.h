/*
 * table/read.h - a text file of records into a shard, in one pass or as many as its types need.
 *
 *     struct reading r = { .options = &o, .host = host, .ctx = ctx };
 *     read_text(&r, out_path, fault);
 *     ...r.field[i], r.rows, r.bad_rows...
 *     reading_release(&r);
 *
 * Types that nobody declared are guessed from the first megabyte. When a later value is of another
 * kind, the whole file is read once for its types alone and then again for its values: what comes
 * out depends on the file, not on where in it things stand. Text that has few different values is a
 * category, else it is text; which of the two, the end of a pass knows, so that may mean another.
 */
#ifndef FLOW_STAGES_TABLE_READ_H
#define FLOW_STAGES_TABLE_READ_H

#include <flow/plugin.h>

#include <stddef.h>
#include <stdint.h>

#include "common/dictionary.h"
#include "common/moments.h"
#include "common/stream.h"
#include "common/text.h"
#include "table/options.h"

struct fault;

/* A column of the file. */
struct field {
	char *name;
	enum column_type type;
	int is_declared, is_kept;
	unsigned kinds;
	size_t seen;             /* values that are not missing, of a survey */
	struct dictionary names; /* of a category, in the order of the file */
	uint64_t present;        /* rows of a category that have one */
};

struct reading {
	const struct options *options;
	const flow_host *host;
	flow_ctx *ctx;
	struct field *field;
	size_t fields;
	struct where where; /* the options' conditions, bound to the types; borrows from them */
	uint64_t rows_read, rows; /* records; rows that were kept */
	uint64_t bad_rows;
	struct text bad_list; /* JSON lines */
	char first_bad[300];
	size_t chunk_size; /* bytes that are converted at a time; 0: CHUNK_SIZE. They do not change what comes out. */
	int passes;
	int has_new_text; /* the last pass found that a column is text */
};

int read_text(struct reading *r, const char *out, struct fault *fault);
void reading_release(struct reading *r);

#endif
