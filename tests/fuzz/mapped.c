#include "mapped.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "fuzz.h"

#define FILES_MAX 8

static struct {
	const char *path;
	const uint8_t *data;
	size_t size;
} files[FILES_MAX];

/* The linker sends calls of mapped_open() and mapped_close() here (--wrap). */
int __real_mapped_open(struct mapped *mapped, const char *path, struct fault *fault);
void __real_mapped_close(struct mapped *mapped);
int __wrap_mapped_open(struct mapped *mapped, const char *path, struct fault *fault);
void __wrap_mapped_close(struct mapped *mapped);

static void copy(struct mapped *mapped, const uint8_t *data, size_t size)
{
	unsigned char *made = size != 0 ? malloc(size) : NULL;

	FUZZ_CHECK(size == 0 || made != NULL);
	if (made != NULL)
		memcpy(made, data, size);
	*mapped = (struct mapped){ .data = made, .size = size };
}

int __wrap_mapped_open(struct mapped *mapped, const char *path, struct fault *fault)
{
	struct mapped real;

	for (size_t i = 0; i < FILES_MAX && files[i].path != NULL; i++)
		if (files[i].data != NULL && strcmp(files[i].path, path) == 0) {
			copy(mapped, files[i].data, files[i].size);
			return 0;
		}
	if (__real_mapped_open(&real, path, fault) < 0)
		return -1;
	copy(mapped, real.data, real.size);
	__real_mapped_close(&real);
	return 0;
}

void __wrap_mapped_close(struct mapped *mapped)
{
	union {
		const void *given;
		void *taken;
	} data = { .given = mapped->data };

	free(data.taken);
	*mapped = (struct mapped){ 0 };
}

void mapped_show(const char *path, const uint8_t *data, size_t size)
{
	size_t i = 0;

	while (i < FILES_MAX && files[i].path != NULL && strcmp(files[i].path, path) != 0)
		i++;
	FUZZ_CHECK(i < FILES_MAX);
	files[i].path = path;
	files[i].data = data;
	files[i].size = size;
}

const char *mapped_file(const uint8_t *data, size_t size)
{
	static const char path[] = "file";

	mapped_show(path, data, size);
	return path;
}
