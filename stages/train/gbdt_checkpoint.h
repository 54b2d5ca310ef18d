/*
 * train/gbdt_checkpoint.h - boosting put aside, and taken up.
 *
 *     gbdt_checkpoint_write(&rounds, fault);      folder/rounds-120.ubj: all trees so far
 *     gbdt_checkpoint_read(&rounds);              from the newest that can be used; else from the start
 *
 * The file is an XGBoost model like that of the stage, with the recipe and the cursor as attributes;
 * it is whole or not there. The two newest stay. One of another recipe or other data is not used, and
 * the log says so. Without an out of kind checkpoint both do nothing.
 */
#ifndef FLOW_STAGES_TRAIN_GBDT_CHECKPOINT_H
#define FLOW_STAGES_TRAIN_GBDT_CHECKPOINT_H

struct fault;
struct rounds;

int gbdt_checkpoint_write(struct rounds *r, struct fault *fault);
void gbdt_checkpoint_read(struct rounds *r);

/* The attributes of a checkpoint, which the model does not have. */
int gbdt_checkpoint_clear(struct rounds *r, struct fault *fault);

#endif
