#include "common/rows.h"

#include <string.h>

#include "common/fault.h"
#include "common/npy.h"
#include "common/text.h"

static int64_t *all(size_t count)
{
	int64_t *row = array_new(count, sizeof *row);

	for (size_t i = 0; i < count; i++)
		row[i] = (int64_t)i;
	return row;
}

static int check(const struct npy_rows *listed, size_t limit, const char *path, struct fault *fault)
{
	if (listed->count == 0)
		return fault_set(fault, "'%s' lists no rows", path);
	for (size_t i = 0; i < listed->count; i++)
		if (listed->row[i] < 0 || (uint64_t)listed->row[i] >= limit)
			return fault_set(fault, "'%s' lists row %lld, but there are %zu rows", path,
				(long long)listed->row[i], limit);
	return 0;
}

int rows_list(int64_t **row, size_t *count, size_t limit, const char *path, struct fault *fault)
{
	struct npy_rows listed;
	int rc;

	if (path == NULL) {
		*row = all(limit);
		*count = limit;
		return 0;
	}
	if (npy_read_rows(&listed, path, fault) < 0)
		return -1;
	rc = check(&listed, limit, path, fault);
	if (rc == 0) {
		*count = listed.count;
		*row = array_new(listed.count, sizeof **row);
		memcpy(*row, listed.row, listed.count * sizeof **row);
	}
	npy_close_rows(&listed);
	return rc;
}

int rows_mark(uint8_t **mark, size_t limit, const char *path, struct fault *fault)
{
	struct npy_rows listed;
	int rc;

	if (path == NULL) {
		*mark = NULL;
		return 0;
	}
	if (npy_read_rows(&listed, path, fault) < 0)
		return -1;
	rc = check(&listed, limit, path, fault);
	if (rc == 0)
		*mark = array_new(limit, 1);
	for (size_t i = 0; rc == 0 && i < listed.count; i++)
		(*mark)[listed.row[i]] = 1;
	npy_close_rows(&listed);
	return rc;
}
