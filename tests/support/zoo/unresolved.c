/* A plugin that needs a function nobody has. */
#include <flow/plugin.h>

int zoo_function_that_nobody_has(void);

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host;
	(void)ctx;
	return zoo_function_that_nobody_has();
}

static const flow_stage stages[] = { { sizeof(flow_stage), "unresolved", "1.0", "no", 0, 0, 0,
	run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
