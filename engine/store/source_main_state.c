/*
 * flow-source ROOT: which commit a folder is at and how it differs.
 *
 * Only files below the folder count, and .flow never does. The patch is what `git diff --binary HEAD` prints, with the untracked
 * files that git does not ignore as new ones, and its files are listed. Left out are what tasks make (that is made again) and
 * large untracked files; of these, and of ignored files, those that were asked about are named as loose.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/source_main.h"

#define PATCH_MAX     ((size_t)64 << 20)
#define QUESTIONS_MAX ((size_t)64 << 20)
#define UNTRACKED_MAX ((off_t)1 << 20) /* bytes of a file */
#define LOOSE_MAX     10000u

struct paths {
	char **items;
	size_t count, cap;
};

struct state {
	git_repository *repo;
	const char *folder; /* the project, below the work tree; "" or ending in nothing */
	struct buf questions;
	struct paths outs; /* below the work tree, sorted */
	struct paths deps;
	struct buf patch;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "o" or "d" and a path of the project, each ended by a NUL. */
static void read_questions(struct state *s)
{
	char *at, *end;

	if (read_all(&s->questions, QUESTIONS_MAX) < 0)
		buf_clear(&s->questions);
	end = s->questions.data + s->questions.len;
	for (at = s->questions.data; at != NULL && at < end; at += strlen(at) + 1) {
		size_t len = strlen(s->folder) + strlen(at) + 2;
		char *path = mem_zalloc(len);

		(void)snprintf(
			path, len, "%s%s%s", s->folder, s->folder[0] != '\0' ? "/" : "", at + 1);
		if (*at == 'o')
			vec_push(&s->outs, path);
		else
			vec_push(&s->deps, path);
	}
	if (s->outs.count > 1)
		qsort(s->outs.items, s->outs.count, sizeof *s->outs.items, by_text);
}

/* Is it an out of a task, or inside one? */
static bool is_made(const struct state *s, const char *path)
{
	char name[4096], *key = name, *slash;

	if (s->outs.count == 0 || strlen(path) >= sizeof name)
		return false;
	memcpy(name, path, strlen(path) + 1);
	do {
		if (bsearch(&key, s->outs.items, s->outs.count, sizeof key, by_text) != NULL)
			return true;
		slash = strrchr(name, '/');
		if (slash != NULL)
			*slash = '\0';
	} while (slash != NULL);
	return false;
}

static bool is_large(const struct state *s, const char *path)
{
	char whole[8192];
	struct stat st;

	(void)snprintf(whole, sizeof whole, "%s%s", git_repository_workdir(s->repo), path);
	return lstat(whole, &st) < 0 || (!S_ISLNK(st.st_mode) && !S_ISREG(st.st_mode)) ||
	       st.st_size > UNTRACKED_MAX;
}

static void status_options(git_status_options *options, const git_strarray *paths, unsigned flags)
{
	git_status_options_init(options, GIT_STATUS_OPTIONS_VERSION);
	options->flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_EXCLUDE_SUBMODULES |
			 GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH | flags;
	options->pathspec = *paths;
}

/* A file or, with a slash at its end, a folder that only tasks have made. */
static bool is_only_made(const struct state *s, const git_status_entry *entry)
{
	const char *path =
		entry->index_to_workdir != NULL ? entry->index_to_workdir->new_file.path : "";
	char name[4096];
	size_t len = strlen(path);

	if (entry->status != GIT_STATUS_WT_NEW || len == 0 || len >= sizeof name)
		return false;
	memcpy(name, path, len + 1);
	if (name[len - 1] == '/')
		name[len - 1] = '\0';
	return is_made(s, name);
}

static size_t count_dirty(const struct state *s)
{
	char *paths[1] = { (char *)(size_t)s->folder };
	git_status_options options;
	git_status_list *list = NULL;
	size_t count = 0, i;

	status_options(&options, &(git_strarray){ paths, s->folder[0] != '\0' }, 0);
	if (git_status_list_new(&list, s->repo, &options) == 0)
		for (i = 0; i < git_status_list_entrycount(list); i++)
			count += !is_only_made(s, git_status_byindex(list, i));
	git_status_list_free(list);
	return count;
}

/* Files among the deps that commit and patch do not have. */
static void put_loose(const struct state *s)
{
	size_t skip = s->folder[0] != '\0' ? strlen(s->folder) + 1 : 0, i, told = 0;
	git_status_options options;
	git_status_list *list = NULL;

	if (s->deps.count == 0)
		return;
	status_options(&options, &(git_strarray){ s->deps.items, s->deps.count },
		GIT_STATUS_OPT_INCLUDE_IGNORED | GIT_STATUS_OPT_RECURSE_IGNORED_DIRS |
			GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS);
	if (git_status_list_new(&list, s->repo, &options) != 0)
		return;
	for (i = 0; i < git_status_list_entrycount(list) && told < LOOSE_MAX; i++) {
		const git_status_entry *entry = git_status_byindex(list, i);
		const char *path = entry->index_to_workdir != NULL
					   ? entry->index_to_workdir->new_file.path
					   : NULL;

		if (path == NULL || strlen(path) <= skip || strchr(path, '\n') != NULL ||
			path[strlen(path) - 1] == '/' || is_made(s, path))
			continue;
		if ((entry->status & GIT_STATUS_IGNORED) != 0 ||
			((entry->status & GIT_STATUS_WT_NEW) != 0 && is_large(s, path))) {
			printf("loose %s\n", path + skip);
			told++;
		}
	}
	git_status_list_free(list);
}

static int add_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
	const git_diff_line *line, void *user)
{
	struct buf *out = user;

	(void)delta;
	(void)hunk;
	if (line->origin == '+' || line->origin == '-' || line->origin == ' ')
		buf_char(out, line->origin);
	buf_add(out, line->content, line->content_len);
	return out->len > PATCH_MAX ? -1 : 0;
}

/* Above 0: it stays out of the patch. */
static int choose(
	const git_diff *so_far, const git_diff_delta *delta, const char *matched, void *user)
{
	const struct state *s = user;

	(void)so_far;
	(void)matched;
	return delta->status == GIT_DELTA_UNTRACKED &&
	       (is_made(s, delta->new_file.path) || is_large(s, delta->new_file.path));
}

/* The files that differ from the commit. */
static void put_changed(const struct state *s, const git_diff *diff)
{
	size_t skip = s->folder[0] != '\0' ? strlen(s->folder) + 1 : 0, i;

	for (i = 0; i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *delta = git_diff_get_delta(diff, i);
		bool gone = delta->status == GIT_DELTA_DELETED;
		const char *path = gone ? delta->old_file.path : delta->new_file.path;

		if (strlen(path) > skip && strchr(path, '\n') == NULL)
			printf("%s %s\n", gone ? "gone" : "changed", path + skip);
	}
}

static int make_patch(struct state *s, const git_oid *head)
{
	git_diff_options options;
	char *paths[1] = { (char *)(size_t)s->folder };
	git_commit *commit = NULL;
	git_tree *tree = NULL;
	git_diff *diff = NULL;
	int rc;

	git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
	options.flags = GIT_DIFF_SHOW_BINARY | GIT_DIFF_IGNORE_SUBMODULES |
			GIT_DIFF_DISABLE_PATHSPEC_MATCH | GIT_DIFF_INCLUDE_UNTRACKED |
			GIT_DIFF_RECURSE_UNTRACKED_DIRS | GIT_DIFF_SHOW_UNTRACKED_CONTENT |
			GIT_DIFF_INCLUDE_TYPECHANGE;
	options.notify_cb = choose;
	options.payload = s;
	options.id_abbrev = GIT_OID_HEXSZ;
	if (s->folder[0] != '\0')
		options.pathspec = (git_strarray){ paths, 1 };
	rc = git_commit_lookup(&commit, s->repo, head);
	if (rc == 0)
		rc = git_commit_tree(&tree, commit);
	if (rc == 0)
		rc = git_diff_tree_to_workdir_with_index(&diff, s->repo, tree, &options);
	if (rc == 0) {
		put_changed(s, diff);
		rc = git_diff_print(diff, GIT_DIFF_FORMAT_PATCH, add_line, &s->patch);
	}
	git_diff_free(diff);
	git_tree_free(tree);
	git_commit_free(commit);
	return rc;
}

static void put_answer(struct state *s, const git_oid *head)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_reference *branch = NULL;
	const char *name = "";

	if (git_repository_head(&branch, s->repo) == 0 && git_reference_is_branch(branch))
		name = git_reference_shorthand(branch);
	git_oid_tostr(hex, sizeof hex, head);
	printf("commit %s\nbranch %s\ndirty %zu\n", hex, name, count_dirty(s));
	git_reference_free(branch);
	put_loose(s);
	if (make_patch(s, head) != 0) {
		printf("note no patch was recorded: %s\n",
			s->patch.len > PATCH_MAX ? "it is over 64 MiB" : git_text());
		buf_clear(&s->patch);
	} else {
		printf("note \n");
	}
	printf("patch %zu\n", s->patch.len);
	(void)fwrite(buf_text(&s->patch), 1, s->patch.len, stdout);
}

int state_main(git_repository *repo, const char *root)
{
	struct state s = { .repo = repo, .folder = below(repo, root) };
	git_oid head;
	int rc;

	rc = git_reference_name_to_id(&head, repo, "HEAD");
	if (rc != 0) {
		bool unborn = rc == GIT_ENOTFOUND && git_repository_head_unborn(repo) == 1;

		printf("commit \nbranch \ndirty 0\nnote %s%s\npatch 0\n",
			unborn ? "the git repository has no commit yet" : DAMAGED,
			unborn ? "" : git_text());
		return 0;
	}
	read_questions(&s);
	put_answer(&s, &head);
	while (s.outs.count > 0)
		free(s.outs.items[--s.outs.count]);
	while (s.deps.count > 0)
		free(s.deps.items[--s.deps.count]);
	vec_release(&s.outs);
	vec_release(&s.deps);
	buf_release(&s.questions);
	buf_release(&s.patch);
	return 0;
}
