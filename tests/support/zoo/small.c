/* A plugin whose stage is smaller than any stage was. */
#include <flow/plugin.h>

static const flow_stage stages[] = { { 8, "small", "1.0", "cut short", 0, 0, 0, 0 } };
FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
