/* A plugin that changes all that a process has of its own, leaves a thread behind, and does its work. */
#include <fcntl.h>
#include <flow/plugin.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void *wait_for_ever(void *unused)
{
	for (;;)
		(void)pause();
	return unused;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct rlimit few = { 8, 8 };
	int fd = open(host->out(ctx, "o"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	pthread_t thread;

	if (fd < 0 || write(fd, "fine\n", 5) != 5 || close(fd) < 0)
		return host->fail(ctx, "cannot write");
	(void)umask(0777);
	(void)setlocale(LC_ALL, "");
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)setrlimit(RLIMIT_NOFILE, &few);
	(void)setenv("PATH", "/nowhere", 1);
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)pthread_create(&thread, 0, wait_for_ever, 0);
	return chdir("/");
}

static const flow_port outs[] = { { "o", "what it says", 1 }, { 0, 0, 0 } };
static const flow_stage stages[] = { { sizeof(flow_stage), "habits", "1.0", "bad on purpose", 0, outs,
	0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
