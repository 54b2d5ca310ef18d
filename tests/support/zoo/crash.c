/* A plugin that writes where it must not. */
#include <flow/plugin.h>
#include <signal.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	(void)host;
	(void)ctx;
	(void)signal(SIGSEGV, SIG_DFL);
	(void)raise(SIGSEGV);
	return 0;
}

static const flow_stage stages[] = { { sizeof(flow_stage), "crash", "1.0", "bad on purpose", 0, 0,
	0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
