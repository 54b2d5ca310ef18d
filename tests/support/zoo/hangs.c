/* A plugin that cannot be loaded to the end. */
#include <flow/plugin.h>
#include <unistd.h>

static void __attribute__((constructor)) hang(void)
{
	(void)!write(1, "hangs\n", 6);
	for (;;)
		(void)pause();
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host;
	(void)ctx;
	return 0;
}

static const flow_stage stages[] = { { sizeof(flow_stage), "hangs", "1.0", "no", 0, 0, 0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
