#include "common/idx.h"

#include "common/fault.h"

#define IDX_UNSIGNED_BYTE 8

static uint32_t big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       (uint32_t)bytes[3];
}

/* The first four bytes: is it such a file, and with so many dimensions? */
static int check_magic(
	const struct mapped *file, const char *path, unsigned wanted, struct fault *fault)
{
	const unsigned char *magic = file->data;

	if (file->size < 4)
		return fault_set(
			fault, "'%s' has %zu bytes, too few for an IDX header", path, file->size);
	if (magic[0] == 0x1f && magic[1] == 0x8b)
		return fault_set(fault, "'%s' is compressed; unpack it first (gzip -d)", path);
	if (magic[0] != 0 || magic[1] != 0)
		return fault_set(fault, "'%s' is not an IDX file", path);
	if (magic[2] != IDX_UNSIGNED_BYTE)
		return fault_set(fault, "'%s' has IDX type 0x%02x, only bytes (0x08) are read",
			path, (unsigned)magic[2]);
	if (magic[3] != wanted)
		return fault_set(fault, "'%s' has %u dimensions, %u are wanted", path,
			(unsigned)magic[3], wanted);
	return 0;
}

/* Read the dimensions into *idx and check that they describe the file to the byte. */
static int read_dimensions(struct idx *idx, const char *path, struct fault *fault)
{
	size_t header = 4 + 4 * (size_t)idx->dimensions;
	uint64_t size = 1;

	if (idx->file.size < header)
		return fault_set(fault, "'%s' ends inside its header", path);
	for (unsigned i = 0; i < idx->dimensions; i++) {
		idx->dimension[i] = big_endian(idx->file.data + 4 + 4 * i);
		if (idx->dimension[i] == 0)
			return fault_set(fault, "'%s' is empty: dimension %u is 0", path, i + 1);
		if (size > UINT64_MAX / idx->dimension[i])
			return fault_set(fault, "'%s' has dimensions too large to be true", path);
		size *= idx->dimension[i];
	}
	if (size != idx->file.size - header)
		return fault_set(fault,
			"'%s' %s: its header promises %llu bytes of data, %zu are there", path,
			size > idx->file.size - header ? "is cut short" : "has bytes after its end",
			(unsigned long long)size, idx->file.size - header);
	idx->rows = idx->dimension[0];
	idx->row_size = (size_t)size / idx->rows;
	idx->data = idx->file.data + header;
	return 0;
}

int idx_open(struct idx *idx, const char *path, unsigned dimensions, struct fault *fault)
{
	struct idx made = { .dimensions = dimensions };

	if (mapped_open(&made.file, path, fault) < 0)
		return -1;
	if (check_magic(&made.file, path, dimensions, fault) < 0 ||
		read_dimensions(&made, path, fault) < 0) {
		mapped_close(&made.file);
		return -1;
	}
	*idx = made;
	return 0;
}

void idx_close(struct idx *idx)
{
	mapped_close(&idx->file);
	*idx = (struct idx){ 0 };
}
