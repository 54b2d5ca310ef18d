#include "unpack/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/shard.h"
#include "common/text.h"
#include "unpack/array.h"

#define NAME_MAX_BYTES 4000

/* A name comes from a file that anybody may have made: it must stay below the folder. */
static int check_name(const char *name, size_t length, struct fault *fault)
{
	const char *part = name;
	int good = length > 0 && length <= NAME_MAX_BYTES && memchr(name, '\0', length) == NULL;

	while (good && part <= name + length) {
		const char *slash = memchr(part, '/', (size_t)(name + length - part));
		size_t size = (size_t)((slash != NULL ? slash : name + length) - part);

		good = size > 0 && !(size == 1 && part[0] == '.') &&
		       !(size == 2 && part[0] == '.' && part[1] == '.');
		if (slash == NULL)
			break;
		part = slash + 1;
	}
	return good ? 0
		    : fault_set(fault, "'%.*s' is no name of a file below the folder",
			      (int)(length > 200 ? 200 : length), name);
}

/* The folders of a name, below the out. */
static int make_folders(struct text *path, size_t start, struct fault *fault)
{
	for (size_t i = start; i < path->length; i++) {
		int rc;

		if (path->data[i] != '/')
			continue;
		path->data[i] = '\0';
		rc = mkdir(path->data, 0777);
		if (rc < 0 && errno != EEXIST)
			return fault_system(fault, "cannot make '%s'", path->data);
		path->data[i] = '/';
	}
	return 0;
}

static int write_file(const char *path, const unsigned char *data, size_t size, struct fault *fault)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666), rc = 0;

	if (fd < 0)
		return errno == EEXIST ? fault_set(fault, "'%s' is there twice", path)
				       : fault_system(fault, "cannot write '%s'", path);
	while (size > 0 && rc == 0) {
		ssize_t put = write(fd, data, size);

		if (put < 0 && errno != EINTR)
			rc = fault_system(fault, "cannot write '%s'", path);
		else if (put > 0) {
			data += put;
			size -= (size_t)put;
		}
	}
	if (close(fd) < 0 && rc == 0)
		rc = fault_system(fault, "cannot write '%s'", path);
	return rc;
}

static int unpack_row(const char *folder, const struct shard_part *names,
	const struct shard_part *bytes, size_t row, struct fault *fault)
{
	struct text path = { 0 };
	size_t length, size;
	const char *name = (const char *)shard_text(names, row, &length);
	const unsigned char *data = shard_text(bytes, row, &size);
	int rc = check_name(name, length, fault);

	text_format(&path, "%s/", folder);
	if (rc == 0) {
		text_add(&path, name, length);
		rc = make_folders(&path, strlen(folder) + 1, fault);
	}
	if (rc == 0)
		rc = write_file(path.data, data, size, fault);
	text_release(&path);
	return rc;
}

static int unpack_all(const struct shard *shard, const size_t column[2], const char *folder,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	int rc = 0;

	for (size_t g = 0; g < shard->groups && rc == 0; g++) {
		struct shard_part part[2];

		for (int i = 0; i < 2 && rc == 0; i++) {
			rc = shard_verify(shard, g, column[i], fault);
			shard_part(&part[i], shard, g, column[i]);
		}
		for (size_t row = 0; row < part[0].rows && rc == 0; row++)
			rc = host->cancelled(ctx)
				     ? fault_set(fault, "stopped")
				     : unpack_row(folder, &part[0], &part[1], row, fault);
		host->progress(ctx, (double)g, (double)shard->groups, "groups");
	}
	return rc;
}

static int unpack(const char *path, const char *folder, const flow_host *host, flow_ctx *ctx,
	struct fault *fault)
{
	const char *const wanted[2] = { host->text(ctx, "name", "name"),
		host->text(ctx, "data", "data") };
	struct shard shard;
	size_t column[2];
	int rc = 0;

	if (host->failed(ctx) || shard_open(&shard, path, fault) < 0)
		return -1;
	for (int i = 0; i < 2 && rc == 0; i++) {
		column[i] = shard_find(&shard, wanted[i]);
		if (column[i] == shard.columns || !column_has_length(shard.column[column[i]].type))
			rc = fault_set(fault, "'%s' has no column '%s' of type %s", path, wanted[i],
				i == 0 ? "text" : "bytes or text");
	}
	if (rc == 0 && mkdir(folder, 0777) < 0 && errno != EEXIST)
		rc = fault_system(fault, "cannot make '%s'", folder);
	if (rc == 0)
		rc = unpack_all(&shard, column, folder, host, ctx, fault);
	if (rc == 0)
		host->metric(ctx, "files", (double)shard.rows, -1);
	shard_close(&shard);
	return rc;
}

/* Outs that are named as columns are: each of them an NPY file. */
static int write_columns(
	const char *path, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	struct shard shard;
	const char *name;
	int rc = 0;

	if (shard_open(&shard, path, fault) < 0)
		return -1;
	for (unsigned i = 0; rc == 0 && (name = host->out_name(ctx, i)) != NULL; i++)
		if (strcmp(name, "data") != 0)
			rc = array_write(host->out(ctx, name), &shard, name, fault);
	if (rc == 0)
		host->metric(ctx, "rows", (double)shard.rows, -1);
	shard_close(&shard);
	return rc;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	const char *table = host->dep(ctx, "table"), *folder = host->out(ctx, "data");

	if (table == NULL || host->out_name(ctx, 0) == NULL)
		return host->fail(ctx, "needs a dep named 'table' and an out");
	if (write_columns(table, host, ctx, &fault) == 0 && folder != NULL)
		(void)unpack(table, folder, host, ctx, &fault);
	if (host->failed(ctx))
		return -1;
	return fault.text[0] != '\0' ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = { { "table", "a shard with names and contents of files", 1 },
	{ NULL, NULL, 0 } };

static const flow_port outs[] = {
	{ "data", "a folder: the files that pack has packed", 0 },
	{ "x",
		"an out of any other name: the column of that name as NPY, categories as their "
		"numbers",
		0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "name", "text", "name", "the column of the names" },
	{ "data", "text", "data", "the column of the contents" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_unpack = { sizeof(flow_stage), "unpack", "1",
	"make files of a shard: those that were packed, or columns as NPY", deps, outs, options,
	run };
