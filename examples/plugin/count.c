/* A stage of your own in C: count the lines, words and bytes of the dep `text`. */
#include <flow/plugin.h>

#include <ctype.h>
#include <stdio.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	FILE *text = fopen(host->dep(ctx, "text"), "rb"),
	     *counts = fopen(host->out(ctx, "counts"), "w");
	long lines = 0, words = 0, bytes = 0;
	int c, before = ' ';

	if (text == NULL || counts == NULL)
		return host->fail(ctx, "cannot open the dep 'text' or the out 'counts'");
	for (; (c = getc(text)) != EOF; before = c, bytes++) {
		lines += c == '\n';
		words += isspace(before) && !isspace(c);
	}
	fprintf(counts, "{\"lines\": %ld, \"words\": %ld, \"bytes\": %ld}\n", lines, words, bytes);
	host->metric(ctx, "words", (double)words, -1);
	return fclose(text) + fclose(counts) == 0 ? 0 : host->fail(ctx, "cannot write the counts");
}

static const flow_port deps[] = { { "text", "any file", 1 }, { NULL, NULL, 0 } };
static const flow_port outs[] = { { "counts", "JSON: lines, words, bytes", 1 }, { NULL, NULL, 0 } };
static const flow_stage stages[] = { { sizeof(flow_stage), "count", "1", "count words", deps, outs,
	NULL, run } };

FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
