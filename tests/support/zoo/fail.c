/* A plugin that fails and says why; only the first reason counts. */
#include <flow/plugin.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host->fail(ctx, "the data is \"odd\"");
	return host->fail(ctx, "not this one");
}

static const flow_stage stages[] = { { sizeof(flow_stage), "fail", "1.0", "bad on purpose", 0, 0, 0,
	run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
