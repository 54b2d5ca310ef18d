/*
 * nn/origin.h - what a model knows of the table it learned from, so that others are read as that one was.
 *
 *     kept:   struct origin o = { 0 };  origin_of(&o, &table);  origin_take_recipe(&o, recipe, table_path, fault);
 *             origin_add(&o, &tensors);  ...the tensors are written...  origin_release(&o);
 *     read:   origin_read(&o, model, fault);  ...o.target, o.inputs, o.name[class], o.state, o.recipe...
 *
 * In the file of a network it is two tensors of bytes: `input.table`, JSON of the columns, the
 * classes' and categories' names and the table's state, and `input.recipe`, to the byte the recipe
 * that made the table of a raw one. A model that learned from arrays has neither. Trees keep both
 * texts as attributes: origin_write(), origin_parse().
 */
#ifndef FLOW_STAGES_NN_ORIGIN_H
#define FLOW_STAGES_NN_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "nn/codes.h"

struct fault;
struct table;
struct tensors;

struct origin {
	char *target;       /* NULL: it was no table */
	struct text inputs; /* JSON, names of columns */
	char **name;        /* of the classes, when they were categories */
	size_t names;
	uint64_t state;     /* of the table; 0: no recipe made it */
	struct codes codes; /* of the inputs that are categories; of a read one */
	struct text categories; /* the same as JSON, data NULL: none; of one to be kept */
	struct text recipe; /* data NULL: none */
	struct text json;
};

void origin_of(struct origin *o, const struct table *table);
/* The recipe must be the one that made the table. */
int origin_take_recipe(
	struct origin *o, const char *path, const char *table_path, struct fault *fault);
/* Adds nothing when it was no table. The bytes are borrowed until the file is written. */
void origin_add(struct origin *o, struct tensors *file);

/* Set o->json. */
void origin_write(struct origin *o);
/* The reverse. *o is written on success only. */
int origin_parse(struct origin *o, const char *json, const char *recipe, struct fault *fault);

int origin_read(struct origin *o, const char *model, struct fault *fault);
void origin_release(struct origin *o); /* zeroed: nothing */

#endif
