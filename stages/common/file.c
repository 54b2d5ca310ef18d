#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/text.h"

static int map(struct mapped *mapped, int fd, const char *path, struct fault *fault)
{
	struct stat status;
	void *data;

	if (fstat(fd, &status) < 0)
		return fault_system(fault, "cannot look at '%s'", path);
	if (!S_ISREG(status.st_mode))
		return fault_set(fault, "'%s' is not a plain file", path);
	*mapped = (struct mapped){ .size = (size_t)status.st_size };
	if (status.st_size == 0)
		return 0;
	data = mmap(NULL, mapped->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return fault_system(fault, "cannot map '%s'", path);
	mapped->data = data;
	return 0;
}

int mapped_open(struct mapped *mapped, const char *path, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return fault_system(fault, "cannot open '%s'", path);
	rc = map(mapped, fd, path, fault);
	(void)close(fd);
	return rc;
}

/* Advice that is not taken costs time and nothing else. */
static void advise(const void *data, size_t size, int advice)
{
	union {
		const void *given;
		char *taken;
	} from = { .given = data };
	size_t before = (uintptr_t)data % (size_t)sysconf(_SC_PAGESIZE);

	if (size > 0)
		(void)posix_madvise(from.taken - before, size + before, advice);
}

void mapped_expect(const void *data, size_t size)
{
	advise(data, size, POSIX_MADV_WILLNEED);
}

void mapped_scattered(const struct mapped *mapped)
{
	advise(mapped->data, mapped->size, POSIX_MADV_RANDOM);
}

void mapped_close(struct mapped *mapped)
{
	union {
		const void *given;
		void *taken;
	} data = { .given = mapped->data }; /* munmap takes what mmap gave, without const */

	if (mapped->data != NULL)
		(void)munmap(data.taken, mapped->size);
	*mapped = (struct mapped){ 0 };
}

static char *joined(const char *first, const char *second)
{
	size_t size = strlen(first) + strlen(second) + 1;
	char *text = array_new(size, 1);

	(void)snprintf(text, size, "%s%s", first, second);
	return text;
}

int output_open(struct output *output, const char *path, struct fault *fault)
{
	char *part = joined(path, ".part");
	FILE *stream = fopen(part, "wb");

	if (stream == NULL) {
		(void)fault_system(fault, "cannot write '%s'", part);
		free(part);
		return -1;
	}
	*output = (struct output){ .stream = stream, .path = joined(path, ""), .part = part };
	return 0;
}

void output_write(struct output *output, const void *data, size_t size)
{
	if (fwrite(data, 1, size, output->stream) != size && output->error == 0)
		output->error = errno;
}

static void output_release(struct output *output)
{
	free(output->path);
	free(output->part);
	*output = (struct output){ 0 };
}

int output_commit(struct output *output, struct fault *fault)
{
	int rc = 0;

	if (output->is_durable && output->error == 0 &&
		(fflush(output->stream) != 0 || fsync(fileno(output->stream)) != 0))
		output->error = errno;
	if (fclose(output->stream) != 0 && output->error == 0)
		output->error = errno;
	errno = output->error;
	if (errno != 0)
		rc = fault_system(fault, "cannot write '%s'", output->path);
	else if (rename(output->part, output->path) != 0)
		rc = fault_system(fault, "cannot rename '%s'", output->part);
	if (rc < 0)
		(void)unlink(output->part);
	output_release(output);
	return rc;
}

void output_abandon(struct output *output)
{
	if (output->stream == NULL)
		return;
	(void)fclose(output->stream);
	(void)unlink(output->part);
	output_release(output);
}

int output_file(const char *path, const void *data, size_t size, struct fault *fault)
{
	struct output output;

	if (output_open(&output, path, fault) < 0)
		return -1;
	output_write(&output, data, size);
	return output_commit(&output, fault);
}
