#include "run/undeclared.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "dag/graph.h"

#define DEPTH_MAX 200

struct search {
	struct undeclared *found;
	const struct graph *graph;
	struct span outs;
	struct arena *arena;
};

static bool is_out(const struct search *s, const char *path)
{
	uint32_t i;

	for (i = 0; i < s->outs.count; i++)
		if (path_is_inside(
			    path, graph_text(s->graph, s->graph->outs[s->outs.first + i].path)))
			return true;
	return path_is_inside(path, ".flow");
}

static int look(struct search *s, int fd, const char *folder, int depth, struct err *e);

static int look_at(
	struct search *s, int dir, const char *name, const char *path, int depth, struct err *e)
{
	struct stat st;
	int fd;

	if (is_out(s, path) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? err_system(e, "cannot look into `%s`", path)
			      : look(s, fd, path, depth + 1, e);
	}
	if (s->found->count < UNDECLARED_NAMED)
		s->found->named[s->found->count] = arena_strdup(s->arena, path);
	s->found->count++;
	return 0;
}

static int look(struct search *s, int fd, const char *folder, int depth, struct err *e)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (dir == NULL) {
		close(fd);
		return err_system(e, "cannot look into `%s`", folder);
	}
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		struct arena a = { 0 };

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = look_at(s, dirfd(dir), entry->d_name,
				folder[0] != '\0' ? arena_printf(&a, "%s/%s", folder, entry->d_name)
						  : entry->d_name,
				depth, e);
		arena_release(&a);
	}
	closedir(dir);
	return rc;
}

int undeclared_find(struct undeclared *found, int flow_fd, const char *upper, const struct graph *g,
	uint32_t node, struct arena *a, struct err *e)
{
	struct search s = { found, g, g->nodes[node].outs, a };
	int fd = openat(flow_fd, upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	found->count = 0;
	return fd < 0 ? err_system(e, "cannot look into `.flow/%s`", upper)
		      : look(&s, fd, "", 0, e);
}

const char *undeclared_text(const struct undeclared *u, struct arena *a)
{
	struct buf text = { 0 };
	size_t i, named = u->count < UNDECLARED_NAMED ? u->count : UNDECLARED_NAMED;
	const char *copy;

	if (u->count == 0)
		return "";
	buf_str(&text, "wrote or removed ");
	for (i = 0; i < named; i++)
		buf_printf(&text, "%s`%s`", i > 0 ? ", " : "", u->named[i]);
	if (u->count > named)
		buf_printf(&text, " and %zu more", u->count - named);
	buf_printf(&text, ", which %s no out: left out", u->count == 1 ? "is" : "are");
	copy = buf_in(&text, a);
	buf_release(&text);
	return copy;
}
