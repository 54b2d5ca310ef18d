/*
 * evaluate/figures.h - precision, recall and F1 from counts, of one class or of several.
 *
 *     f.support = ...; f.predicted = ...;  figures_set(&f, hits);
 *     figures_add(&mean, &f, share);            mean of several, whose shares add up to 1
 *     figures_write(&json, &f);
 *
 * Division by zero gives 0: the precision of what was never predicted, the recall of what never
 * occurs, and the F1 of what neither occurs nor is predicted.
 */
#ifndef FLOW_STAGES_EVALUATE_FIGURES_H
#define FLOW_STAGES_EVALUATE_FIGURES_H

#include <stdint.h>

struct jsonout;

struct figures {
	double precision, recall, f1;
	uint64_t support;   /* rows whose truth it is */
	uint64_t predicted; /* rows predicted to be it */
};

/* hits: rows that are both. */
void figures_set(struct figures *f, uint64_t hits);
void figures_add(struct figures *mean, const struct figures *f, double share);

/* Keys and values into an open map; a map of its own. */
void figures_write(struct jsonout *json, const struct figures *f);
void figures_write_as(struct jsonout *json, const char *key, const struct figures *f);

#endif
