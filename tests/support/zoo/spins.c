/* A plugin that never comes to an end, in all its threads. */
#include <flow/plugin.h>
#include <pthread.h>

static void *spin(void *unused)
{
	volatile unsigned long n = 0;

	for (;;)
		n++;
	return unused;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	pthread_t thread;

	host->log(ctx, "spins");
	(void)pthread_create(&thread, 0, spin, 0);
	(void)spin(0);
	return 0;
}

static const flow_stage stages[] = { { sizeof(flow_stage), "spins", "1.0", "bad on purpose", 0, 0, 0,
	run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
