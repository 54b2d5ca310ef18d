#include "pack/tar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fault.h"
#include "common/text.h"

#define BLOCK 512

/* POSIX ustar. */
struct header {
	char name[100], mode[8], owner[8], group[8], size[12], time[12], check[8], kind;
	char link[100], magic[6], version[2], owner_name[32], group_name[32], major[8], minor[8];
	char prefix[155], rest[12];
};

int tars_open(struct tars *tars, const char *folder, uint64_t limit, struct fault *fault)
{
	*tars = (struct tars){ .folder = folder, .limit = limit };
	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		return fault_system(fault, "cannot make '%s'", folder);
	return 0;
}

/* Two empty blocks end a tar. */
static int finish(struct tars *tars, struct fault *fault)
{
	static const char zeros[2 * BLOCK];

	output_write(&tars->output, zeros, sizeof zeros);
	tars->size = 0;
	return output_commit(&tars->output, fault);
}

int tars_next(struct tars *tars, struct fault *fault)
{
	struct text path = { 0 };
	int rc;

	if (tars->output.stream != NULL && tars->size < tars->limit)
		return 0;
	if (tars->output.stream != NULL && finish(tars, fault) < 0)
		return -1;
	text_format(&path, "%s/shard-%06u.tar", tars->folder, tars->files++);
	rc = output_open(&tars->output, path.data, fault);
	text_release(&path);
	return rc;
}

/* A name of more than 100 bytes is cut at a slash: what stands before it is the prefix. */
static int set_name(struct header *h, const char *name, struct fault *fault)
{
	size_t length = strlen(name), cut = 0;

	if (length <= sizeof h->name) {
		memcpy(h->name, name, length);
		return 0;
	}
	for (size_t i = 0; i < length && i <= sizeof h->prefix; i++)
		if (name[i] == '/' && length - i - 1 <= sizeof h->name)
			cut = i;
	if (cut == 0)
		return fault_set(fault, "'%s' is too long a name for a tar file", name);
	memcpy(h->prefix, name, cut);
	memcpy(h->name, name + cut + 1, length - cut - 1);
	return 0;
}

static void set_check(struct header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned sum = 0;
	char digits[8];

	memset(h->check, ' ', sizeof h->check);
	for (size_t i = 0; i < BLOCK; i++)
		sum += bytes[i];
	(void)snprintf(digits, sizeof digits, "%06o", sum & 0777777);
	memcpy(h->check, digits, 7);
}

int tars_add(
	struct tars *tars, const char *name, const void *data, size_t size, struct fault *fault)
{
	static const char zeros[BLOCK];
	struct header h = { .mode = "0000644",
		.owner = "0000000",
		.group = "0000000",
		.time = "00000000000",
		.kind = '0',
		.magic = "ustar",
		.version = { '0', '0' } };
	size_t padding = (BLOCK - size % BLOCK) % BLOCK;

	if (set_name(&h, name, fault) < 0)
		return -1;
	(void)snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long)size & 077777777777);
	set_check(&h);
	output_write(&tars->output, &h, sizeof h);
	output_write(&tars->output, data, size);
	output_write(&tars->output, zeros, padding);
	tars->size += sizeof h + size + padding;
	return 0;
}

int tars_close(struct tars *tars, struct fault *fault)
{
	return tars->output.stream != NULL ? finish(tars, fault) : 0;
}

void tars_abandon(struct tars *tars)
{
	output_abandon(&tars->output);
}
