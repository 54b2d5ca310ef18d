/* Says in the file `asked` that it was loaded to be asked what it takes, not to run. */
#include <flow/plugin.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef MOST
#define MOST "5"
#endif

static void __attribute__((constructor)) loaded(void)
{
	FILE *asked = getenv("FLOW_TASK") == NULL ? fopen("asked", "a") : NULL;

	if (asked != NULL) {
		fputs("asked\n", asked);
		fclose(asked);
	}
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	FILE *text = fopen(host->out(ctx, "text"), "w");

	if (text == NULL)
		return host->fail(ctx, "cannot write");
	fprintf(text, "%ld rounds of at most " MOST "\n", host->integer(ctx, "rounds", 1, 0, 100));
	return fclose(text);
}

static const flow_option options[] = { { "rounds", "integer 1.." MOST, "1", "how often" }, { 0, 0, 0, 0 } };
static const flow_port outs[] = { { "text", "what was done", 1 }, { 0, 0, 0 } };
static const flow_stage stages[] = { { sizeof(flow_stage), "own", "1", "count", 0, outs, options, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
