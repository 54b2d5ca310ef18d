/*
 * train/groups.h - which tensors of a network learn, how fast, and which begin anew.
 *
 *     groups_read(&groups, host, ctx, fault);      with.freeze, with.lr_groups, with.init_skip
 *     groups_apply(&groups, &net, fault);          marks what is frozen; groups.segment
 *     ...groups_skips(&groups, "head.weight")...   groups_release(&groups);
 *
 * Tensors are called as in the model file. In a pattern `*` is any text, `?` any one character. A
 * pattern that no tensor has is a mistake, and so are two rates for one tensor; freezing goes
 * before a rate. groups_text() is all of it, as recipe_text() wants it.
 */
#ifndef FLOW_STAGES_TRAIN_GROUPS_H
#define FLOW_STAGES_TRAIN_GROUPS_H

#include <flow/plugin.h>

#include <stddef.h>

struct fault;
struct net;
struct text;

#define PATTERN_MAX  128
#define PATTERNS_MAX 64 /* of one list */

struct pattern {
	char text[PATTERN_MAX];
	double factor; /* of a rate */
	int is_used;
};

struct patterns {
	struct pattern *pattern;
	size_t count;
};

/* Weights side by side that are updated alike. */
struct segment {
	size_t from, count; /* floats of net.weight */
	int decays;
	int is_bag;   /* only the cells of a batch are (nn/bags.h) */
	float factor; /* what the learning rate is multiplied by */
};

struct groups {
	struct patterns frozen, rates, skipped;
	struct segment *segment;
	size_t segment_count;
	size_t learning; /* floats */
};

/* -1 also when a getter has told the host already. */
int groups_read(struct groups *groups, const flow_host *host, flow_ctx *ctx, struct fault *fault);
int groups_apply(struct groups *groups, struct net *net, struct fault *fault);
int groups_skips(const struct groups *groups, const char *name);
/* Every pattern of init_skip must have been asked for by now. */
int groups_check_skipped(const struct groups *groups, struct fault *fault);
void groups_text(const struct groups *groups, struct text *text);
void groups_release(struct groups *groups); /* zeroed: nothing */

#endif
