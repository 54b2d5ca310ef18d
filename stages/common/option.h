/*
 * common/option.h - what `with:` says, where it is more than a number or a text.
 *
 *     norm = option_word(host, ctx, "norm", norms, "none", fault);         its place in the list of words
 *     option_columns(chosen, &shard, host, ctx, "except", fault);          chosen[column] = 1
 *     option_read("freeze", read_patterns(&frozen, host->json(ctx, "freeze"), fault), fault);
 *
 * Lists and maps are read with jsonin_open(), for which a key that is not there is an empty one. Who
 * reads them says what is wrong in them, and option_read() which key it was: "with.freeze: ...".
 */
#ifndef FLOW_STAGES_COMMON_OPTION_H
#define FLOW_STAGES_COMMON_OPTION_H

#include <flow/plugin.h>

struct fault;
struct shard;

/* words: NULL is the last; -1: the text is none of them. */
int option_word(const flow_host *host, flow_ctx *ctx, const char *key, const char *const *words,
	const char *fallback, struct fault *fault);

/* A list of names of columns, which the table must have; chosen[] has one for each that there is. */
int option_columns(char *chosen, const struct shard *shard, const flow_host *host, flow_ctx *ctx,
	const char *key, struct fault *fault);

/* rc; below 0 the fault begins with the key. */
int option_read(const char *key, int rc, struct fault *fault);

#endif
