/*
 * split/split.h - the stage that divides labelled rows into parts, class by class.
 *
 * split_rows() is the decision, apart from files: it needs only labels, and is a function of
 * (labels, shares, seed).
 */
#ifndef FLOW_STAGES_SPLIT_SPLIT_H
#define FLOW_STAGES_SPLIT_SPLIT_H

#include <flow/plugin.h>

#include <stddef.h>
#include <stdint.h>

struct fault;

#define SPLIT_PARTS_MAX 16

extern const flow_stage stage_split;

/* part[row] = the part that row falls into, 0 to parts-1. Shares are above 0 and sum to 1. Every
 * part gets at least one row of every class that occurs; a class with fewer rows than there are
 * parts is an error. */
int split_rows(uint8_t *part, const uint8_t *labels, size_t rows, const double *share, size_t parts,
	uint64_t seed, struct fault *fault);

#endif
