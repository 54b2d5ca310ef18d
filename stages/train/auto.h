/*
 * train/auto.h - the model auto of the stage `train`: linear, then gbdt, then mlp, on the same rows, and
 * the best of them.
 *
 * Simple models come first, and a later one has to be better to take the place: by its loss on the
 * validation rows. With time_budget T, linear may train for a fifth of T, gbdt for half of what is
 * left then, mlp for the rest; a model that is cut off keeps its best so far, one whose time is over
 * before it begins is left out. Time is what makes results differ from run to run; without a cut
 * they are the same. Time of earlier attempts counts. A model that cannot be trained (a loss that it
 * does not have, values that are missing) is left out with its reason.
 *
 * The out `leaderboard` is JSON; metrics of a model are named as linear/valid_loss.
 */
#ifndef FLOW_STAGES_TRAIN_AUTO_H
#define FLOW_STAGES_TRAIN_AUTO_H

#include <flow/plugin.h>

/* As a stage's run(). */
int auto_train(const flow_host *host, flow_ctx *ctx);

#endif
