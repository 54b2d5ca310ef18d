#include "stage/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage/proc.h"

static const char *read_text(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, room - 1) : -1;

	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Pages that are in memory and come from no file. */
static uint64_t own_bytes(pid_t pid)
{
	unsigned long long size, resident, shared;
	char path[64], text[256];

	(void)snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
	if (sscanf(read_text(path, text, sizeof text), "%llu %llu %llu", &size, &resident,
		    &shared) != 3 ||
		resident < shared)
		return 0;
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t shared_out_bytes(pid_t pid)
{
	char path[64], text[4096];
	const char *at;

	(void)snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
	at = strstr(read_text(path, text, sizeof text), "\nPss:");
	return at != NULL ? strtoull(at + 5, NULL, 10) * 1024 : own_bytes(pid);
}

uint64_t memory_of(const struct pids *pids, uint64_t limit)
{
	uint64_t sum = 0, exact = 0;
	size_t i;

	for (i = 0; i < pids->count; i++)
		sum += own_bytes(pids->items[i]);
	if (sum <= limit)
		return sum;
	for (i = 0; i < pids->count; i++)
		exact += shared_out_bytes(pids->items[i]);
	return exact;
}

uint64_t memory_kills(void)
{
	char text[16384];
	const char *at = strstr(read_text("/proc/vmstat", text, sizeof text), "\noom_kill ");

	return at != NULL ? strtoull(at + 10, NULL, 10) : 0;
}
