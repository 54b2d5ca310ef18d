#include "pack/pack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/dictionary.h"
#include "common/fault.h"
#include "common/shard.h"
#include "common/shardout.h"
#include "common/text.h"
#include "pack/files.h"
#include "pack/samples.h"
#include "pack/tar.h"

#define GROUP_BYTES ((uint64_t)32 << 20) /* of files in a group */

/* What is packed, and where to. */
struct pack {
	const flow_host *host;
	flow_ctx *ctx;
	const char *data, *shard, *tar, *key;
	int with_label;
	uint64_t tar_bytes;
	size_t group_rows;
};

/* The first folder of a file's name; "" when it lies at the top. */
static size_t label_length(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash != NULL ? (size_t)(slash - name) : 0;
}

static int check_label(const struct files *files, struct fault *fault)
{
	for (size_t i = 0; i < files->count; i++)
		if (label_length(files->file[i].name) == 0)
			return fault_set(fault, "'%s' lies in no folder that could be its label",
				files->file[i].name);
	return 0;
}

static int add_file(const struct pack *p, const struct files *files, size_t i, struct cells *cells,
	struct dictionary *labels, struct shardout *out, struct fault *fault)
{
	static const struct column columns[3] = {
		{ .name = "name", .type = COLUMN_TEXT, .width = 1 },
		{ .name = "data", .type = COLUMN_BYTES, .width = 1 },
		{ .name = "label", .type = COLUMN_CATEGORY, .width = 1 }
	};
	const char *name = files->file[i].name;
	struct text bytes = { 0 };
	int rc = files_read(files, i, &bytes, fault);

	for (size_t c = 0; c < 3; c++)
		cells_begin(&cells[c], &columns[c]);
	cells_add_text(&cells[0], name, strlen(name));
	cells_add_text(&cells[1], bytes.data, bytes.length);
	if (p->with_label)
		cells_add_number(&cells[2], dictionary_add(labels, name, label_length(name)));
	if (rc == 0)
		shardout_add(out, cells, 0, 1);
	text_release(&bytes);
	return rc;
}

static int add_files(
	const struct pack *p, const struct files *files, struct shardout *out, struct fault *fault)
{
	struct cells cells[3] = { { 0 } };
	struct dictionary labels = { 0 };
	int rc = 0;

	for (size_t i = 0; i < files->count && rc == 0; i++) {
		rc = p->host->cancelled(p->ctx) ? fault_set(fault, "stopped")
						: add_file(p, files, i, cells, &labels, out, fault);
		if (i % 64 == 0)
			p->host->progress(p->ctx, (double)i, (double)files->count, "files");
	}
	for (uint32_t i = 0; i < labels.count; i++) {
		size_t length;
		const char *label = dictionary_text(&labels, i, &length);

		shardout_category(out, 2, label, length);
	}
	for (size_t c = 0; c < 3; c++)
		cells_release(&cells[c]);
	dictionary_release(&labels);
	return rc;
}

static int files_to_shard(const struct pack *p, const struct files *files, struct fault *fault)
{
	static const struct column columns[3] = {
		{ .name = "name", .type = COLUMN_TEXT, .width = 1 },
		{ .name = "data", .type = COLUMN_BYTES, .width = 1 },
		{ .name = "label", .type = COLUMN_CATEGORY, .width = 1 }
	};
	uint64_t group_rows = p->group_rows;
	struct shardout out;
	int rc;

	if (group_rows == 0) {
		group_rows = GROUP_BYTES / (files->size / files->count + 1) + 1;
		if (group_rows > SHARDOUT_GROUP_ROWS)
			group_rows = SHARDOUT_GROUP_ROWS;
	}
	if (shardout_open(&out, p->shard, columns, p->with_label ? 3 : 2, group_rows, fault) < 0)
		return -1;
	rc = add_files(p, files, &out, fault);
	if (rc == 0)
		rc = shardout_commit(&out, fault);
	shardout_abandon(&out);
	return rc;
}

/* a/b.jpg is the sample a/b; its label is a part of its own. */
static int file_to_tar(const struct pack *p, const struct files *files, size_t i, struct tars *tars,
	struct fault *fault)
{
	const char *name = files->file[i].name, *slash = strrchr(name, '/');
	const char *dot = strchr(slash != NULL ? slash : name, '.');
	size_t length = dot != NULL ? (size_t)(dot - name) : strlen(name);
	struct text bytes = { 0 }, label = { 0 };
	int rc = files_read(files, i, &bytes, fault);

	if (rc == 0)
		rc = tars_next(tars, fault);
	if (rc == 0)
		rc = tars_add(
			tars, name, bytes.data != NULL ? bytes.data : "", bytes.length, fault);
	if (rc == 0 && p->with_label) {
		text_add(&label, name, length);
		text_add(&label, ".cls", 4);
		rc = tars_add(tars, label.data, name, label_length(name), fault);
	}
	text_release(&bytes);
	text_release(&label);
	return rc;
}

static int files_to_tars(const struct pack *p, const struct files *files, struct fault *fault)
{
	struct tars tars;
	int rc = tars_open(&tars, p->tar, p->tar_bytes, fault);

	for (size_t i = 0; i < files->count && rc == 0; i++)
		rc = p->host->cancelled(p->ctx) ? fault_set(fault, "stopped")
						: file_to_tar(p, files, i, &tars, fault);
	if (rc == 0)
		rc = tars_close(&tars, fault);
	tars_abandon(&tars);
	return rc;
}

static int pack_folder(const struct pack *p, struct fault *fault)
{
	struct files files;
	int rc = 0;

	if (files_find(&files, p->data, fault) < 0)
		return -1;
	if (files.count == 0)
		rc = fault_set(fault, "'%s' has no files", p->data);
	if (rc == 0 && p->with_label)
		rc = check_label(&files, fault);
	if (rc == 0 && p->shard != NULL)
		rc = files_to_shard(p, &files, fault);
	if (rc == 0 && p->tar != NULL)
		rc = files_to_tars(p, &files, fault);
	if (rc == 0)
		p->host->metric(p->ctx, "files", (double)files.count, -1);
	if (rc == 0)
		p->host->metric(p->ctx, "bytes", (double)files.size, -1);
	files_release(&files);
	return rc;
}

static int pack_shard(const struct pack *p, struct fault *fault)
{
	struct shard shard;
	struct tars tars;
	int rc;

	if (p->shard != NULL)
		return fault_set(
			fault, "'%s' is no folder; of a shard only the out 'tar' is made", p->data);
	if (shard_open(&shard, p->data, fault) < 0)
		return -1;
	rc = tars_open(&tars, p->tar, p->tar_bytes, fault);
	if (rc == 0)
		rc = samples_write(&tars, &shard, p->key, p->host, p->ctx, fault);
	if (rc == 0)
		rc = tars_close(&tars, fault);
	if (rc == 0)
		p->host->metric(p->ctx, "rows", (double)shard.rows, -1);
	tars_abandon(&tars);
	shard_close(&shard);
	return rc;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct pack p = { .host = host,
		.ctx = ctx,
		.data = host->dep(ctx, "data"),
		.shard = host->out(ctx, "table"),
		.tar = host->out(ctx, "tar") };
	const char *label = host->text(ctx, "label", "none");
	struct stat status;

	p.key = host->text(ctx, "key", NULL);
	p.with_label = strcmp(label, "folder") == 0;
	p.tar_bytes = (uint64_t)host->integer(ctx, "tar_mb", 500, 1, 1000000) * 1000000;
	p.group_rows = (size_t)host->integer(ctx, "group_rows", 0, 0, 100000000);
	if (host->failed(ctx))
		return -1;
	if (!p.with_label && strcmp(label, "none") != 0)
		return host->fail(ctx, "with.label is either none or folder");
	if (p.data == NULL)
		return host->fail(ctx, "needs a dep named 'data'");
	if (p.shard == NULL && p.tar == NULL)
		return host->fail(ctx, "needs an out named 'table' or 'tar'");
	if (stat(p.data, &status) < 0)
		(void)fault_system(&fault, "cannot look at '%s'", p.data);
	else if (S_ISDIR(status.st_mode))
		(void)pack_folder(&p, &fault);
	else
		(void)pack_shard(&p, &fault);
	return fault.text[0] != '\0' ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "data", "a folder of files, or a shard", 1 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "table", "of a folder: a shard of the columns name and data, and label if asked for", 0 },
	{ "tar", "a folder of tar files, as WebDataset reads them", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "label", "text", "none", "folder: the first folder of a file's name is its label" },
	{ "key", "text", "",
		"of a shard: the text column that names samples, instead of row numbers" },
	{ "tar_mb", "integer 1..1000000", "500", "size of a tar file, at which the next begins; MB" },
	{ "group_rows", "integer 0..100000000", "0", "rows in a group; 0: as many files as have about 32 MiB" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_pack = { sizeof(flow_stage), "pack", "1",
	"make one file of many: a shard, or tar files for WebDataset", deps, outs, options, run };
