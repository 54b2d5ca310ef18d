#include "stage/registry.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/path.h"
#include "base/vec.h"

#define PREFIX "flow_stage_"

struct names {
	const char **items;
	size_t count, cap;
};

static void add_folder(struct registry *r, const char *folder)
{
	if (r->count < REGISTRY_FOLDERS)
		r->folders[r->count++] = folder;
}

static void add_listed(struct registry *r, struct arena *a, const char *list)
{
	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ":");

		if (len > 0)
			add_folder(r, arena_strndup(a, list, len));
		list += len + (list[len] == ':');
	}
}

void registry_open(struct registry *r, struct arena *a, const char *executable)
{
	char own[4096] = "";
	const char *folder;

	r->count = 0;
	add_listed(r, a, getenv("FLOW_STAGE_PATH"));
	r->listed = r->count;
	if (executable == NULL && readlink("/proc/self/exe", own, sizeof own - 1) > 0)
		executable = own;
	folder = path_folder(a, executable != NULL ? executable : "");
	add_folder(r, path_join(a, folder, "../lib/flow/stages"));
	add_folder(r, path_join(a, folder, "../share/flow/lua"));
	add_folder(r, path_join(a, folder, "stages"));
#ifdef FLOW_LUA_SOURCE_DIR
	add_folder(r, FLOW_LUA_SOURCE_DIR);
#endif
}

bool registry_find(const struct registry *r, const char *name, struct arena *a, const char **path,
	enum wire_stage *kind)
{
	static const struct {
		const char *before, *after;
		enum wire_stage kind;
	} forms[] = { { PREFIX, ".so", WIRE_PLUGIN }, { "stages/", ".lua", WIRE_LUA },
		{ "", ".lua", WIRE_LUA } };
	size_t i, f;

	if (!name_is_valid(name))
		return false;
	for (i = 0; i < r->count; i++) {
		for (f = 0; f < (i < r->listed ? 3u : 2u); f++) {
			const char *file = arena_printf(a, "%s/%s%s%s", r->folders[i],
				forms[f].before, name, forms[f].after);

			if (access(file, R_OK) == 0) {
				*path = file;
				*kind = forms[f].kind;
				return true;
			}
		}
	}
	return false;
}

bool registry_is_own(const struct registry *r, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0, i;

	for (i = r->listed; i < r->count; i++)
		if (len > 0 && strlen(r->folders[i]) == len && strncmp(path, r->folders[i], len) == 0)
			return true;
	return false;
}

const char *registry_module(const struct registry *r, const char *name, struct arena *a)
{
	char *inner = arena_strdup(a, name), *p;
	size_t i;

	if (!name_is_valid(name) || strstr(name, "..") != NULL)
		return NULL;
	for (p = inner; *p != '\0'; p++)
		*p = *p == '.' ? '/' : *p;
	for (i = 0; i < r->count; i++) {
		const char *file = arena_printf(a, "%s/%s.lua", r->folders[i], inner);

		if (access(file, R_OK) == 0)
			return file;
	}
	return NULL;
}

/* Names of the files in a folder that begin and end like that. */
static void add_names(struct names *names, struct arena *a, const char *folder, const char *before,
	const char *after)
{
	size_t before_len = strlen(before), after_len = strlen(after);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		const char *file = entry->d_name;
		size_t len = strlen(file);

		if (len > before_len + after_len && strncmp(file, before, before_len) == 0 &&
			strcmp(file + len - after_len, after) == 0 && file[0] != '.')
			vec_push(names,
				arena_strndup(a, file + before_len, len - before_len - after_len));
	}
	(void)closedir(dir);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t registry_names(const struct registry *r, struct arena *a, const char *const **names)
{
	struct names all = { 0 };
	const char **sorted;
	size_t i, count = 0;

	for (i = 0; i < r->count; i++) {
		add_names(&all, a, r->folders[i], PREFIX, ".so");
		add_names(&all, a, arena_printf(a, "%s/stages", r->folders[i]), "", ".lua");
		if (i < r->listed)
			add_names(&all, a, r->folders[i], "", ".lua");
	}
	if (all.count > 0)
		qsort(all.items, all.count, sizeof *all.items, compare);
	sorted = arena_alloc(a, (all.count + 1) * sizeof *sorted);
	for (i = 0; i < all.count; i++) {
		if (i == 0 || strcmp(all.items[i], all.items[i - 1]) != 0)
			sorted[count++] = all.items[i];
	}
	vec_release(&all);
	*names = sorted;
	return count;
}
