/* flow shards verify: does every byte have its checksum, and every text its place? */
#include "shards/shards.h"

#include <stdio.h>
#include <string.h>

#include "common/fault.h"
#include "common/shard.h"
#include "common/text.h"
#include "shards/cell.h"

static void put_damage(struct text *out, const struct shard *shard, size_t group, size_t column,
	size_t number)
{
	text_format(out, "%s{\"group\":%zu,\"column\":", number == 0 ? "" : ",", group + 1);
	cell_json_text(out, shard->column[column].name, strlen(shard->column[column].name));
	text_add(out, "}", 1);
}

static void put_line(struct text *out, const char *path, const char *what)
{
	if (path != NULL) {
		cell_name(out, path);
		text_add(out, ": ", 2);
	}
	cell_name(out, what);
	text_add(out, "\n", 1);
}

/* How many parts are damaged; each is named. */
static size_t verify_parts(const struct shards *s, const struct shard *shard, const char *path,
	struct text *out)
{
	size_t damaged = 0;
	struct fault fault;

	for (size_t g = 0; g < shard->groups; g++)
		for (size_t c = 0; c < shard->columns; c++) {
			if (shard_verify(shard, g, c, &fault) == 0)
				continue;
			if (s->json)
				put_damage(out, shard, g, c, damaged);
			else
				put_line(out, path, fault.text);
			damaged++;
		}
	return damaged;
}

static void put_sum(struct text *out, const struct shard *shard, const char *path, size_t damaged)
{
	size_t parts = shard->groups * shard->columns;
	char line[100];

	if (damaged == 0)
		(void)snprintf(line, sizeof line, "ok, %llu rows, %zu part%s",
			(unsigned long long)shard->rows, parts, parts == 1 ? "" : "s");
	else
		(void)snprintf(line, sizeof line, "%zu of %zu parts damaged", damaged, parts);
	put_line(out, path, line);
}

static int verify_file(const struct shards *s, const char *path, struct text *out)
{
	struct shard shard;
	struct fault fault;
	size_t damaged;

	if (s->json) {
		text_format(out, "{\"file\":");
		cell_json_text(out, path, strlen(path));
		text_format(out, ",\"damaged\":[");
	}
	if (shard_open(&shard, path, &fault) < 0) {
		if (s->json) {
			text_format(out, "],\"ok\":false,\"fault\":");
			cell_json_text(out, fault.text, strlen(fault.text));
			text_add(out, "}", 1);
		} else {
			put_line(out, NULL, fault.text);
		}
		return SHARDS_DAMAGED;
	}
	damaged = verify_parts(s, &shard, path, out);
	if (s->json)
		text_format(out, "],\"ok\":%s,\"rows\":%llu,\"groups\":%zu,\"columns\":%zu}",
			damaged == 0 ? "true" : "false", (unsigned long long)shard.rows,
			shard.groups, shard.columns);
	else
		put_sum(out, &shard, path, damaged);
	shard_close(&shard);
	return damaged == 0 ? SHARDS_DONE : SHARDS_DAMAGED;
}

int shards_verify(const struct shards *s)
{
	struct text out = { 0 };
	int rc = 0, status;

	if (s->json)
		text_format(&out, "{\"v\":1,\"shards\":[");
	for (size_t i = 0; i < s->files; i++) {
		int look = shards_look(s->file[i]);

		if (look == 0) {
			text_add(&out, ",", s->json && out.data[out.length - 1] == '}');
			look = verify_file(s, s->file[i], &out);
		}
		/* A file that is not there says nothing of the others. */
		if (look > rc)
			rc = look;
	}
	if (s->json)
		text_format(&out, "]}\n");
	if (shards_write(&out, &status) < 0)
		rc = status;
	text_release(&out);
	return rc;
}
