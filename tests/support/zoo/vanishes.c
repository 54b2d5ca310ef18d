/* A plugin that ends the process behind the back of atexit. */
#include <flow/plugin.h>
#include <unistd.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host;
	(void)ctx;
	_exit(0);
}

static const flow_stage stages[] = { { sizeof(flow_stage), "vanishes", "1.0", "bad on purpose", 0,
	0, 0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
