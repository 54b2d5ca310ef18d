/*
 * common/runs.h - runs of words or characters of a text, each hashed to one of so many cells.
 *
 *     struct runs r = { 0 };
 *     runs_find(&r, &step, text, length);
 *     for (i = 0; i < r.count; i++) ...r.cell[i]...        one for each run, in the text's order
 *     runs_gather(&r);                                      now ascending, each once, r.times[i]
 *     runs_release(&r);
 *
 * Words are what lies between bytes that are neither letters, digits nor beyond ASCII; capital
 * letters are small ones. Of characters the runs are taken over words with one blank between. The
 * same text gives the same cells for ever: they are in models. Memory is kept from text to text.
 */
#ifndef FLOW_STAGES_COMMON_RUNS_H
#define FLOW_STAGES_COMMON_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

struct fitted_step;

struct runs {
	uint32_t *cell, *times;
	size_t count, room;
	struct text plain;  /* words with one blank between */
	struct text bounds; /* of each word: where it begins and ends there */
};

/* size, low and high of the step; runs of characters for STEP_CHARS, else of words. */
void runs_find(struct runs *r, const struct fitted_step *step, const char *text, size_t length);
void runs_gather(struct runs *r);
void runs_release(struct runs *r); /* zeroed: nothing */

/* The cell of one text. */
uint32_t runs_hash(const char *text, size_t length, uint32_t size);

#endif
