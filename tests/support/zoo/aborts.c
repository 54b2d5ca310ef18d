/* A plugin that gives up. */
#include <flow/plugin.h>
#include <signal.h>
#include <stdlib.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host;
	(void)ctx;
	(void)signal(SIGABRT, SIG_DFL);
	abort();
}

static const flow_stage stages[] = { { sizeof(flow_stage), "aborts", "1.0", "bad on purpose", 0, 0,
	0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
