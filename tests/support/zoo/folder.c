/* A plugin whose out is a folder: some files, one of them in a folder of its own, the same bytes twice. */
#include <flow/plugin.h>
#include <stdio.h>
#include <sys/stat.h>

static int put(const char *folder, const char *name, long salt, int lines)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	if (file == NULL)
		return -1;
	while (lines-- > 0)
		(void)fprintf(file, "%s %ld %d\n", "line", salt, lines);
	return fclose(file);
}

static int fill(const flow_host *host, flow_ctx *ctx)
{
	const char *folder = host->out(ctx, "folder");
	long salt = host->integer(ctx, "salt", 0, 0, 1000000);
	char deep[4096];

	(void)snprintf(deep, sizeof deep, "%s/deep", folder);
	if (mkdir(folder, 0777) < 0 || mkdir(deep, 0777) < 0 || put(folder, "a", salt, 700) < 0 || put(folder, "b", 0, 3) < 0 ||
		put(folder, "deep/b", 0, 3) < 0)
		return host->fail(ctx, "cannot write its folder");
	return 0;
}

static const flow_port outs[] = { { "folder", "what it fills", 1 }, { 0, 0, 0 } };
static const flow_option options[] = { { "salt", "integer", "0", "what its files hold" }, { 0, 0, 0, 0 } };

static const flow_stage stages[] = {
	{ sizeof(flow_stage), "fill", "1.0", "fill a folder", 0, outs, options, fill },
};

FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
