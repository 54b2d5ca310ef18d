/*
 * cli/commands.h - the commands there are, one cmd_*.c each; command_table of cli/opt.h lists them.
 */
#ifndef FLOW_CLI_COMMANDS_H
#define FLOW_CLI_COMMANDS_H

struct cli;
struct command;

extern const struct command cmd_run, cmd_plan, cmd_explain, cmd_cache_accept, cmd_stop;
extern const struct command cmd_status, cmd_watch, cmd_runs_list, cmd_runs_show, cmd_runs_tag, cmd_runs_note, cmd_runs_pin, cmd_runs_rm, cmd_log, cmd_attempt_shell, cmd_graph;
extern const struct command cmd_artifact_show, cmd_artifact_trace, cmd_artifact_reproduce, cmd_blame, cmd_params, cmd_metrics, cmd_plots, cmd_diff;
extern const struct command cmd_gc, cmd_cache_stat, cmd_cache_verify, cmd_fsck, cmd_config;
extern const struct command cmd_stage_ls, cmd_stage_describe, cmd_shards_ls, cmd_shards_cat, cmd_shards_verify;
extern const struct command cmd_lint, cmd_init, cmd_doctor, cmd_version, cmd_help;

/* `flow run --dry-run` is `flow plan`. */
int cmd_plan_main(struct cli *c);

#endif
