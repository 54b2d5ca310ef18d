#include "common/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/npy.h"
#include "common/text.h"

static void take_all(struct dataset *d)
{
	d->count = d->images.rows;
	d->row = array_new(d->count, sizeof *d->row);
	for (size_t i = 0; i < d->count; i++)
		d->row[i] = (int64_t)i;
}

static int take_listed(struct dataset *d, const char *path, struct fault *fault)
{
	struct npy_rows listed;
	int rc = npy_read_rows(&listed, path, fault);

	if (rc < 0)
		return rc;
	if (listed.count == 0)
		rc = fault_set(fault, "'%s' lists no rows", path);
	for (size_t i = 0; i < listed.count && rc == 0; i++)
		if (listed.row[i] < 0 || (uint64_t)listed.row[i] >= d->images.rows)
			rc = fault_set(fault, "'%s' lists row %lld, but there are %zu rows", path,
				(long long)listed.row[i], d->images.rows);
	if (rc == 0) {
		d->count = listed.count;
		d->row = array_new(d->count, sizeof *d->row);
		memcpy(d->row, listed.row, d->count * sizeof *d->row);
	}
	npy_close_rows(&listed);
	return rc;
}

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
	if (rows == NULL)
		take_all(&made);
	else if (take_listed(&made, rows, fault) < 0)
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
