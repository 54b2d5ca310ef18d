#include "stage/limits.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "stage/wire.h"

#define CPU_GRACE 2 /* seconds from SIGXCPU, which a process may heed, to SIGKILL */

static void set(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { soft, hard };

	(void)setrlimit((__rlimit_resource_t)resource, &limit);
}

void limits_apply(const struct wire_limits *l)
{
	if (l->cpu_seconds != 0)
		set(RLIMIT_CPU, l->cpu_seconds, (rlim_t)l->cpu_seconds + CPU_GRACE);
	if (l->file_bytes != 0)
		set(RLIMIT_FSIZE, l->file_bytes, l->file_bytes);
	if (l->open_files != 0)
		set(RLIMIT_NOFILE, l->open_files, l->open_files);
	if (l->cpu_seconds != 0 || l->file_bytes != 0) /* their signals would leave a core file */
		set(RLIMIT_CORE, 0, 0);
}

bool limits_tell(const struct wire_limits *l, int status, char text[LIMITS_TEXT])
{
	bool is_mib = l->file_bytes % (1u << 20) == 0;
	int signo = WIFSIGNALED(status) ? WTERMSIG(status)
		    : WIFEXITED(status) && WEXITSTATUS(status) > 128 ? WEXITSTATUS(status) - 128 : 0;

	if (signo == SIGXCPU && l->cpu_seconds != 0)
		(void)snprintf(text, LIMITS_TEXT, "took more than its %u s of CPU time", l->cpu_seconds);
	else if (signo == SIGXFSZ && l->file_bytes != 0)
		(void)snprintf(text, LIMITS_TEXT, "wrote a file of more than its %llu %s",
			(unsigned long long)(is_mib ? l->file_bytes >> 20 : l->file_bytes), is_mib ? "MiB" : "bytes");
	else
		return false;
	return true;
}
