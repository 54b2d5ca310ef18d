#include <string.h>

#include "cli/commands.h"
#include "cli/opt.h"

const struct command *const command_table[] = { &cmd_run, &cmd_plan, &cmd_explain, &cmd_cache_accept, &cmd_stop, &cmd_status, &cmd_watch,
	&cmd_runs_list, &cmd_runs_show, &cmd_runs_tag, &cmd_runs_note,
	&cmd_runs_pin, &cmd_runs_rm, &cmd_log, &cmd_attempt_shell, &cmd_graph, &cmd_artifact_show,
	&cmd_artifact_trace, &cmd_artifact_reproduce, &cmd_blame, &cmd_params, &cmd_metrics, &cmd_plots, &cmd_diff, &cmd_stage_ls, &cmd_stage_describe, &cmd_shards_ls,
	&cmd_shards_cat, &cmd_shards_verify, &cmd_lint, &cmd_init,
	&cmd_gc, &cmd_cache_stat, &cmd_cache_verify, &cmd_fsck, &cmd_config, &cmd_doctor, &cmd_version, &cmd_help, NULL };

const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; command_table[i] != NULL; i++)
		if (strcmp(command_table[i]->name, name) == 0)
			return command_table[i];
	return NULL;
}
