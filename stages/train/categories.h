/*
 * train/categories.h - columns of the features that are names, not amounts.
 *
 *     categories_read(&list, host, ctx, fault);             with.categories, with.category_width
 *     categories_find(&list, &samples, fault);              list.item, by column: trees go on from here
 *     categories_fit(&list, &samples, &design, fault);      finds them, and sets design.category
 *     categories_begin(&net, &samples);                     after net_draw()
 *     categories_scale(&design, &scaling);
 *     categories_release(&list);
 *
 * Columns are given by number, from 0, or by their name in the table. Columns that the table itself
 * has as categories need not be given.
 * A category is a whole number from 0. How many there are is declared, or is what the training rows
 * have. Training rows with anything else are refused. A category that no training row has, in
 * whatever row it is met later, adds nothing to what the network sees: its numbers are 0, as are
 * those of the row that stands for all that are beyond.
 */
#ifndef FLOW_STAGES_TRAIN_CATEGORIES_H
#define FLOW_STAGES_TRAIN_CATEGORIES_H

#include <flow/plugin.h>

#include <stddef.h>

#include "nn/net.h"

struct fault;
struct samples;
struct scaling;

struct categories {
	struct net_category item[NET_CATEGORIES_MAX]; /* codes 0: as many as there are */
	char *name[NET_CATEGORIES_MAX]; /* of a column that is not found yet; NULL: by number */
	size_t count;
	size_t width; /* 0: by the number of codes */
};

int categories_read(
	struct categories *list, const flow_host *host, flow_ctx *ctx, struct fault *fault);
/* Columns ascend from now on. */
int categories_find(struct categories *list, const struct samples *samples, struct fault *fault);
int categories_fit(struct categories *list, const struct samples *samples,
	struct net_design *design, struct fault *fault);
void categories_begin(struct net *net, const struct samples *samples);
/* Codes are not scaled. */
void categories_scale(const struct net_design *design, struct scaling *scaling);
void categories_release(struct categories *list); /* zeroed: nothing */

#endif
