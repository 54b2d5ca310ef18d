/*
 * Preloaded into flow, makes its disk slow: a syncfs() adds the path that it was asked for, a line, to FOLDER/asked, and begins when
 * FOLDER/go is there. FOLDER is FLOW_TEST_SYNC.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WAITS 30000 /* milliseconds: a test that has gone wrong ends */

static void tell(const char *folder, int fd)
{
	char name[PATH_MAX], magic[40], path[PATH_MAX];
	ssize_t len;
	FILE *asked;

	(void)snprintf(magic, sizeof magic, "/proc/self/fd/%d", fd);
	len = readlink(magic, path, sizeof path);
	(void)snprintf(name, sizeof name, "%s/asked", folder);
	asked = fopen(name, "ae");
	if (asked == NULL)
		abort();
	(void)fprintf(asked, "%.*s\n", (int)(len > 0 ? len : 0), path);
	(void)fclose(asked);
}

int syncfs(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "syncfs");
	const char *folder = getenv("FLOW_TEST_SYNC");
	char go[PATH_MAX];
	int i;

	if (folder == NULL)
		return real(fd);
	tell(folder, fd);
	(void)snprintf(go, sizeof go, "%s/go", folder);
	for (i = 0; i < WAITS && access(go, F_OK) < 0; i++)
		(void)nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	return real(fd);
}
