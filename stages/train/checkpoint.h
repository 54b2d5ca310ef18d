/*
 * train/checkpoint.h - a training put aside, and taken up again.
 *
 * The stage's checkpoint folder holds, for the last two times it was written,
 *
 *     weights-<step>.safetensors   the net, with PyTorch's names and layout
 *     state-<step>.safetensors     the optimiser's runs and the best weights, in the layout and order
 *                                  of the weights file; the cursor and the recipe in the metadata
 *
 * Each is written beside its name, synced and renamed, the state last: a state file is whole or not
 * there, and so are the weights that belong to it. checkpoint_read() takes the newest that is whole
 * and of the same recipe, and tells in the log what it did not take and why; where there is none
 * the training begins at the beginning. No folder: they do nothing.
 *
 * checkpoint_write() copies what it keeps and leaves the writing to a thread: training goes on
 * meanwhile. There is one such thread at a time; the next call waits for it and tells how it went,
 * and so does checkpoint_wait(), after which the last one is on the disk.
 */
#ifndef FLOW_STAGES_TRAIN_CHECKPOINT_H
#define FLOW_STAGES_TRAIN_CHECKPOINT_H

struct fault;
struct session;

int checkpoint_write(struct session *s, struct fault *fault);
int checkpoint_wait(struct session *s, struct fault *fault);
void checkpoint_release(struct session *s); /* waits; what it finds is not told */
void checkpoint_read(struct session *s);

#endif
