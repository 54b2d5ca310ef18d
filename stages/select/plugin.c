/* The one symbol that flow looks for. In a file of its own, so that tests can link all stages into
 * one program. */
#include "select/select.h"

FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1,
	&stage_select };
