/*
 * Runs a program and writes down what it and all its children change below a folder:
 *
 *     power_record LOG FOLDER PROGRAM [ARGUMENT...]        its exit status
 *
 * A seccomp filter stops each process at the calls that change files or sync them; everything else runs at full speed. Of those
 * calls only one is under way at a time, all others wait, so that the order of the log is the order of the effects. Syncs alone do
 * not hold anybody up: their begin and their end are lines of their own. LOG is a line for each effect: nanoseconds (CLOCK_REALTIME),
 * a letter, numbers, names as hexadecimal digits; then, for `W`, that many bytes and a line end.
 *
 *     C dir name ino mode     a regular file is made      D dir name ino mode    a folder
 *     S dir name ino target   a symbolic link             L dir name ino         a further link to a file
 *     R dir name dir name     renamed                     U dir name             removed, a file or a folder
 *     W ino offset length     bytes are written           T ino size             cut or made longer
 *     M ino mode              N ino                       its times are set
 *     K ino number; K 0 number                            a sync of that inode, or of all, begins
 *     k number                it has ended well           A ino mtime ctime      the times (ns) of the file of the line before
 *
 * Inode numbers are those of the disk: one that is made anew (C D S) is a new file. What is written through a mapping is not seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "effect.h"

#define TRACEES 4096
#define OPTIONS \
	(PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
		PTRACE_O_EXITKILL)

static struct call calls[TRACEES];
static size_t count; /* entries of calls, some of them unused: pid 0 */
static struct call *busy;

void die(const char *what)
{
	(void)fprintf(stderr, "power_record: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* -- processes ------------------------------------------------------------------------------------------------------ */

static struct call *call_of(pid_t pid)
{
	struct call *unused = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		if (calls[i].pid == pid)
			return &calls[i];
		if (calls[i].pid == 0)
			unused = &calls[i];
	}
	if (unused == NULL && count < TRACEES)
		unused = &calls[count++];
	if (unused == NULL)
		die("too many processes");
	*unused = (struct call){ .pid = pid };
	return unused;
}

static void go_on(pid_t pid, int request, int signo)
{
	if (ptrace(request, pid, NULL, (void *)(uintptr_t)signo) < 0 && errno != ESRCH)
		die("ptrace");
}

/* The process stands before a call that the filter picked out. */
static void start_call(struct call *c)
{
	c->waits = 0;
	if (!effect_begins(c)) {
		go_on(c->pid, PTRACE_CONT, 0);
		return;
	}
	if (!c->is_sync)
		busy = c;
	go_on(c->pid, PTRACE_SYSCALL, 0); /* until it has been done */
}

static void start_waiting(void)
{
	size_t i;

	for (i = 0; i < count && busy == NULL; i++)
		if (calls[i].pid != 0 && calls[i].waits)
			start_call(&calls[i]);
}

static void before_call(struct call *c)
{
	struct __ptrace_syscall_info info;
	size_t i;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, c->pid, sizeof info, &info) <= 0)
		return;
	c->number = (long)info.seccomp.nr;
	for (i = 0; i < 6; i++)
		c->args[i] = info.seccomp.args[i];
	effect_widen(c);
	if (busy != NULL && !c->is_sync)
		c->waits = 1;
	else
		start_call(c);
}

static void after_call(struct call *c)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, c->pid, sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT)
		effect_ended(c, info.exit.rval);
	if (busy == c)
		busy = NULL;
	go_on(c->pid, PTRACE_CONT, 0);
}

static void gone(struct call *c)
{
	if (busy == c)
		busy = NULL;
	c->pid = 0;
}

static void stopped(struct call *c, int status)
{
	int signo = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_SECCOMP)
		before_call(c);
	else if (signo == (SIGTRAP | 0x80))
		after_call(c);
	else if (event == PTRACE_EVENT_STOP && (signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU))
		go_on(c->pid, PTRACE_LISTEN, 0);
	else
		go_on(c->pid, PTRACE_CONT, event == 0 ? signo : 0);
}

static int trace(pid_t first)
{
	int status, code = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status)) {
			stopped(call_of(pid), status);
		} else {
			if (pid == first)
				code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			gone(call_of(pid));
		}
		start_waiting();
	}
	return code;
}

/* -- the filter ----------------------------------------------------------------------------------------------------- */

static const int whole_calls[] = { SYS_creat, SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev, SYS_copy_file_range, SYS_sendfile,
	SYS_ftruncate, SYS_fallocate, SYS_mkdir, SYS_mkdirat, SYS_rename, SYS_renameat, SYS_renameat2, SYS_link, SYS_linkat, SYS_symlink,
	SYS_symlinkat, SYS_unlink, SYS_unlinkat, SYS_rmdir, SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_utimensat, SYS_fsync, SYS_fdatasync,
	SYS_syncfs, SYS_sync };
#define WHOLE (sizeof whole_calls / sizeof *whole_calls)

static struct sock_filter statement(unsigned code, unsigned value)
{
	return (struct sock_filter)BPF_STMT((unsigned short)code, value);
}

static struct sock_filter jump(unsigned code, unsigned value, size_t yes, size_t no)
{
	return (struct sock_filter)BPF_JUMP((unsigned short)code, value, (unsigned char)yes, (unsigned char)no);
}

/* A call that counts only with some value of an argument: five statements. */
static size_t add_test(struct sock_filter *f, size_t n, unsigned number, unsigned at, unsigned how, unsigned value)
{
	f[n++] = jump(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
	f[n++] = statement(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, args) + 8 * at);
	f[n++] = jump(BPF_JMP | how | BPF_K, value, 0, 1);
	f[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	f[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return n;
}

static void install_filter(void)
{
	struct sock_filter f[WHOLE + 24];
	struct sock_fprog program = { .filter = f };
	size_t n = 0, i;

	f[n++] = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	n = add_test(f, n, SYS_open, 1, BPF_JSET, O_CREAT | O_TRUNC);
	n = add_test(f, n, SYS_openat, 2, BPF_JSET, O_CREAT | O_TRUNC);
	n = add_test(f, n, SYS_ioctl, 1, BPF_JEQ, FICLONE);
	for (i = 0; i < WHOLE; i++)
		f[n++] = jump(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)whole_calls[i], WHOLE - i, 0);
	f[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		die("seccomp");
}

int main(int argc, char **argv)
{
	int ready[2], code;
	char byte = 0;
	FILE *out;
	pid_t pid;

	if (argc < 4 || !place_root(argv[2]) || (out = fopen(argv[1], "we")) == NULL || pipe2(ready, O_CLOEXEC) < 0) {
		(void)fprintf(stderr, "usage: power_record LOG FOLDER PROGRAM [ARGUMENT...]\n");
		return 125;
	}
	effect_log(out);
	pid = fork();
	if (pid == 0) {
		(void)!read(ready[0], &byte, 1);
		install_filter();
		(void)execv(argv[3], argv + 3);
		die(argv[3]);
	}
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)OPTIONS) < 0)
		die("cannot trace");
	if (write(ready[1], &byte, 1) != 1)
		die("pipe");
	code = trace(pid);
	if (fclose(out) != 0)
		die("log");
	return code;
}
