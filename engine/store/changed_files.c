#include "store/changed_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "store/objects.h"

#define HEAD     "# files that differ: "
#define HEAD_LEN (sizeof HEAD - 1)
#define LIST_MAX ((size_t)256 << 20)

void changed_add(struct buf *list, unsigned mode, const struct digest *d, const char *path)
{
	char hex[DIGEST_HEX];

	buf_printf(list, "%06o %s %s\n", mode, digest_hex(d, hex), path);
}

void changed_head(struct buf *patch, const struct digest *list)
{
	char hex[DIGEST_HEX];

	buf_printf(patch, HEAD "%s\n", digest_hex(list, hex));
}

int changed_list(
	const struct objects *o, const struct digest *patch, struct buf *list, struct err *e)
{
	struct buf text = { 0 };
	struct digest digest;
	char hex[DIGEST_HEX];
	int rc = object_read(o, patch, LIST_MAX, &text, e);

	if (rc == 0 && (text.len < HEAD_LEN + DIGEST_HEX || memcmp(text.data, HEAD, HEAD_LEN) != 0))
		rc = err_set(e, ERR_NOTFOUND, "the files that differed were not kept");
	if (rc == 0) {
		memcpy(hex, text.data + HEAD_LEN, DIGEST_HEX - 1);
		hex[DIGEST_HEX - 1] = '\0';
		rc = digest_parse(&digest, hex)
			     ? object_read(o, &digest, LIST_MAX, list, e)
			     : err_set(e, ERR_CORRUPT, "the head of the patch is damaged");
	}
	buf_release(&text);
	return rc;
}

static bool is_clean(const char *path)
{
	struct arena a = { 0 };
	bool clean = !path_leaves(path) && strcmp(path_clean(&a, path), path) == 0;

	arena_release(&a);
	return clean;
}

bool changed_next(char **at, struct changed_file *file, bool *bad)
{
	char *line = *at, *end = line != NULL ? strchr(line, '\n') : NULL, *hex, *path;

	*bad = line != NULL && line[0] != '\0';
	if (end == NULL)
		return false;
	*end = '\0';
	*at = end + 1;
	hex = strchr(line, ' ');
	path = hex != NULL ? strchr(hex + 1, ' ') : NULL;
	if (path == NULL)
		return false;
	*hex++ = *path++ = '\0';
	*file = (struct changed_file){ .mode = (unsigned)strtoul(line, NULL, 8), .path = path };
	*bad = !digest_parse(&file->digest, hex) || !is_clean(path);
	return !*bad;
}
