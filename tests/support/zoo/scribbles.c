/* A plugin that writes garbage to every descriptor but its log and then closes them all. */
#include <flow/plugin.h>
#include <unistd.h>

static int run(const flow_host *host, flow_ctx *ctx)
{
	int fd;

	for (fd = 3; fd < 1024; fd++)
		(void)!write(fd, "{\"end\":0}\n", 10);
	for (fd = 0; fd < 1024; fd++)
		(void)close(fd);
	host->metric(ctx, "after", 1.0, -1);
	return 0;
}

static const flow_stage stages[] = { { sizeof(flow_stage), "scribbles", "1.0", "bad on purpose", 0,
	0, 0, run } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
