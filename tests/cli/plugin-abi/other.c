/* A plugin for another ABI. */
#include <flow/plugin.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host;
	(void)ctx;
	return 0;
}

static const flow_stage stages[] = { { sizeof(flow_stage), "abi", "1.0", "of the future", 0, 0, 0,
	run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI + 7, sizeof(flow_plugin), 1, stages };
