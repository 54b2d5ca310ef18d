/*
 * cli/probe.h - what `flow doctor` looks at, one function a thing.
 *
 *     struct finding f;
 *     probe_worker(&f, &arena);  ...f.state, f.what, f.text, f.help...
 *
 * Texts live in the arena. A probe leaves nothing behind: what it has to write goes into a folder of its own, which is removed.
 */
#ifndef FLOW_CLI_PROBE_H
#define FLOW_CLI_PROBE_H

struct arena;

enum finding_state { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct finding {
	enum finding_state state;
	const char *what;  /* "worker" */
	const char *text;  /* one line */
	const char *help;  /* what to do, or "" */
};

typedef void probe(struct finding *f, struct arena *a);

probe probe_worker;   /* flow-worker is there, runs, and is of this version */
probe probe_stages;   /* built-in stages */
probe probe_git;      /* which commit the work tree is at */
probe probe_folder;   /* the project can be written, and has locks, links and SQLite's WAL */
probe probe_journal;  /* .flow/flow.db can be read */
probe probe_disk;
probe probe_machine;  /* cores and memory */

#endif
