/*
 * flow-source log ROOT A B: what lies between two commits.
 *
 * The answer is `way WORD` (same, forward: B comes after A, back, apart), then `commit HEX SUMMARY` lines: forward those that are
 * made on the way from A to B, back those that are undone, in that order (none when they are apart, at most COMMITS_MAX); `file ADDED REMOVED PATH` lines (-1: binary); or `fault TEXT`.
 */
#include <stdio.h>
#include <string.h>

#include "store/source_main.h"

#define COMMITS_MAX 1000u
#define FILES_MAX   1000u

static int fault(const char *what)
{
	printf("fault %s\n", what);
	return 0;
}

/* The summary, which is one line. */
static void put_commit(git_repository *repo, const git_oid *id)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_commit *commit = NULL;

	if (git_commit_lookup(&commit, repo, id) != 0)
		return;
	printf("commit %s %s\n", git_oid_tostr(hex, sizeof hex, id),
		git_commit_summary(commit) != NULL ? git_commit_summary(commit) : "");
	git_commit_free(commit);
}

/* Along first parents: what was merged counts as one step. */
static void put_commits(git_repository *repo, const git_oid *from, const git_oid *to, bool forward)
{
	git_revwalk *walk = NULL;
	git_oid id;
	unsigned count = 0;

	if (git_revwalk_new(&walk, repo) != 0)
		return;
	git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | (forward ? GIT_SORT_REVERSE : 0u));
	(void)git_revwalk_simplify_first_parent(walk);
	if (git_revwalk_push(walk, forward ? to : from) == 0 &&
		git_revwalk_hide(walk, forward ? from : to) == 0)
		while (count++ < COMMITS_MAX && git_revwalk_next(&id, walk) == 0)
			put_commit(repo, &id);
	git_revwalk_free(walk);
}

static void put_files(git_repository *repo, const git_oid *from, const git_oid *to)
{
	git_commit *a = NULL, *b = NULL;
	git_tree *old = NULL, *new = NULL;
	git_diff *diff = NULL;
	size_t i;

	if (git_commit_lookup(&a, repo, from) == 0 && git_commit_lookup(&b, repo, to) == 0 &&
		git_commit_tree(&old, a) == 0 && git_commit_tree(&new, b) == 0 &&
		git_diff_tree_to_tree(&diff, repo, old, new, NULL) == 0)
		for (i = 0; i < git_diff_num_deltas(diff) && i < FILES_MAX; i++) {
			const git_diff_delta *delta = git_diff_get_delta(diff, i);
			size_t added = 0, removed = 0;
			git_patch *patch = NULL;
			bool binary =
				git_patch_from_diff(&patch, diff, i) != 0 || patch == NULL ||
				(git_patch_get_delta(patch)->flags & GIT_DIFF_FLAG_BINARY) != 0;

			if (!binary)
				(void)git_patch_line_stats(NULL, &added, &removed, patch);
			if (strchr(delta->new_file.path, '\n') == NULL)
				printf("file %ld %ld %s\n", binary ? -1L : (long)added,
					binary ? -1L : (long)removed, delta->new_file.path);
			git_patch_free(patch);
		}
	git_diff_free(diff);
	git_tree_free(old);
	git_tree_free(new);
	git_commit_free(a);
	git_commit_free(b);
}

static bool has_commit(git_repository *repo, const char *text, git_oid *id)
{
	git_commit *commit = NULL;
	bool has = git_oid_fromstr(id, text) == 0 && git_commit_lookup(&commit, repo, id) == 0;

	git_commit_free(commit);
	return has;
}

int log_main(git_repository *repo, const char *from, const char *to)
{
	git_oid a, b;
	char text[100];
	bool has_a = has_commit(repo, from, &a);

	if (!has_a || !has_commit(repo, to, &b)) {
		(void)snprintf(text, sizeof text, "commit %.12s is not in this repository",
			has_a ? to : from);
		return fault(text);
	}
	if (git_oid_equal(&a, &b)) {
		printf("way same\n");
		return 0;
	}
	if (git_graph_descendant_of(repo, &b, &a) == 1) {
		printf("way forward\n");
		put_commits(repo, &a, &b, true);
	} else if (git_graph_descendant_of(repo, &a, &b) == 1) {
		printf("way back\n");
		put_commits(repo, &a, &b, false);
	} else {
		printf("way apart\n");
	}
	put_files(repo, &a, &b);
	return 0;
}
