/*
 * flow-source checkout ROOT COMMIT FOLDER: the work tree as it was, in a folder of its own.
 *
 * FOLDER becomes a repository that borrows the objects of the one ROOT is in, with COMMIT checked out. Nothing is written to the
 * user's repository. The answer is `folder PATH`, where the project lies below FOLDER, then
 * `submodule PATH` lines (they are not checked out); or `fault TEXT`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/source_main.h"

static int fault(const char *what)
{
	printf("fault %s\n", what);
	return 0;
}

/* The objects of another repository count as its own. */
static int borrow_objects(git_repository *from, git_repository *to)
{
	const char *folder = git_repository_path(to);
	char path[8192];
	FILE *file;
	int rc;

	(void)snprintf(path, sizeof path, "%sobjects/info/alternates", folder);
	file = fopen(path, "we");
	if (file == NULL)
		return -1;
	rc = fprintf(file, "%sobjects\n", git_repository_commondir(from)) > 0 ? 0 : -1;
	return fclose(file) == 0 ? rc : -1;
}

/* How files look in the work tree is the repository's to say. */
static void copy_settings(git_repository *from, git_repository *to)
{
	static const char *const names[] = { "core.autocrlf", "core.eol", "core.filemode",
		"core.symlinks" };
	git_config *theirs = NULL, *ours = NULL;
	git_buf value = { 0 };
	size_t i;

	if (git_repository_config(&theirs, from) == 0 && git_repository_config(&ours, to) == 0)
		for (i = 0; i < sizeof names / sizeof *names; i++)
			if (git_config_get_string_buf(&value, theirs, names[i]) == 0) {
				(void)git_config_set_string(ours, names[i], value.ptr);
				git_buf_dispose(&value);
			}
	git_config_free(theirs);
	git_config_free(ours);
}

static int check_out(git_repository *repo, const git_oid *commit)
{
	git_checkout_options options;
	int rc = git_repository_set_head_detached(repo, commit);

	git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
	options.checkout_strategy = GIT_CHECKOUT_FORCE;
	return rc == 0 ? git_checkout_head(repo, &options) : rc;
}

static void put_submodules(git_repository *repo)
{
	git_index *index = NULL;
	size_t i;

	if (git_repository_index(&index, repo) == 0)
		for (i = 0; i < git_index_entrycount(index); i++) {
			const git_index_entry *entry = git_index_get_byindex(index, i);

			if (entry->mode == GIT_FILEMODE_COMMIT && strchr(entry->path, '\n') == NULL)
				printf("submodule %s\n", entry->path);
		}
	git_index_free(index);
}

static int no_commit(git_repository *repo, const char *commit)
{
	printf("fault commit %.12s is not in this repository%s\n", commit,
		git_repository_is_shallow(repo)
			? ", which is a shallow clone: `git fetch --unshallow` may bring it"
			: " any more: `git fetch` may bring it");
	return 0;
}

int checkout_main(git_repository *repo, const char *root, const char *commit, const char *folder)
{
	git_repository *scratch = NULL;
	git_commit *found = NULL;
	git_oid id;
	char text[400];
	int rc = 0;

	if (git_oid_fromstr(&id, commit) != 0)
		return fault("the recorded commit is none");
	if (git_commit_lookup(&found, repo, &id) != 0)
		return no_commit(repo, commit);
	git_commit_free(found);
	if (git_repository_init(&scratch, folder, 0) != 0)
		return fault(git_text());
	copy_settings(repo, scratch);
	if (borrow_objects(repo, scratch) != 0) {
		rc = fault(strerror(errno));
	} else {
		git_repository_free(scratch); /* it looks for borrowed objects when it is opened */
		scratch = NULL;
		if (git_repository_open(&scratch, folder) != 0 || check_out(scratch, &id) != 0) {
			(void)snprintf(text, sizeof text, "commit %.12s cannot be checked out: %s",
				commit, git_text());
			rc = fault(text);
		} else {
			printf("folder %s\n", below(repo, root));
			put_submodules(scratch);
		}
	}
	git_repository_free(scratch);
	return rc;
}
