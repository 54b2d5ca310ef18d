#include "stage/zygote.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "stage/cgroup.h"
#include "stage/host.h"
#include "stage/limits.h"
#include "stage/lua.h"
#include "stage/native.h"
#include "stage/wire.h"

/* A stage that calls exit() is told apart from one whose run() returned. */
static void on_early_exit(int status, void *arg)
{
	struct flow_ctx *ctx = arg;

	if (ctx->is_done)
		return;
	(void)host_fail(ctx, "E0704", "the stage left by exit(%d) instead of returning", status);
	host_leave(ctx);
}

/* 0, or the errno of what kept it out of its control group. */
static int enter(const struct zygote *z, pid_t worker)
{
	sigset_t none;
	int sys;

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != worker)
		_exit(1);
	if (dup2(z->null_fd, 0) < 0 || dup2(z->log_fd, 1) < 0 || dup2(z->log_fd, 2) < 0)
		_exit(1);
	sys = cgroup_enter(z->group) ? 0 : errno;
	(void)close_range(3, ~0u, 0);
	limits_apply(&z->start->limits);
	environ = z->environ;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	host_catch_signals();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	return sys;
}

static _Noreturn void child(const struct zygote *z, pid_t worker)
{
	static struct flow_ctx ctx;
	const char *cwd = z->start->cwd;
	int sys = enter(z, worker);

	host_init(&ctx, z->start, z->root);
	(void)on_exit(on_early_exit, &ctx);
	if (sys != 0)
		(void)host_fail(&ctx, NULL, "cannot enter its control group: %s", strerror(sys));
	else if (cwd[0] != '\0' && chdir(cwd) < 0)
		(void)host_fail(&ctx, NULL,
			errno == ENOENT ? "cwd `%s` is not there" : "cannot enter cwd `%s`", cwd);
	else if (z->start->stage == WIRE_PLUGIN)
		native_run(&ctx);
	else
		lua_run(&ctx);
	host_leave(&ctx);
}

pid_t zygote_fork(const struct zygote *z)
{
	pid_t worker = getpid(), pid = FAILPOINT("worker.fork", NULL) < 0 ? -1 : fork();

	if (pid == 0)
		child(z, worker);
	return pid;
}
