/*
 * common/rows.h - which rows of the data count: those that a file lists, or all of them.
 *
 *     rows_list(&row, &count, limit, path, fault);       their numbers, as they are listed
 *     rows_mark(&mark, limit, path, fault);               a byte for each row there is, 1 for those
 *
 * path is NPY of 64-bit integers; NULL: all rows, for which no mark is made. A list without rows, or
 * with one from `limit` on, is refused. What is written, on success only, is the caller's to free().
 */
#ifndef FLOW_STAGES_COMMON_ROWS_H
#define FLOW_STAGES_COMMON_ROWS_H

#include <stddef.h>
#include <stdint.h>

struct fault;

int rows_list(int64_t **row, size_t *count, size_t limit, const char *path, struct fault *fault);
int rows_mark(uint8_t **mark, size_t limit, const char *path, struct fault *fault);

#endif
