#include "store/graph_cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "dag/graph.h"
#include "dag/load.h"

#define HEAD_SIZE \
	64u /* magic and the digest of dag.yaml and the options; keeps the block aligned */

static const char magic[8] = "FLOWGC1";

/* Digest of what is known before anything is read: the text, its name and the options. */
static void head_of(unsigned char head[HEAD_SIZE], const struct dag_input *input)
{
	struct hasher h;
	struct digest d;
	size_t i;

	hasher_init(&h);
	hasher_add(&h, FLOW_VERSION,
		sizeof FLOW_VERSION); /* another one may read the text otherwise */
	hasher_add(&h, input->path, strlen(input->path) + 1);
	hasher_add(&h, &input->set_count, sizeof input->set_count);
	for (i = 0; i < input->set_count; i++)
		hasher_add(&h, input->sets[i], strlen(input->sets[i]) + 1);
	hasher_add(&h, &input->file_count, sizeof input->file_count);
	for (i = 0; i < input->file_count; i++)
		hasher_add(&h, input->files[i], strlen(input->files[i]) + 1);
	hasher_add(&h, input->text, input->len);
	hasher_end(&h, &d);
	memset(head, 0, HEAD_SIZE);
	memcpy(head, magic, sizeof magic);
	memcpy(head + sizeof magic, d.bytes, DIGEST_SIZE);
}

static bool file_is_same(const struct dag_input *input, const char *path, const char *hex)
{
	struct buf text = { 0 };
	char now[DIGEST_HEX];
	struct digest d;
	struct err e;
	bool same = false;

	if (input->read(input->user, path, &text, &e) == 0) {
		digest_of(&d, buf_text(&text), text.len);
		same = strcmp(digest_hex(&d, now), hex) == 0;
	}
	buf_release(&text);
	return same;
}

static bool source_is_same(
	const struct graph *g, const struct field *s, const struct dag_input *input)
{
	const char *name = graph_text(g, s->name), *value = graph_text(g, s->value), *now;

	if (strncmp(name, "file:", 5) == 0)
		return file_is_same(input, name + 5, value);
	if (strncmp(name, "env:", 4) != 0)
		return true; /* the options are in the head */
	now = input->getenv != NULL ? input->getenv(input->user, name + 4) : NULL;
	if (strcmp(graph_text(g, s->origin), "unset") == 0)
		return now == NULL;
	return now != NULL && strcmp(now, value) == 0;
}

/* The block behind the head, or NULL; a short file is one that was cut. */
static void *read_block(int fd, const unsigned char want[HEAD_SIZE], size_t *size)
{
	unsigned char head[HEAD_SIZE];
	struct stat st;
	void *block;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= (off_t)HEAD_SIZE ||
		pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
		memcmp(head, want, sizeof head) != 0)
		return NULL;
	*size = (size_t)st.st_size - HEAD_SIZE;
	block = malloc(*size);
	if (block != NULL && pread(fd, block, *size, HEAD_SIZE) != (ssize_t)*size) {
		free(block);
		return NULL;
	}
	return block;
}

int graph_cache_load(struct graph *g, int flow_fd, const struct dag_input *input)
{
	int fd = openat(flow_fd, "graph.cache", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	unsigned char want[HEAD_SIZE];
	struct err e;
	size_t size;
	uint32_t i;
	void *block;

	if (fd < 0)
		return 0;
	head_of(want, input);
	block = read_block(fd, want, &size);
	close(fd);
	if (block == NULL)
		return 0;
	if (graph_map(g, block, size, false, &e) < 0) {
		free(block);
		return 0;
	}
	for (i = 0; i < g->source_count; i++)
		if (!source_is_same(g, &g->sources[i], input)) {
			graph_release(g);
			return 0;
		}
	return 1;
}

void graph_cache_save(const struct graph *g, int flow_fd, const struct dag_input *input)
{
	struct buf whole = { 0 };
	unsigned char head[HEAD_SIZE];
	struct err e;

	head_of(head, input);
	buf_add(&whole, head, sizeof head);
	buf_add(&whole, g->block, g->size);
	(void)file_write_atomic(flow_fd, "graph.cache", whole.data, whole.len, 0600, &e);
	buf_release(&whole);
}
