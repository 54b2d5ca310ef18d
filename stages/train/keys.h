/*
 * train/keys.h - which keys of `with:` each model has.
 *
 *     keys_check("gbdt", host, ctx, fault)      0, or -1: one is written that it does not have
 *
 * A key that a model would not look at is a mistake: somebody believes that it does something.
 */
#ifndef FLOW_STAGES_TRAIN_KEYS_H
#define FLOW_STAGES_TRAIN_KEYS_H

#include <flow/plugin.h>

struct fault;

/* model: softmax or linear, gbdt, mlp, cnn, text or auto. */
int keys_check(const char *model, const flow_host *host, flow_ctx *ctx, struct fault *fault);

int keys_has(const char *model, const char *key);

#endif
