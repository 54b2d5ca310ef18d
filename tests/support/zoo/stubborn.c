/* A plugin that will not be told to end. */
#include <flow/plugin.h>
#include <signal.h>
#include <unistd.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)signal(SIGTERM, SIG_IGN);
	host->log(ctx, "stubborn");
	for (;;)
		(void)pause();
	return 0;
}

static const flow_stage stages[] = { { sizeof(flow_stage), "stubborn", "1.0", "bad on purpose", 0,
	0, 0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
