/*
 * common/dataset.h - labelled images: two IDX files and the rows of them that count.
 *
 *     struct dataset d;  dataset_open(&d, images, labels, rows, fault);
 *     for (i = 0; i < d.count; i++) ...dataset_pixels(&d, d.row[i]), dataset_label(&d, d.row[i])...
 *     dataset_close(&d);
 *
 * Nothing is copied but the list of rows; pixels are borrowed from the mapped file until
 * dataset_close().
 */
#ifndef FLOW_STAGES_COMMON_DATASET_H
#define FLOW_STAGES_COMMON_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "common/idx.h"

struct fault;

struct dataset {
	struct idx images, labels;
	int64_t *row;    /* each below images.rows */
	size_t count;    /* at least 1 */
	size_t features; /* pixels of an image */
	size_t classes;  /* highest label of the whole file + 1 */
};

/* rows: an NPY list of row numbers, or NULL for all of them. *d is written on success only. */
int dataset_open(struct dataset *d, const char *images, const char *labels, const char *rows,
	struct fault *fault);
void dataset_close(struct dataset *d); /* zeroed: nothing */

static inline const uint8_t *dataset_pixels(const struct dataset *d, int64_t row)
{
	return idx_row(&d->images, (size_t)row);
}

static inline size_t dataset_label(const struct dataset *d, int64_t row)
{
	return d->labels.data[row];
}

#endif
