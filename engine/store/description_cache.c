#include "store/description_cache.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/vec.h"

/* The file: magic, the digest of this flow's version and of all that follows; then of each plugin digest, text and a NUL. */
#define NAME      "plugins.cache"
#define HEAD_SIZE (sizeof magic + DIGEST_SIZE)

static const char magic[8] = "FLOWPD1";

static void digest_of_body(struct digest *d, const char *body, size_t len)
{
	struct hasher h;

	hasher_init(&h);
	hasher_add(&h, FLOW_VERSION, sizeof FLOW_VERSION); /* another one may describe otherwise */
	hasher_add(&h, body, len);
	hasher_end(&h, d);
}

static bool is_whole(const struct buf *file)
{
	struct digest d;

	if (file->len < HEAD_SIZE || memcmp(file->data, magic, sizeof magic) != 0)
		return false;
	digest_of_body(&d, file->data + HEAD_SIZE, file->len - HEAD_SIZE);
	return memcmp(file->data + sizeof magic, d.bytes, DIGEST_SIZE) == 0;
}

static void read_body(struct description_cache *c, const char *at, const char *end)
{
	while (end - at > DIGEST_SIZE && c->kept.count < DESCRIPTIONS_MAX) {
		const char *text = at + DIGEST_SIZE, *nul = memchr(text, '\0', (size_t)(end - text));
		struct kept_description item;

		if (nul == NULL)
			return;
		memcpy(item.code.bytes, at, DIGEST_SIZE);
		item.text = arena_strndup(&c->arena, text, (size_t)(nul - text));
		vec_push(&c->kept, item);
		at = nul + 1;
	}
}

void description_cache_load(struct description_cache *c, int flow_fd)
{
	int fd = openat(flow_fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct buf file = { 0 };
	struct err e;

	if (fd < 0)
		return;
	if (file_read_fd(&file, fd, DESCRIPTIONS_BYTES_MAX, &e) == 0 && is_whole(&file))
		read_body(c, file.data + HEAD_SIZE, file.data + file.len);
	(void)close(fd);
	buf_release(&file);
}

const char *description_cache_find(const struct description_cache *c, const struct digest *code)
{
	size_t i;

	for (i = c->kept.count; i > 0; i--)
		if (digest_same(&c->kept.items[i - 1].code, code))
			return c->kept.items[i - 1].text;
	return NULL;
}

void description_cache_add(struct description_cache *c, const struct digest *code, const char *text)
{
	struct kept_description item = { *code, arena_strdup(&c->arena, text) };

	if (strlen(text) > DESCRIPTION_BYTES_MAX)
		return;
	vec_push(&c->kept, item);
	c->changed = true;
}

/* The first of those that are kept: as many of the newest as fit. */
static size_t first_kept(const struct description_cache *c)
{
	size_t i = c->kept.count, bytes = HEAD_SIZE;

	while (i > 0 && c->kept.count - i < DESCRIPTIONS_MAX) {
		bytes += DIGEST_SIZE + strlen(c->kept.items[i - 1].text) + 1;
		if (bytes > DESCRIPTIONS_BYTES_MAX)
			break;
		i--;
	}
	return i;
}

void description_cache_save(const struct description_cache *c, int flow_fd)
{
	char head[HEAD_SIZE];
	struct buf file = { 0 };
	struct digest d;
	struct err e;
	size_t i;

	if (!c->changed)
		return;
	memset(head, 0, sizeof head);
	buf_add(&file, head, sizeof head);
	for (i = first_kept(c); i < c->kept.count; i++) {
		buf_add(&file, c->kept.items[i].code.bytes, DIGEST_SIZE);
		buf_add(&file, c->kept.items[i].text, strlen(c->kept.items[i].text) + 1);
	}
	digest_of_body(&d, file.data + HEAD_SIZE, file.len - HEAD_SIZE);
	memcpy(file.data, magic, sizeof magic);
	memcpy(file.data + sizeof magic, d.bytes, DIGEST_SIZE);
	(void)file_write_atomic(flow_fd, NAME, file.data, file.len, 0600, &e);
	buf_release(&file);
}

void description_cache_release(struct description_cache *c)
{
	vec_release(&c->kept);
	arena_release(&c->arena);
}
