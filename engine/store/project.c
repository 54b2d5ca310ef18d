#include "store/project.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/config.h"
#include "store/shared.h"

#define HEIR_MS 5000 /* a dead holder's lock is waited for so long */

static const char *const folders[] = { "objects", "objects/tmp", "quarantine", "logs", "runs",
	"work" };

/* Magic numbers of file systems on which SQLite's WAL and kernel locks cannot be trusted (statfs(2)). */
static bool is_network(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((unsigned long)fs.f_type) {
	case 0x6969ul:     /* NFS */
	case 0xff534d42ul: /* CIFS */
	case 0xfe534d42ul: /* SMB2 */
	case 0x0bd00bd0ul: /* Lustre */ return true;
	default: return false;
	}
}

int project_check_folder(int fd, const char *shown, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_system(e, "cannot stat `%s`", shown);
	if (st.st_uid != geteuid()) {
		err_set(e, ERR_POLICY, "`%s` belongs to another user (uid %u)", shown,
			(unsigned)st.st_uid);
		err_id(e, "E0508");
		return err_hint(e, "run flow as that user, or in a checkout of your own");
	}
	if ((st.st_mode & 0022) != 0) {
		err_set(e, ERR_POLICY, "`%s` can be written to by others (mode %03o)", shown,
			(unsigned)st.st_mode & 0777);
		err_id(e, "E0508");
		return err_hint(e, "chmod go-w %s", shown);
	}
	if (is_network(fd)) {
		err_set(e, ERR_POLICY, "`%s` is on a network file system", shown);
		err_id(e, "E0509");
		return err_hint(e,
			"its locks cannot be trusted: make .flow a link to a folder on a "
			"local disk");
	}
	return 0;
}

static int make_folders(const struct project *p, struct err *e)
{
	size_t i;
	int rc = 0;

	if (file_exists(p->flow_fd, ".gitignore"))
		return 0;
	for (i = 0; i < sizeof folders / sizeof *folders && rc == 0; i++)
		rc = folder_make(p->flow_fd, folders[i], 0700, e);
	if (rc == 0)
		rc = file_write_atomic(p->flow_fd, ".gitignore", "*\n", 2, 0600, e);
	return rc < 0 ? err_context(e, "`%s/.flow`", p->root) : 0;
}

/* Who the lock file says that it is: for the message; the lock itself carries no state. */
static int write_holder(const struct project *p, struct err *e)
{
	char text[32];
	int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

	if (ftruncate(p->lock_fd, 0) < 0 || pwrite(p->lock_fd, text, (size_t)len, 0) < 0)
		return err_system(e, "cannot write `%s/.flow/writer.lock`", p->root);
	return 0;
}

static void read_holder(const struct project *p, char text[32])
{
	ssize_t n = pread(p->lock_fd, text, 31, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* Killed, it leaves the lock to a child that was about to become another program: until it has. */
static bool holder_is_dead(const char *text)
{
	long pid = strtol(text, NULL, 10);

	return pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static int take_lock(struct project *p, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int64_t until = clock_mono_ms() + HEIR_MS;
	char text[32];

	p->lock_fd =
		openat(p->flow_fd, "writer.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->lock_fd < 0)
		return err_system(e, "cannot open `%s/.flow/writer.lock`", p->root);
	while (fcntl(p->lock_fd, F_OFD_SETLK, &lock) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return err_system(e, "cannot lock `%s/.flow/writer.lock`", p->root);
		read_holder(p, text);
		if (!holder_is_dead(text) || clock_mono_ms() > until) {
			err_set(e, ERR_BUSY, "another flow works on `%s`%s%s", p->root,
				text[0] != '\0' ? ": process " : "", text);
			err_id(e, "E0506");
			return err_hint(e, "wait until it ends, or stop it; nothing has to be unlocked by hand");
		}
		(void)nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
	}
	return write_holder(p, e);
}

static int check_flow(const struct project *p, struct err *e)
{
	char shown[PATH_MAX];

	(void)snprintf(shown, sizeof shown, "%s/.flow", p->root);
	return project_check_folder(p->flow_fd, shown, e);
}

/* Where the objects are: in .flow, or where the configuration says. */
static int open_store(struct project *p, enum project_mode mode, struct err *e)
{
	struct arena a = { 0 };
	struct config c;
	const char *folder;
	int rc = config_read(&c, &a, p->flow_fd, e);

	p->store_fd = p->flow_fd;
	if (rc == 0) {
		memcpy(p->links, c.links, sizeof p->links);
		folder = c.values[CONFIG_CACHE_DIR].text;
		if (folder[0] != '\0')
			rc = shared_open(p, folder, mode, e);
	}
	arena_release(&a);
	return rc;
}

/* The folder and its .flow, which a writer makes. */
static int open_folders(
	struct project *p, const char *folder, enum project_mode mode, struct err *e)
{
	*p = (struct project){
		.root_fd = -1, .flow_fd = -1, .store_fd = -1, .lock_fd = -1, .store_lock_fd = -1
	};
	p->root = realpath(folder, NULL);
	p->root_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->root == NULL || p->root_fd < 0)
		return err_system(e, "cannot open folder `%s`", folder);
	if (mode == PROJECT_WRITE && mkdirat(p->root_fd, ".flow", 0700) < 0 && errno != EEXIST) {
		err_system(e, "cannot make `%s/.flow`", p->root);
		return err_id(e, "E0507");
	}
	p->flow_fd = openat(p->root_fd, ".flow", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->flow_fd < 0) {
		err_system(e, "cannot open `%s/.flow`", p->root);
		return e->sys == ENOENT ? (e->code = ERR_NOTFOUND) : e->code;
	}
	return check_flow(p, e);
}

static int open_in(struct project *p, const char *folder, enum project_mode mode, struct err *e)
{
	if (open_folders(p, folder, mode, e) < 0)
		return e->code;
	if (mode == PROJECT_WRITE && (take_lock(p, e) < 0 || FAILPOINT("project.locked", e) < 0 ||
					     make_folders(p, e) < 0))
		return e->code;
	return 0;
}

static int closed_unless(int rc, struct project *p)
{
	if (rc < 0)
		project_close(p);
	return rc;
}

int project_open(struct project *p, const char *folder, enum project_mode mode, struct err *e)
{
	int rc = open_in(p, folder, mode, e);

	return closed_unless(rc == 0 ? open_store(p, mode, e) : rc, p);
}

int project_find(struct project *p, const char *folder, struct err *e)
{
	return closed_unless(open_in(p, folder, PROJECT_READ, e), p);
}

int project_lock(struct project *p, const char *folder, struct err *e)
{
	return closed_unless(open_in(p, folder, PROJECT_WRITE, e), p);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void project_close(struct project *p)
{
	free(p->root);
	p->root = NULL;
	close_fd(&p->lock_fd);
	if (p->store_fd == p->flow_fd)
		p->store_fd = -1;
	close_fd(&p->store_fd);
	close_fd(&p->store_lock_fd);
	close_fd(&p->flow_fd);
	close_fd(&p->root_fd);
}

int project_sync(const struct project *p)
{
	/* The objects of a shared store first: what the journal says of them must be true. */
	if (p->store_fd != p->flow_fd && syncfs(p->store_fd) < 0)
		return -1;
	return syncfs(p->flow_fd);
}

const char *boot_id(char text[37])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, 36) : 0;

	if (fd >= 0)
		close(fd);
	text[n == 36 ? 36 : 0] = '\0';
	return text;
}
