/* A plugin as it should be: two stages, options, ports, metrics. */
#include <flow/plugin.h>
#include <stdio.h>
#include <stdlib.h>

static int count_lines(const flow_host *host, flow_ctx *ctx)
{
	FILE *in = fopen(host->dep(ctx, "text"), "r");
	FILE *out = fopen(host->out(ctx, "counts"), "w");
	long lines = 0;
	int c;

	if (in == NULL || out == NULL)
		return host->fail(ctx, "cannot open its files");
	while ((c = getc(in)) != EOF)
		lines += c == '\n';
	(void)fprintf(out, "%ld\n", lines);
	(void)fclose(in);
	(void)fclose(out);
	host->metric(ctx, "lines", (double)lines, -1);
	host->metric(ctx, "loss", 0.25, 7);
	host->progress(ctx, 1, 1, "counted");
	host->log(ctx, "counted the lines");
	(void)printf("stdout of a plugin\n");
	return 0;
}

static int show_options(const flow_host *host, flow_ctx *ctx)
{
	const char *list = host->json(ctx, "hidden"), *param = host->param(ctx, "train.lr");

	(void)printf("rate=%g epochs=%ld bias=%d model=%s hidden=%s lr=%s has=%d\n",
		host->number(ctx, "rate", 0.5, 0, 1), host->integer(ctx, "epochs", 3, 1, 100),
		host->boolean(ctx, "bias", 1), host->text(ctx, "model", "mlp"),
		list != NULL ? list : "-", param != NULL ? param : "-", host->has(ctx, "rate"));
	(void)printf("seed=%lu threads=%u tmp=%s attempt=%s dep0=%s out0=%s\n", host->seed(ctx),
		host->threads(ctx), host->tmpdir(ctx), getenv("FLOW_ATTEMPT"),
		host->dep_name(ctx, 0) != NULL ? host->dep_name(ctx, 0) : "-",
		host->out_name(ctx, 0) != NULL ? host->out_name(ctx, 0) : "-");
	return host->failed(ctx) ? -1 : 0;
}

static const flow_port deps[] = { { "text", "the text to count", 1 }, { 0, 0, 0 } };
static const flow_port outs[] = { { "counts", "how many lines", 1 }, { 0, 0, 0 } };
static const flow_option options[] = { { "rate", "number", "0.5", "a rate" },
	{ "epochs", "integer", "3", "how often" }, { "bias", "boolean", "true", "with a bias" },
	{ "model", "text", 0, "which model" }, { "hidden", "list", "[]", "sizes" },
	{ "share", "number 0..0.5", "0", "bounds that only the table tells" },
	{ "least", "integer 2..", "2", "more than one" }, { "most", "integer ..9", "9", "a digit" },
	{ 0, 0, 0, 0 } };

static const flow_stage stages[] = {
	{ sizeof(flow_stage), "count", "1.0", "count lines", deps, outs, 0, count_lines },
	{ sizeof(flow_stage), "show", "1.0", "show its options", 0, 0, options, show_options },
};

FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 2, stages };
