/*
 * flow-source: asks git. See store/source_main.h for its commands, store/source.h for who starts it.
 */
#include "store/source_main.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define FOREIGN                                                                                 \
	"the git repository belongs to another user (git config --global --add safe.directory " \
	"<folder> trusts it)"

/* One line: newlines would end the answer's line. */
const char *git_text(void)
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

const char *below(git_repository *repo, const char *root)
{
	const char *top = git_repository_workdir(repo);
	size_t n = top != NULL ? strlen(top) : 0;

	return top != NULL && strncmp(root, top, n) == 0 ? root + n : "";
}

int read_all(struct buf *out, size_t most)
{
	ssize_t n;

	while ((n = read(0, buf_room(out, 65536), 65536)) > 0) {
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (out->len > most)
			return -1;
	}
	return n < 0 ? -1 : 0;
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

/* Some versions of libgit2 say "not found" of a repository of another user too, when there is no global configuration. */
static const char *not_found(const char *root)
{
	struct stat git;

	if (!find_git(root, &git))
		return "not in a git repository";
	return git.st_uid != geteuid() ? FOREIGN : DAMAGED "its `.git` is not whole";
}

/* Why there is no repository to ask, or NULL. */
static const char *open_repository(git_repository **repo, const char *root)
{
	int rc = git_repository_open_ext(repo, root, 0, NULL);

	if (rc == GIT_ENOTFOUND)
		return not_found(root);
	if (rc == GIT_EOWNER)
		return FOREIGN;
	if (rc != 0)
		return git_text();
	return git_repository_is_bare(*repo) ? "the git repository is bare" : NULL;
}

static int answer(git_repository *repo, const char *why, int argc, char **argv)
{
	bool checkout = argc == 5 && strcmp(argv[1], "checkout") == 0;

	if (argc == 2 && why != NULL) {
		printf("commit \nbranch \ndirty 0\nnote %s\npatch 0\n", why);
		return 0;
	}
	if (argc == 2)
		return state_main(repo, argv[1]);
	if (!checkout && (argc != 5 || strcmp(argv[1], "log") != 0))
		return 2;
	if (why != NULL) {
		printf("fault %s\n", why);
		return 0;
	}
	return checkout ? checkout_main(repo, argv[2], argv[3], argv[4])
			: log_main(repo, argv[3], argv[4]);
}

int main(int argc, char **argv)
{
	git_repository *repo = NULL;
	const char *why;
	int rc;

	if (argc < 2)
		return 2;
	git_libgit2_init();
	why = open_repository(&repo, argv[argc == 2 ? 1 : 2]);
	rc = answer(repo, why, argc, argv);
	git_repository_free(repo);
	(void)git_libgit2_shutdown();
	return fflush(stdout) == 0 ? rc : 1;
}
