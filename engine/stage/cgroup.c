#include "stage/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define CGROUP2_MAGIC 0x63677270
#define TEXT_MAX      65536
#define PATH_ROOM     4096
#define DYING_TRIES   100 /* of 10 ms: what was killed has to be gone */
#define MOVE_TRIES    20  /* what runs in a group may fork while it is moved */
#define NESTED_MOST   16  /* groups in groups that a stage has made */

static bool read_file(int dir, const char *name, char *text, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, room - 1) : -1;

	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

static bool write_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int sys = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = sys;
	return done;
}

static bool write_number(int dir, const char *name, uint64_t n)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	return write_file(dir, name, text);
}

/* The number behind `key ` at the start of a line; 0 when there is none. */
static uint64_t read_event(int dir, const char *name, const char *key)
{
	size_t len = strlen(key);
	char text[4096], *line;

	if (!read_file(dir, name, text, sizeof text))
		return 0;
	for (line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
	}
	return 0;
}

/* -- the group that may be divided ------------------------------------------------------------------------------------ */

/* Not the root of all groups, which has no type: all that runs would be moved. */
static int open_group(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd >= 0 && fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_MAGIC &&
		faccessat(fd, "cgroup.type", F_OK, 0) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static bool is_delegated(int fd)
{
	char value[4];

	return (fgetxattr(fd, "user.delegate", value, sizeof value) == 1 && value[0] == '1') ||
	       (fgetxattr(fd, "trusted.delegate", value, sizeof value) == 1 && value[0] == '1');
}

/* "41 31 0:38 / /sys/fs/cgroup/unified rw,... - cgroup2 ..." */
static bool find_mount(char *path, size_t room)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[PATH_ROOM], place[PATH_ROOM];
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
		found = strstr(line, " - cgroup2 ") != NULL &&
			sscanf(line, "%*s %*s %*s / %4095s", place) == 1;
	if (file != NULL)
		(void)fclose(file);
	return found && snprintf(path, room, "%s", place) < (int)room;
}

/* Where this process is: "0::/user.slice/..." */
static bool find_own(char *path, size_t room)
{
	char text[TEXT_MAX], mount[PATH_ROOM], *at, *end;

	if (!read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof text) || !find_mount(mount, sizeof mount))
		return false;
	at = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (at == NULL)
		return false;
	at = strchr(at, '/');
	end = at != NULL ? strchr(at, '\n') : NULL;
	if (end == NULL)
		return false;
	*end = '\0';
	return snprintf(path, room, "%s%s", mount, at) < (int)room;
}

/* All that runs in it moves to its child `flow`: the user's shell, flow, its worker. Before any controller is enabled: that of pids is
 * given to a group with processes too, but such a group's children are not groups of processes any more. */
static bool move_processes(int fd)
{
	char text[TEXT_MAX], *pid, *next;
	int child = -1;
	bool is_read;
	unsigned tries;

	for (tries = 0; (is_read = read_file(fd, "cgroup.procs", text, sizeof text)) && text[0] != '\0' && tries < MOVE_TRIES;
		tries++) {
		(void)mkdirat(fd, "flow", 0755);
		if (child < 0)
			child = openat(fd, "flow", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (pid = text; *pid != '\0'; pid = next) {
			next = pid + strcspn(pid, "\n");
			if (*next != '\0')
				*next++ = '\0';
			(void)write_file(child, "cgroup.procs", pid);
		}
	}
	if (child >= 0)
		(void)close(child);
	return is_read && tries < MOVE_TRIES;
}

static bool enable(int fd, const char *controller)
{
	char text[4096], plus[24];

	(void)snprintf(plus, sizeof plus, "+%s", controller);
	(void)write_file(fd, "cgroup.subtree_control", plus);
	return read_file(fd, "cgroup.subtree_control", text, sizeof text) && strstr(text, controller) != NULL;
}

/* A dead process that nobody has reaped has no program. */
static bool is_alive(long pid)
{
	char path[64], program[8];

	(void)snprintf(path, sizeof path, "/proc/%ld/exe", pid);
	return readlink(path, program, sizeof program) >= 0 || errno != ENOENT;
}

/* Groups of a worker that died, maybe of one that had our number: what still runs in them belongs to nobody. */
static void clear_old(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct dirent *entry;
	unsigned tries;
	long worker;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct cgroup old = { .parent_fd = fd, .procs_fd = -1 };

		if (sscanf(entry->d_name, "flow.%ld.", &worker) != 1 || (worker != getpid() && is_alive(worker)))
			continue;
		old.fd = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)snprintf(old.name, sizeof old.name, "%.47s", entry->d_name);
		cgroup_kill(&old);
		for (tries = 0; !cgroup_remove(&old) && tries < DYING_TRIES; tries++)
			(void)nanosleep(&pause, NULL);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static int find_group(void)
{
	const char *given = getenv("FLOW_CGROUP");
	char path[PATH_ROOM * 2], *slash;
	int fd;

	if (given != NULL && given[0] == '/')
		return open_group(given);
	if (!find_own(path, sizeof path))
		return -1;
	slash = strrchr(path, '/');
	if (strcmp(slash, "/flow") == 0) /* an earlier run has moved us there */
		*slash = '\0';
	fd = open_group(path);
	if (fd >= 0 && !is_delegated(fd)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* The whole group ends when it is out of memory, as it does when the worker watches: half a pipe would be taken for a result. */
static bool make_group(struct cgroups *c, struct cgroup *g, const struct wire_limits *limits)
{
	*g = (struct cgroup){ .fd = -1, .parent_fd = c->fd, .procs_fd = -1, .limits = *limits };
	(void)snprintf(g->name, sizeof g->name, "flow.%ld.%u", (long)getpid(), c->serial++);
	if (mkdirat(c->fd, g->name, 0755) < 0)
		return false;
	g->fd = openat(c->fd, g->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g->procs_fd = g->fd >= 0 ? openat(g->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC) : -1;
	if (g->procs_fd < 0) {
		(void)cgroup_remove(g);
		return false;
	}
	g->limits_memory = c->has_memory && limits->memory_bytes != 0 && write_file(g->fd, "memory.oom.group", "1") &&
			   write_number(g->fd, "memory.max", limits->memory_bytes);
	if (g->limits_memory)
		(void)write_file(g->fd, "memory.swap.max", "0");
	g->limits_processes = c->has_pids && limits->processes != 0 &&
			      write_number(g->fd, "pids.max", limits->processes);
	return true;
}

/* A process may be kept out although the group is ours: the kernel asks who owns the nearest group above both. */
static bool may_enter(struct cgroups *c)
{
	const struct wire_limits one = { .processes = 1 };
	struct cgroup probe;
	int status = -1;
	pid_t pid;

	if (!make_group(c, &probe, &one))
		return false;
	pid = fork();
	if (pid == 0)
		_exit(cgroup_enter(&probe) ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)cgroup_remove(&probe);
	c->serial = 0;
	return pid > 0 && status == 0;
}

static void look_for_group(struct cgroups *c)
{
	c->is_known = true;
	c->fd = find_group();
	if (c->fd < 0)
		return;
	clear_old(c->fd);
	if (move_processes(c->fd)) {
		c->has_memory = enable(c->fd, "memory");
		c->has_pids = enable(c->fd, "pids");
	}
	if (!may_enter(c)) {
		(void)close(c->fd);
		c->fd = -1;
	}
}

void cgroups_close(struct cgroups *c)
{
	if (c->is_known && c->fd >= 0)
		(void)close(c->fd);
}

/* -- one attempt -------------------------------------------------------------------------------------------------------- */

bool cgroup_make(struct cgroups *c, struct cgroup *g, const struct wire_limits *limits)
{
	*g = (struct cgroup){ .fd = -1, .procs_fd = -1, .limits = *limits };
	if (limits->memory_bytes == 0 && limits->processes == 0)
		return false;
	if (!c->is_known)
		look_for_group(c);
	return c->fd >= 0 && make_group(c, g, limits);
}

bool cgroup_enter(const struct cgroup *g)
{
	return g == NULL || g->procs_fd < 0 || write(g->procs_fd, "0", 1) == 1;
}

uint64_t cgroup_memory_kills(const struct cgroup *g)
{
	return g->limits_memory ? read_event(g->fd, "memory.events", "oom_kill") : 0;
}

/* Out of memory by its own limit: the kernel also counts those whom it has killed for that of a group above, or the machine's. */
enum wire_end cgroup_verdict(const struct cgroup *g, char text[80])
{
	if (g->fd < 0)
		return END_EXIT;
	if (g->limits_memory && read_event(g->fd, "memory.events", "oom") > 0 && cgroup_memory_kills(g) > 0) {
		(void)snprintf(text, 80, "took more memory than its %llu MiB",
			(unsigned long long)(g->limits.memory_bytes >> 20));
		return END_MEMORY;
	}
	if (g->limits_processes && read_event(g->fd, "pids.events", "max") > 0) {
		(void)snprintf(text, 80, "wanted more processes than its %u", g->limits.processes);
		return END_LIMIT;
	}
	return END_EXIT;
}

void cgroup_kill(const struct cgroup *g)
{
	if (g->fd >= 0)
		(void)write_file(g->fd, "cgroup.kill", "1");
}

/* Groups that the stage has made in its own; nothing runs in them any more. */
static void remove_nested(int fd, unsigned depth)
{
	int copy = depth < NESTED_MOST ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, child;
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child >= 0) {
			remove_nested(child, depth + 1);
			(void)close(child);
		}
		(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

bool cgroup_remove(struct cgroup *g)
{
	if (g->procs_fd >= 0)
		(void)close(g->procs_fd);
	g->procs_fd = -1;
	if (g->name[0] != '\0' && unlinkat(g->parent_fd, g->name, AT_REMOVEDIR) < 0 && errno == EBUSY) {
		remove_nested(g->fd, 0);
		if (unlinkat(g->parent_fd, g->name, AT_REMOVEDIR) < 0 && errno == EBUSY)
			return false; /* what was killed is not quite dead yet */
	}
	if (g->fd >= 0)
		(void)close(g->fd);
	g->fd = -1;
	return true;
}
