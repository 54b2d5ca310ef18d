/* A plugin that ends the process while it is being loaded. */
#include <flow/plugin.h>
#include <unistd.h>

static void __attribute__((constructor)) leave(void)
{
	_exit(0);
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host;
	(void)ctx;
	return 0;
}

static const flow_stage stages[] = { { sizeof(flow_stage), "constructor", "1.0", "no", 0, 0, 0,
	run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
