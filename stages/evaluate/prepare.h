/*
 * evaluate/prepare.h - a table as the model was trained on: the one that is given, or what the model's own
 * recipe makes of it.
 *
 *     prepare_table(&path, &origin, folder, fault);      path: of the table to read from now on
 *     prepare_labels(&samples, &origin, path, fault);    classes by their names, as the model numbers them
 *
 * A table that another recipe made than the one in the model is refused: its numbers mean other things.
 */
#ifndef FLOW_STAGES_EVALUATE_PREPARE_H
#define FLOW_STAGES_EVALUATE_PREPARE_H

struct fault;
struct origin;
struct samples;
struct text;

/* path holds the given one; `folder` is for what must be made. */
int prepare_table(
	struct text *path, const struct origin *origin, const char *folder, struct fault *fault);
int prepare_labels(struct samples *samples, const struct origin *origin, const char *path,
	struct fault *fault);

#endif
