/*
 * stage/host.h - what a plugin or a Lua script gets from flow, inside the child that was forked for it.
 *
 *     host_init(&ctx, start, root);  once, in the child
 *     ... host_table's functions with &ctx ...
 *     host_leave(&ctx);              records the end and leaves the process
 */
#ifndef FLOW_STAGE_HOST_H
#define FLOW_STAGE_HOST_H

#include <flow/plugin.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "stage/record.h"

struct json_t; /* jansson */
struct wire_list;
struct wire_start;

struct flow_ctx {
	const struct wire_start *start;
	const char *root;             /* the project's folder */
	const char *report;           /* absolute */
	struct json_t *with, *params; /* objects */
	struct arena arena;           /* what the stage was given; lives as long as the process */
	int64_t progress_ms;          /* when progress was last written */
	bool has_failed;
	bool is_done; /* host_leave was called */
};

extern const flow_host host_table;

void host_init(struct flow_ctx *ctx, const struct wire_start *start, const char *root);
_Noreturn void host_leave(struct flow_ctx *ctx);

/* Record why the attempt failed; only the first call counts. All return -1. */
int host_fail(struct flow_ctx *ctx, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int host_fail_at(struct flow_ctx *ctx, const struct failure *f);

/* 1 after SIGTERM or SIGINT. */
int host_cancelled(void);
void host_catch_signals(void);
/* From then on SIGTERM and SIGINT are followed by a SIGALRM. */
void host_alarm_when_cancelled(int seconds);

/* A path of the start message, good from any cwd when the attempt has one of its own. */
const char *host_path(struct flow_ctx *ctx, const char *path);
/* The value of a name in a list, or NULL. */
const char *host_find(const struct wire_list *list, const char *name);
/* Check the keys of `with:` against a list of options that ends with a NULL key. -1: recorded. */
int host_check_with(struct flow_ctx *ctx, const flow_option *options, const char *code);
/* The attempt's folder, made if need be. */
const char *host_tmpdir(struct flow_ctx *ctx);
/* ", did you mean `x`?" for the nearest of the names, or "". */
const char *host_near(
	struct flow_ctx *ctx, const char *word, const char *const *names, size_t count);

#endif
