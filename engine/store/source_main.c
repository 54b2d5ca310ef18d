/*
 * flow-source: says which commit a folder is at and how it differs. See store/source.h for the answer's form.
 *
 * Only files below the folder count, and .flow never does. Untracked files are counted but not part of the patch: those that are
 * deps have their digests in the record anyway.
 */
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <git2.h>

#include "base/buf.h"

#define PATCH_MAX ((size_t)64 << 20)

static int answer_none(const char *note)
{
	printf("commit \nbranch \ndirty 0\nnote %s\npatch 0\n", note);
	return 0;
}

/* One line: newlines would end the answer's line. */
static const char *git_text(void)
{
	static char text[300];
	const git_error *error = git_error_last();
	size_t i;

	(void)snprintf(text, sizeof text, "%s", error != NULL ? error->message : "unknown fault");
	for (i = 0; text[i] != '\0'; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	return text;
}

static int answer_damaged(const char *why)
{
	char note[400];

	(void)snprintf(note, sizeof note, "the git repository is damaged: %s", why);
	return answer_none(note);
}

static int answer_foreign(void)
{
	return answer_none("the git repository belongs to another user (git config --global --add "
			   "safe.directory <folder> trusts it)");
}

/* The `.git` of `root` or of a folder above it. */
static bool find_git(const char *root, struct stat *git)
{
	char path[4096], *end;

	if (strlen(root) >= sizeof path - sizeof "/.git")
		return false;
	(void)snprintf(path, sizeof path, "%s", root);
	for (end = path + strlen(path);; end = strrchr(path, '/')) {
		if (end == NULL)
			return false;
		memcpy(end, "/.git", sizeof "/.git");
		if (stat(path, git) == 0)
			return true;
		*end = '\0';
	}
}

/* Path of `root` below the repository's work tree, "" for the work tree itself. */
static const char *below(git_repository *repo, const char *root)
{
	const char *top = git_repository_workdir(repo);
	size_t n = top != NULL ? strlen(top) : 0;

	return top != NULL && strncmp(root, top, n) == 0 ? root + n : "";
}

static size_t count_dirty(git_repository *repo, const char *folder)
{
	git_status_options options;
	char *paths[1] = { (char *)(size_t)folder };
	git_status_list *list = NULL;
	size_t count = 0;

	git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
	options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_EXCLUDE_SUBMODULES |
			GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH;
	if (folder[0] != '\0')
		options.pathspec = (git_strarray){ paths, 1 };
	if (git_status_list_new(&list, repo, &options) == 0)
		count = git_status_list_entrycount(list);
	git_status_list_free(list);
	return count;
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

/* What `git diff --binary HEAD` prints. */
static int make_patch(
	git_repository *repo, const git_oid *head, const char *folder, struct buf *out)
{
	git_diff_options options;
	char *paths[1] = { (char *)(size_t)folder };
	git_commit *commit = NULL;
	git_tree *tree = NULL;
	git_diff *diff = NULL;
	int rc;

	git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
	options.flags =
		GIT_DIFF_SHOW_BINARY | GIT_DIFF_IGNORE_SUBMODULES | GIT_DIFF_DISABLE_PATHSPEC_MATCH;
	if (folder[0] != '\0')
		options.pathspec = (git_strarray){ paths, 1 };
	rc = git_commit_lookup(&commit, repo, head);
	if (rc == 0)
		rc = git_commit_tree(&tree, commit);
	if (rc == 0)
		rc = git_diff_tree_to_workdir_with_index(&diff, repo, tree, &options);
	if (rc == 0)
		rc = git_diff_print(diff, GIT_DIFF_FORMAT_PATCH, add_line, out);
	git_diff_free(diff);
	git_tree_free(tree);
	git_commit_free(commit);
	return rc;
}

static int answer(git_repository *repo, const char *root)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_reference *head = NULL;
	const char *branch = "", *folder = below(repo, root);
	struct buf patch = { 0 };
	git_oid oid;
	int rc;

	rc = git_reference_name_to_id(&oid, repo, "HEAD");
	if (rc == GIT_ENOTFOUND && git_repository_head_unborn(repo) == 1)
		return answer_none("the git repository has no commit yet");
	if (rc != 0)
		return answer_damaged(git_text());
	if (git_repository_head(&head, repo) == 0 && git_reference_is_branch(head))
		branch = git_reference_shorthand(head);
	git_oid_tostr(hex, sizeof hex, &oid);
	printf("commit %s\nbranch %s\ndirty %zu\n", hex, branch, count_dirty(repo, folder));
	if (make_patch(repo, &oid, folder, &patch) != 0) {
		printf("note no patch was recorded: %s\n",
			patch.len > PATCH_MAX ? "it is over 64 MiB" : git_text());
		buf_clear(&patch);
	} else {
		printf("note \n");
	}
	printf("patch %zu\n", patch.len);
	(void)fwrite(buf_text(&patch), 1, patch.len, stdout);
	buf_release(&patch);
	git_reference_free(head);
	return 0;
}

/* Some versions of libgit2 say "not found" of a repository of another user too, when there is no global configuration. */
static int answer_not_found(const char *root)
{
	struct stat git;

	if (!find_git(root, &git))
		return answer_none("not in a git repository");
	return git.st_uid != geteuid() ? answer_foreign() : answer_damaged("its `.git` is not whole");
}

int main(int argc, char **argv)
{
	git_repository *repo = NULL;
	int rc;

	if (argc != 2)
		return 2;
	git_libgit2_init();
	rc = git_repository_open_ext(&repo, argv[1], 0, NULL);
	if (rc == GIT_ENOTFOUND)
		rc = answer_not_found(argv[1]);
	else if (rc == GIT_EOWNER)
		rc = answer_foreign();
	else if (rc != 0)
		rc = answer_none(git_text());
	else if (git_repository_is_bare(repo))
		rc = answer_none("the git repository is bare");
	else
		rc = answer(repo, argv[1]);
	git_repository_free(repo);
	return fflush(stdout) == 0 ? rc : 1;
}
