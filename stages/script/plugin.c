/* The one symbol that flow looks for; see train/plugin.c. */
#include "script/script.h"

FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1,
	&stage_script };
