/* A plugin that ends when it is asked to. */
#include <flow/plugin.h>
#include <time.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct timespec pause = { 0, 1000000 };

	host->log(ctx, "polite");
	while (!host->cancelled(ctx))
		(void)nanosleep(&pause, NULL);
	return host->fail(ctx, "was asked to end");
}

static const flow_stage stages[] = { { sizeof(flow_stage), "polite", "1.0", "bad on purpose", 0, 0,
	0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
