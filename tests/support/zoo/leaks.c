/* A plugin that takes memory and never gives it back. */
#include <flow/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *volatile last; /* so that no compiler thinks it is not needed */

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct timespec pause = { 0, 1000000 };
	int mib;

	for (mib = 0; mib < 4096; mib++) {
		void *more = malloc(1 << 20);

		if (more == 0)
			return host->fail(ctx, "no memory");
		memset(more, mib & 127, 1 << 20);
		last = more;
		(void)nanosleep(&pause, 0);
	}
	return host->fail(ctx, "nobody stopped it");
}

static const flow_stage stages[] = { { sizeof(flow_stage), "leaks", "1.0", "bad on purpose", 0, 0, 0,
	run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
