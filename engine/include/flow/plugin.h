/*
 * flow/plugin.h - the one public header: how a C stage talks to flow.
 *
 * A plugin is a shared object that exports ONE data symbol, `flow_plugin_stages`. flow reads that table without running any
 * of the plugin's code, forks a child of its worker for each attempt and calls run() there. A crash, a leak or an endless
 * loop is a failed attempt and harms nothing else.
 *
 *     static int run(const flow_host *host, flow_ctx *ctx)
 *     {
 *             const char *path = host->dep(ctx, "text");     NULL: not declared
 *             if (path == NULL)
 *                     return host->fail(ctx, "needs a dep named 'text'");
 *             ...read path, write the file host->out(ctx, "counts")...
 *             host->metric(ctx, "lines", 42.0, -1);
 *             return 0;
 *     }
 *     static const flow_stage stages[] = { { sizeof(flow_stage), "count", "1.0", "count lines", 0, 0, 0, run } };
 *     FLOW_EXPORT const flow_plugin flow_plugin_stages = { FLOW_ABI, sizeof(flow_plugin), 1, stages };
 *
 * Build: cc -shared -fPIC -fvisibility=hidden -I<include> count.c -o count.so      Use: `uses: ./count.so` in dag.yaml.
 *
 * Rules. Strings given by the host live until run() returns; strings given by the plugin are copied; neither side frees the
 * other's memory. All calls are made from the thread that entered run(), except cancelled(), which any thread may call.
 * Structs grow at the end only: flow checks `size` and treats missing members as zero. Plain C89, usable from C++.
 */
#ifndef FLOW_PLUGIN_H
#define FLOW_PLUGIN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FLOW_ABI 1u

#if defined(__GNUC__)
#define FLOW_EXPORT __attribute__((visibility("default")))
#else
#define FLOW_EXPORT
#endif

typedef struct flow_ctx flow_ctx; /* one attempt; opaque */

/* What the host does for a stage. Filled by flow; size says how much of it there is. */
typedef struct flow_host {
	unsigned abi;
	unsigned size;

	/* Why the stage failed, one line. Returns -1, so that run() can end with it. The first call counts. */
	int (*fail)(flow_ctx *ctx, const char *why);

	/* Path to read for the dep of that name; an unnamed dep is named by its path. NULL: there is none. */
	const char *(*dep)(flow_ctx *ctx, const char *name);
	/* Path to write for the out of that name. It is a staging path: it becomes visible when run() has returned 0. */
	const char *(*out)(flow_ctx *ctx, const char *name);
	/* Name of the i-th dep or out, in dag.yaml's order; NULL past the last. */
	const char *(*dep_name)(flow_ctx *ctx, unsigned i);
	const char *(*out_name)(flow_ctx *ctx, unsigned i);

	/* Values under `with:`. has: 1 if the key is there. The typed ones give `fallback` when the key is absent; when it is
	 * there with another type, or out of [min, max], the attempt fails with a message that names it, and fallback is
	 * returned (check failed()). json: the value as JSON text, NULL when absent; for lists and maps. */
	int (*has)(flow_ctx *ctx, const char *key);
	double (*number)(flow_ctx *ctx, const char *key, double fallback, double min, double max);
	long (*integer)(flow_ctx *ctx, const char *key, long fallback, long min, long max);
	int (*boolean)(flow_ctx *ctx, const char *key, int fallback);
	const char *(*text)(flow_ctx *ctx, const char *key, const char *fallback);
	const char *(*json)(flow_ctx *ctx, const char *key);
	/* A tracked parameter (`params:` of the stage) as JSON text, by dotted key; NULL: not tracked. */
	const char *(*param)(flow_ctx *ctx, const char *key);

	/* 1 when fail() or a typed getter has recorded a failure. */
	int (*failed)(flow_ctx *ctx);

	/* Record a number; step < 0 means "of the whole run of the stage". Names are [A-Za-z0-9_./-]{1,128}. */
	void (*metric)(flow_ctx *ctx, const char *name, double value, long step);
	/* How far along, shown live: done of total, and one short line (or NULL). */
	void (*progress)(flow_ctx *ctx, double done, double total, const char *what);
	/* One line to the attempt's log. */
	void (*log)(flow_ctx *ctx, const char *line);

	/* The seed of this attempt's task: the same for every attempt with the same key. */
	unsigned long (*seed)(flow_ctx *ctx);
	/* 1 after flow asked the stage to end; return soon, any value. Long loops ask now and then. */
	int (*cancelled)(flow_ctx *ctx);
	/* A folder of this attempt's own, empty at the start, gone at the end. */
	const char *(*tmpdir)(flow_ctx *ctx);
	/* Folder that outlives failed attempts of this task, or NULL when the stage declares no checkpoint. */
	const char *(*checkpoint)(flow_ctx *ctx);
	/* CPU cores the attempt holds, at least 1. */
	unsigned (*threads)(flow_ctx *ctx);
} flow_host;

/* One key of `with:`, for checks before the run, for `flow help` and for the reference page. */
typedef struct flow_option {
	const char *key;     /* NULL ends the list */
	const char *type;    /* "number", "integer", "boolean", "text", "list", "map"; of numbers also with bounds that
				are allowed themselves: "integer 1..100", "number 0.." */
	const char *value;   /* the default as text; NULL: must be given */
	const char *help;
} flow_option;

/* One dep or out that the stage looks for. */
typedef struct flow_port {
	const char *name;    /* NULL ends the list */
	const char *help;
	int required;        /* 1: dag.yaml must declare it */
} flow_port;

typedef struct flow_stage {
	unsigned size;             /* sizeof(flow_stage) */
	const char *name;          /* [a-z][a-z0-9_]{0,63} */
	const char *version;
	const char *help;          /* one line */
	const flow_port *deps;     /* may be NULL */
	const flow_port *outs;     /* may be NULL */
	const flow_option *options; /* may be NULL: any key of `with:` is accepted */
	/* [worker's child process, main thread] Do the work. Return 0, or host->fail(ctx, "why"). Called once. */
	int (*run)(const flow_host *host, flow_ctx *ctx);
} flow_stage;

typedef struct flow_plugin {
	unsigned abi;              /* FLOW_ABI */
	unsigned size;             /* sizeof(flow_plugin) */
	unsigned count;            /* stages in the table; `uses: ./x.so` takes the first, `uses: ./x.so#name` that one */
	const flow_stage *stages;
} flow_plugin;

#ifdef __cplusplus
}
#endif
#endif
