/*
 * Questions about commits of the past: each runs `flow-source` to its end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/child.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/rows.h"
#include "store/source.h"

#define CHECKOUT_MS 600000

/* The answer's text, a line at a time, each split into its word and what follows; NULL at the end. */
static char *next_line(char **at, char **rest)
{
	char *line = *at, *end = line != NULL ? strchr(line, '\n') : NULL;

	if (end == NULL)
		return NULL;
	*end = '\0';
	*at = end + 1;
	*rest = line + strcspn(line, " ");
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return line;
}

static int ask(
	struct arena *a, const char *const *argv, int64_t limit_ms, char **text, struct err *e)
{
	struct child_answer answer;

	if (child_ask(&answer, a, argv, NULL, 0, limit_ms, e) < 0)
		return e->code;
	*text = arena_strdup(a, answer.text);
	if (strncmp(*text, "fault ", 6) == 0)
		return err_set(e, ERR_NOTFOUND, "%.*s", (int)strcspn(*text + 6, "\n"), *text + 6);
	if (answer.status != 0)
		return err_set(e, ERR_SYSTEM, "the git helper ended with status %d", answer.status);
	return 0;
}

int source_checkout(const char *helper, const char *root, const char *commit, const char *folder,
	struct arena *a, struct source_place *out, struct err *e)
{
	const char *argv[] = { helper, "checkout", root, commit, folder, NULL };
	char *text, *word, *rest;

	if (ask(a, argv, CHECKOUT_MS, &text, e) < 0)
		return e->code;
	*out = (struct source_place){ .submodules = "" };
	while ((word = next_line(&text, &rest)) != NULL) {
		if (strcmp(word, "folder") == 0)
			out->folder = rest;
		else if (strcmp(word, "submodule") == 0)
			out->submodules = arena_printf(a, "%s%s%s", out->submodules,
				out->submodules[0] != '\0' ? ", " : "", rest);
	}
	return out->folder != NULL ? 0 : err_set(e, ERR_SYSTEM, "the git helper ended early");
}

/* "12 3 lua/train.lua" */
static void read_file(struct source_log *log, char *rest)
{
	struct source_file file;

	file.added = strtol(rest, &rest, 10);
	file.removed = strtol(rest, &rest, 10);
	file.path = rest + (*rest == ' ');
	vec_push(&log->files, file);
}

int source_log(const char *helper, const char *root, const char *from, const char *to,
	struct arena *a, struct source_log *out, struct err *e)
{
	const char *argv[] = { helper, "log", root, from, to, NULL };
	struct source_log log = { .way = "" };
	char *text, *word, *rest;

	if (ask(a, argv, CHILD_LIMIT_MS, &text, e) < 0)
		return e->code;
	while ((word = next_line(&text, &rest)) != NULL) {
		if (strcmp(word, "way") == 0) {
			log.way = rest;
		} else if (strcmp(word, "commit") == 0) {
			char *summary = rest + strcspn(rest, " ");
			struct source_commit commit = { rest, summary + (*summary != '\0') };

			*summary = '\0';
			vec_push(&log.commits, commit);
		} else if (strcmp(word, "file") == 0) {
			read_file(&log, rest);
		}
	}
	*out = log;
	rows_keep(&out->commits, &log.commits, a);
	rows_keep(&out->files, &log.files, a);
	return log.way[0] != '\0' ? 0 : err_set(e, ERR_SYSTEM, "the git helper ended early");
}
