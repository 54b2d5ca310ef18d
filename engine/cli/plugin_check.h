/*
 * cli/plugin_check.h - what dag.yaml asks of plugins and they do not take, told before anything runs.
 *
 *     session_load() [code_open() | session_plan()]
 *     plugin_check(&s, PLUGIN_LOAD_ALL, e)       ERR_INPUT: what is wrong is in s.diags
 *
 * Looks at the tasks that would run, or may; without a plan at all of them. Plugins that come with flow are asked what they take, in
 * a process of their own; so are those of the project when PLUGIN_LOAD_ALL says that their constructors may run. A writer keeps the
 * answers in .flow (store/description_cache.h); whoever finds one there need not ask. What cannot be known before a stage starts,
 * it finds itself: the same is checked again then.
 */
#ifndef FLOW_CLI_PLUGIN_CHECK_H
#define FLOW_CLI_PLUGIN_CHECK_H

struct err;
struct session;

enum plugin_check_flags {
	PLUGIN_LOAD_ALL = 1 << 0,    /* those of the project, too */
	PLUGIN_ASK_ANEW = 1 << 1,    /* what was kept does not count */
	PLUGIN_TELL_BROKEN = 1 << 2, /* one that cannot be loaded is a fault; else its stage will tell, when it starts */
};

int plugin_check(struct session *s, unsigned flags, struct err *e);

#endif
