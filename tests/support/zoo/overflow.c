/* A plugin that calls itself until there is no stack left. */
#include <flow/plugin.h>
#include <signal.h>
#include <string.h>

static int deeper(volatile char *above, int depth)
{
	volatile char frame[4096];

	memset((void *)frame, depth & 127, sizeof frame);
	return deeper(frame, depth + 1) + frame[depth & 4095] + above[0];
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	volatile char top[1] = { 0 };

	(void)host;
	(void)ctx;
	(void)signal(SIGSEGV, SIG_DFL);
	return deeper(top, 0);
}

static const flow_stage stages[] = { { sizeof(flow_stage), "overflow", "1.0", "bad on purpose", 0, 0,
	0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
