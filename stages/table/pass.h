/*
 * table/pass.h - one walk over a text file, chunk by chunk, in several threads.
 *
 *     struct pass p = { .reading = r, .kind = PASS_CONVERT, .out = &shardout };
 *     pass_run(&p, fault);          0; -1; PASS_MISFIT: a type that was guessed does not hold
 *
 * PASS_NAMES makes the fields from the header; PASS_SURVEY narrows their kinds; PASS_CONVERT writes.
 */
#ifndef FLOW_STAGES_TABLE_PASS_H
#define FLOW_STAGES_TABLE_PASS_H

#include <stddef.h>
#include <stdint.h>

#include "common/stream.h"
#include "common/text.h"

struct fault;
struct reading;
struct shardout;

enum pass_kind { PASS_NAMES, PASS_SURVEY, PASS_CONVERT };

#define PASS_MISFIT 1

struct pass {
	struct reading *reading;
	enum pass_kind kind;
	int first_chunk_only;
	struct shardout *out; /* of PASS_CONVERT: its columns are the kept fields */
	struct stream stream;
	char *left; /* the beginning of a record that the last chunk did not end */
	size_t left_size;
	uint64_t chunks, lines;
	int at_end, rc;
	struct fault *fault;
	const struct dictionary *keys; /* of jsonl: the columns' names */
};

int pass_run(struct pass *pass, struct fault *fault);

#endif
