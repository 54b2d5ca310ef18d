/*
 * split/split.h - the stage that divides rows into parts: at random, class by class, group by group,
 * or by time.
 *
 * split_rows(), split_groups() and split_times() are the decisions, apart from files: functions of
 * (values, shares, seed).
 */
#ifndef FLOW_STAGES_SPLIT_SPLIT_H
#define FLOW_STAGES_SPLIT_SPLIT_H

#include <flow/plugin.h>

#include <stddef.h>
#include <stdint.h>

struct fault;

#define SPLIT_PARTS_MAX 33

extern const flow_stage stage_split;

/* part[row] = the part that row falls into, 0 to parts-1. Shares are above 0 and sum to 1. Every
 * part gets at least one row of every class that occurs; a class with fewer rows than there are
 * parts is an error. Classes are below class_count; with one class that is a random split. */
int split_rows(uint8_t *part, const uint32_t *classes, size_t rows, size_t class_count,
	const double *share, size_t parts, uint64_t seed, struct fault *fault);

/* All rows of a group fall into one part; shares are met as nearly as groups allow. */
int split_groups(uint8_t *part, const uint32_t *groups, size_t rows, size_t group_count,
	const double *share, size_t parts, uint64_t seed, struct fault *fault);

/* The earliest rows are the first part, and so on; rows of one time stay together. */
int split_times(uint8_t *part, const double *times, size_t rows, const double *share, size_t parts,
	struct fault *fault);

#endif
