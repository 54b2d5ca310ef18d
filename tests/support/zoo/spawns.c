/* A plugin that leaves processes behind: in its session and out of it. */
#include <flow/plugin.h>
#include <unistd.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host;
	(void)ctx;
	if (fork() == 0)
		for (;;)
			(void)pause();
	if (fork() == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		for (;;)
			(void)pause();
	}
	return 0;
}

static const flow_stage stages[] = { { sizeof(flow_stage), "spawns", "1.0", "bad on purpose", 0, 0,
	0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
