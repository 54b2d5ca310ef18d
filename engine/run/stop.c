#include "run/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "store/project.h"
#include "store/runs.h"

#define WAIT_MS 60000

/* Does the process have this very file open? */
static bool has_open(int64_t pid, const struct stat *file)
{
	char path[64];
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%lld/fd", (long long)pid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
			st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	closedir(dir);
	return found;
}

static int not_running(const struct run_record *run, struct err *e)
{
	err_set(e, ERR_NOTFOUND, "run %s is not going on", run->name);
	return err_hint(e, "`flow status` tells what is");
}

/* The process, held by a descriptor: from here on its number cannot become another's. */
static int open_process(
	const struct project *p, const struct run_record *run, int *pidfd, struct err *e)
{
	struct stat lock;

	if (!run_is(run, "RUNNING") || !run_is_alive(p, run) ||
		fstatat(p->flow_fd, "writer.lock", &lock, AT_SYMLINK_NOFOLLOW) < 0)
		return not_running(run, e);
	*pidfd = (int)syscall(SYS_pidfd_open, (pid_t)run->pid, 0);
	if (*pidfd < 0)
		return errno == ESRCH
			       ? not_running(run, e)
			       : err_system(e, "cannot reach process %lld", (long long)run->pid);
	if (has_open(run->pid, &lock))
		return 0;
	close(*pidfd);
	return not_running(run, e);
}

int run_stop(const struct project *p, const struct run_record *run, bool now, struct err *e)
{
	struct pollfd gone = { .events = POLLIN };
	int rc = open_process(p, run, &gone.fd, e);

	if (rc < 0)
		return rc;
	if (syscall(SYS_pidfd_send_signal, gone.fd, SIGTERM, NULL, 0) < 0)
		rc = err_system(e, "cannot signal process %lld", (long long)run->pid);
	/* Two signals of one kind at once would arrive as one. */
	if (rc == 0 && now && poll(&gone, 1, 100) == 0)
		(void)syscall(SYS_pidfd_send_signal, gone.fd, SIGINT, NULL, 0);
	if (rc == 0 && poll(&gone, 1, WAIT_MS) == 0)
		rc = err_set(
			e, ERR_BUSY, "run %s has not ended after %d s", run->name, WAIT_MS / 1000);
	close(gone.fd);
	return rc;
}
