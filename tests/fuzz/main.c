/* Hands a target the files it is given, and those in the folders it is given: the corpus as a test, without libFuzzer. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "fuzz.h"
#include "store/tree.h"

#define INPUT_MAX ((size_t)1 << 20)

static size_t inputs;

static int run_file(const char *path)
{
	struct buf text = { 0 };
	struct err e;
	char *copy;

	if (file_read(&text, AT_FDCWD, path, INPUT_MAX, &e) < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, e.text);
		buf_release(&text);
		return -1;
	}
	/* What a target breaks at is known by the last name in the log. */
	(void)printf("%s\n", path);
	(void)fflush(stdout);
	copy = fuzz_text((const uint8_t *)buf_text(&text), text.len);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)copy, text.len);
	inputs++;
	free(copy);
	buf_release(&text);
	return 0;
}

static int run_folder(const char *path)
{
	struct tree_entry *entries = NULL;
	struct arena arena = { 0 };
	size_t count = 0, i;
	struct err e;
	int rc = tree_list(AT_FDCWD, path, &arena, &entries, &count, &e);

	if (rc < 0)
		(void)fprintf(stderr, "%s: %s\n", path, e.text);
	for (i = 0; i < count && rc == 0; i++)
		rc = run_file(arena_printf(&arena, "%s/%s", path, entries[i].path));
	arena_release(&arena);
	return rc;
}

int main(int argc, char **argv)
{
	struct stat st;
	int i, rc = 0;

	for (i = 1; i < argc && rc == 0; i++)
		rc = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? run_folder(argv[i]) : run_file(argv[i]);
	(void)printf("%zu inputs\n", inputs);
	return rc < 0 || inputs == 0;
}
