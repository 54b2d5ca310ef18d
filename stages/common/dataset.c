#include "common/dataset.h"

#include <stdlib.h>

#include "common/fault.h"
#include "common/rows.h"

static size_t count_classes(const struct idx *labels)
{
	uint8_t highest = 0;

	for (size_t i = 0; i < labels->rows; i++)
		if (labels->data[i] > highest)
			highest = labels->data[i];
	return (size_t)highest + 1;
}

int dataset_open(struct dataset *d, const char *images, const char *labels, const char *rows,
	struct fault *fault)
{
	struct dataset made = { 0 };

	if (idx_open(&made.images, images, 3, fault) < 0 ||
		idx_open(&made.labels, labels, 1, fault) < 0)
		goto out;
	if (made.images.rows != made.labels.rows) {
		(void)fault_set(fault, "'%s' has %zu images, but '%s' has %zu labels", images,
			made.images.rows, labels, made.labels.rows);
		goto out;
	}
	made.features = made.images.row_size;
	made.classes = count_classes(&made.labels);
	if (rows_list(&made.row, &made.count, made.images.rows, rows, fault) < 0)
		goto out;
	*d = made;
	return 0;
out:
	dataset_close(&made);
	return -1;
}

void dataset_close(struct dataset *d)
{
	idx_close(&d->images);
	idx_close(&d->labels);
	free(d->row);
	*d = (struct dataset){ 0 };
}
