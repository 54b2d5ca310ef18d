/*
 * From the command line to a session: which dag.yaml, which parameters, which tasks.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "cli/cmd.h"

/* --params FILE is relative to where the user is, the engine reads relative to dag.yaml. */
static const char *file_of(struct cli *c, const char *path)
{
	char whole[PATH_MAX];

	if (path_is_absolute(path) || strcmp(path_folder(&c->arena, c->dag), ".") == 0 ||
		realpath(path, whole) == NULL)
		return path;
	return arena_strdup(&c->arena, whole);
}

static int open_session(struct cli *c, struct session *s, enum project_mode mode, bool only_looks, struct err *e)
{
	const char **files = arena_alloc(&c->arena, (c->files.count + 1) * sizeof *files);
	struct session_options options = { .dag = c->dag,
		.sets = c->sets.items,
		.set_count = c->sets.count,
		.files = files,
		.file_count = c->files.count,
		.mode = mode,
		.only_looks = only_looks };
	size_t i;

	for (i = 0; i < c->files.count; i++)
		files[i] = file_of(c, c->files.items[i]);
	if (session_open(s, &options, e) < 0)
		return e->code;
	return session_load(s, e);
}

int cli_session(struct cli *c, struct session *s, enum project_mode mode, struct err *e)
{
	return open_session(c, s, mode, false, e);
}

int cli_graph(struct cli *c, struct session *s, struct err *e)
{
	return open_session(c, s, PROJECT_READ, true, e);
}

void cli_wish(struct cli *c, struct session_wish *wish)
{
	const char **forced = arena_alloc(&c->arena, (c->force.count + 1) * sizeof *forced);
	size_t i;

	*wish = (struct session_wish){ .select = { .names = c->args.items,
					       .count = c->args.count,
					       .from = c->from,
					       .until = c->until,
					       .only = c->only },
		.forced = forced };
	for (i = 0; i < c->force.count; i++) {
		if (c->force.items[i][0] == '\0')
			wish->force_all = true;
		else
			forced[wish->forced_count++] = c->force.items[i];
	}
}
