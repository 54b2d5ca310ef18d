/*
 * dag/graph.h - GRAPH: what is to be done, frozen.
 *
 * dag_load() (dag/load.h) makes one from text; nothing changes it afterwards. It is ONE block of memory without pointers:
 * strings are offsets into a text pool, lists are spans of index tables, so that the block can be written to a file and mapped
 * again as it is (the compiled-graph cache). Read it through the functions below.
 *
 *     node   a task: one instance of a stage after foreach/matrix; index 0..node_count-1, in the order of dag.yaml
 *     stage  what the instances of one entry under `stages:` share
 *     edge   task -> task. `before` of a node are the tasks that must end before it may start, `after` the reverse
 */
#ifndef FLOW_DAG_GRAPH_H
#define FLOW_DAG_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_NODE UINT32_MAX
#define NO_OUT  UINT32_MAX

/* A place in a file the user wrote. line and col are 1-based, 0: unknown. */
struct pos {
	uint32_t file; /* text offset of the path as the user typed it */
	uint32_t line, col;
};

/* A part of one of the tables of a graph. */
struct span {
	uint32_t first, count;
};

enum stage_kind {
	STAGE_CMD,     /* command: shell text, or argv when it has no shell syntax */
	STAGE_PLUGIN,  /* C plugin: built-in name or path of a .so */
	STAGE_LUA,     /* Lua file, built-in name or path */
	STAGE_INLINE,  /* Lua text inside dag.yaml */
};

enum stage_flags {
	STAGE_ALLOW_FAILURE = 1 << 0, /* its failure does not fail the run; what reads its outs is blocked all the same */
	STAGE_NO_CACHE = 1 << 1,      /* `cache: false`: always runs */
	STAGE_FROZEN = 1 << 2,        /* `frozen: true`: never runs; its outs are taken as they are */
	STAGE_UNSAFE = 1 << 3,        /* a Lua stage that may use io and os */
	STAGE_ISOLATE = 1 << 4,       /* a command that gets a private view of the project */
};

enum retry_on { /* what a failure must be for a retry to be made */
	RETRY_ERROR = 1 << 0,   /* ended with a non-zero status, or a plugin or script failed */
	RETRY_SIGNAL = 1 << 1,  /* was killed by a signal */
	RETRY_TIMEOUT = 1 << 2,
	RETRY_OOM = 1 << 3,
	RETRY_LOST = 1 << 4,    /* its worker died */
	RETRY_MISSING_OUT = 1 << 5,
};

struct retry {
	uint32_t limit;          /* retries, not attempts; 0: none */
	uint32_t on;             /* enum retry_on */
	uint64_t exit_codes[4];  /* bit n: exit status n is retried (`exit:75`) */
	int64_t delay_ms;        /* before the first retry */
	int64_t max_delay_ms;
	double backoff;          /* each further delay is this much longer */
	double jitter;           /* 0: none; 1: full, a delay is drawn from [0, delay] */
	double scale_mem;        /* each further try gets so many times the memory, */
	double scale_timeout;    /* and may run so many times longer; 1: the same */
};

/* What an attempt may take, beside its memory; 0: no limit. */
struct stage_limits {
	uint64_t file_bytes;     /* of a file it writes */
	uint32_t cpu_seconds;    /* of each process */
	uint32_t open_files;     /* of each process */
	uint32_t processes;      /* at once */
	uint32_t unused;
};

struct stage {
	uint32_t name;           /* text */
	uint32_t kind;           /* enum stage_kind */
	uint32_t flags;          /* enum stage_flags */
	struct pos at;           /* of the stage's name */
	struct span nodes;       /* its instances: consecutive nodes, span over the node table */
	struct span secrets;     /* texts: names of the secrets it gets */
	uint32_t max_parallel;   /* instances at once; 0: no limit */
	uint32_t cpu_milli;      /* thousandths of a core, 1000 by default */
	uint64_t mem_bytes;      /* 0: not declared */
	struct stage_limits limits;
	uint64_t log_bytes;      /* an attempt's log keeps so much */
	int64_t timeout_ms;      /* 0: none */
	struct retry retry;
};

/* A named value that the key depends on: one of `with`, tracked params, env. */
struct field {
	uint32_t name;           /* text: dotted for params ("train.lr") */
	uint32_t value;          /* text: canonical JSON for with and params, plain text for env */
	uint32_t origin;         /* text: "params.yaml:6", "-p train.lr", or "" */
};

struct dep {
	uint32_t name;           /* text: the given name, or the path */
	uint32_t path;           /* text: normalised, relative to the project's folder, or absolute; a folder has no slash at its end */
	uint32_t producer;       /* node that makes it, or the folder it lies in, or the FIRST of those that make
				    something inside it; NO_NODE: a source, nobody makes it */
	uint32_t out;            /* index into outs of the out that is exactly this path; NO_OUT: it lies inside
				    an out, or outs lie inside it (then wait for all of `before`) */
	struct pos at;
};

enum out_kind { OUT_OUTPUT, OUT_TEMP, OUT_CHECKPOINT };
enum out_flags {
	OUT_OPTIONAL = 1 << 0,
	OUT_METRICS = 1 << 1,    /* listed under `metrics:`: a JSON file whose numbers are recorded as metrics */
	OUT_PLOTS = 1 << 2,
};

struct out {
	uint32_t name;           /* text */
	uint32_t path;           /* text: normalised, relative, inside the project */
	uint32_t kind, flags;
	struct pos at;
};

struct node {
	uint32_t name;           /* text: "train", "train@seed-2" */
	uint32_t stage;          /* index into stages */
	uint32_t text;           /* STAGE_CMD: the shell text as shown to the user; STAGE_INLINE: the script; else "" */
	uint32_t uses;           /* STAGE_PLUGIN, STAGE_LUA: as written after `uses:`, else "" */
	uint32_t cwd;            /* text: folder the command runs in, relative to the project, "" for the project itself */
	struct span argv;        /* texts: the command's words when it needs no shell; empty: `sh -c text` */
	struct span with;        /* fields, sorted by name; nodes of a stage may share one span, as with params and env */
	struct span params;      /* fields: tracked params and those that were substituted, sorted by name, leaves only */
	struct span env;         /* fields: the listed environment, sorted by name */
	struct span deps;        /* deps, in dag.yaml's order */
	struct span outs;        /* outs, in dag.yaml's order; metrics and plots after the rest */
	struct span before;      /* links: nodes, ascending, no duplicates */
	struct span after;       /* links */
	uint32_t line;           /* in dag.yaml: of the stage; STAGE_INLINE: of the script's first line */
	uint32_t depth;          /* longest path from a node without `before` */
};

/* The tables. All members are offsets into, or parts of, one block of `size` bytes. */
struct graph {
	const struct graph_head *head;
	const struct node *nodes;
	const struct stage *stages;
	const struct field *fields;   /* with, params and env of all nodes */
	const struct field *params;   /* every leaf parameter of the dag, sorted by name */
	const struct field *sources;  /* all that was read to make it, in order: name "file:params.yaml" value its SHA-256,
					"env:HOME" value its text (origin "" when unset: "unset"), "set" value "train.lr=0.1";
					and what must not be read for it: "secret:TOKEN" value "env:HF_TOKEN", "file:..." or "command:..." */
	const struct dep *deps;
	const struct out *outs;
	const uint32_t *links;        /* before and after */
	const uint32_t *words;        /* texts: argv */
	const char *text;             /* the pool; offset 0 is "" */
	uint32_t node_count, stage_count, param_count, source_count;
	void *block;                  /* what graph_release frees or unmaps */
	size_t size;
	bool mapped;
};

static inline const char *graph_text(const struct graph *g, uint32_t at)
{
	return g->text + at;
}

static inline const char *node_name(const struct graph *g, uint32_t node)
{
	return g->text + g->nodes[node].name;
}

static inline const struct stage *node_stage(const struct graph *g, uint32_t node)
{
	return &g->stages[g->nodes[node].stage];
}

const char *graph_name(const struct graph *g);           /* `name:` of the dag, or "" */
uint32_t graph_find(const struct graph *g, const char *task); /* node of that exact name, or NO_NODE; linear */
void graph_release(struct graph *g);                     /* zeroed graph: nothing */

#endif
