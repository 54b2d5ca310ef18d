/*
 * flow cache stat: what the store holds, and for whom.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/units.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "store/gc.h"
#include "store/shared.h"

struct tally {
	uint64_t objects, bytes;
};

enum kind_of_object {
	STAT_ALL,
	STAT_NEEDED,
	STAT_SPARE,
	STAT_UNKNOWN,
	STAT_LINKED,
	STAT_ASIDE,
	STAT_COUNT
};

static const struct {
	const char *key, *text;
} rows[STAT_COUNT] = {
	[STAT_ALL] = { "all", "all" },
	[STAT_NEEDED] = { "needed",
		"needed by the last run, pinned or tagged runs or the work tree" },
	[STAT_SPARE] = { "spare", "of other runs: `flow gc` may remove them" },
	[STAT_UNKNOWN] = { "unknown", "that no run knows of" },
	[STAT_LINKED] = { "linked", "of these, that are hard links to files of a work tree" },
	[STAT_ASIDE] = { "quarantine", "damaged, put aside" },
};

static void count_aside(const struct gc *g, struct tally *t)
{
	int fd = openat(g->objects.store_fd, "quarantine", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat st;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' &&
			fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			t->objects++;
			t->bytes += (uint64_t)st.st_size;
		}
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static void add(struct tally *t, const struct shelved *item)
{
	t->objects++;
	t->bytes += item->size;
}

/* A gc that keeps the last run alone, planned and not done, tells all. */
static void count(const struct gc *g, struct tally t[STAT_COUNT])
{
	size_t i;

	for (i = 0; i < g->shelf.count; i++) {
		const struct shelved *item = &g->shelf.items[i];

		add(&t[STAT_ALL], item);
		if (item->is_linked)
			add(&t[STAT_LINKED], item);
		add(&t[!g->was_claimed[i]      ? STAT_UNKNOWN
			    : item->claims > 0 ? STAT_NEEDED
					       : STAT_SPARE],
			item);
	}
	count_aside(g, &t[STAT_ASIDE]);
}

static void put_table(struct cli *c, const struct tally t[STAT_COUNT])
{
	struct table out = { .arena = &c->arena, .columns = 3, .right = 0x3 };
	char size[UNITS_TEXT];
	int i;

	table_cell(&out, PAINT_BOLD, "OBJECTS");
	table_cell(&out, PAINT_BOLD, "SIZE");
	table_cell(&out, PAINT_BOLD, "%s", "");
	for (i = 0; i < STAT_COUNT; i++) {
		table_cell(&out, PAINT_NONE, "%llu", (unsigned long long)t[i].objects);
		table_cell(&out, PAINT_NONE, "%s", size_text(t[i].bytes, size));
		table_cell(&out, PAINT_NONE, "%s", rows[i].text);
	}
	table_write(&out, &c->out);
}

static void put_json(struct cli *c, const struct tally t[STAT_COUNT])
{
	struct json j;
	int i;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	for (i = 0; i < STAT_COUNT; i++) {
		json_key(&j, rows[i].key);
		json_open_object(&j);
		json_key_int(&j, "objects", (int64_t)t[i].objects);
		json_key_int(&j, "bytes", (int64_t)t[i].bytes);
		json_end(&j);
	}
	json_end(&j);
}

static int put_sharer(void *user, const char *root, struct err *e)
{
	struct cli *c = user;

	(void)e;
	screen_printf(&c->out, "shared with %s\n", shown(c, root));
	return 0;
}

static int stat_main(struct cli *c)
{
	static const struct gc_wish wish = { .keep.last = 1 };
	struct tally tally[STAT_COUNT] = { { 0, 0 } };
	struct gc gc = { .project = NULL };
	struct records r;
	struct err e;

	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e, "{\"v\":1}");
	if (gc_plan(&gc, &r.project, &r.db, &wish, &e) < 0) {
		gc_release(&gc);
		return records_lost(c, &r, &e);
	}
	count(&gc, tally);
	gc_release(&gc);
	if (c->json) {
		put_json(c, tally);
		return records_done(c, &r);
	}
	put_table(c, tally);
	if (shared_each(&r.project, put_sharer, c, &e) < 0)
		return records_lost(c, &r, &e);
	return records_done(c, &r);
}

const struct command cmd_cache_stat = { .name = "cache stat",
	.group = GROUP_UPKEEP,
	.args = "",
	.summary = "what the store holds, and for whom",
	.about = "Sizes are those of the objects' bytes; a hard link to a file of the work tree\n"
		 "takes no room of its own.\n",
	.examples = "flow cache stat\n",
	.takes_dag = true,
	.shows = true,
	.run = stat_main };
