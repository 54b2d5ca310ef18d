/*
 * nn/codes.h - what the categories of a table's columns are called, so that another table's mean the same.
 *
 *     kept:   codes_write(&json, &table);                  a list into the model's notes
 *     read:   struct codes c = { 0 };  codes_read(&c, &in, fault);
 *             codes_apply(&c, &table, fault);              from now on rows have the codes of the model
 *             codes_release(&c);
 *
 * Each table numbers its categories as it meets them; a model knows those of the table that it
 * learned from. One that it has not met is a missing value for trees, and a number beyond all
 * others for a network. A column that is a category in one of them only is an error. In JSON:
 * [["city", "Rome", "Oslo"], ["colour", "red"]].
 */
#ifndef FLOW_STAGES_NN_CODES_H
#define FLOW_STAGES_NN_CODES_H

#include <stddef.h>

#include "common/dictionary.h"

struct fault;
struct jsonin;
struct jsonout;
struct table;

struct codes {
	struct codes_column {
		char *name;
		struct dictionary known; /* by number */
	} * column;
	size_t count;
};

int codes_are_in(const struct table *table); /* does it have a column of categories? */
void codes_write(struct jsonout *json, const struct table *table);
/* *c may hold part of them after a failure. */
int codes_read(struct codes *c, struct jsonin *in, struct fault *fault);
int codes_apply(const struct codes *c, struct table *table, struct fault *fault);
void codes_release(struct codes *c); /* zeroed: nothing */

#endif
