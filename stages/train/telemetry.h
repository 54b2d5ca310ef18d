/*
 * train/telemetry.h - what a training tells about itself, beside its losses.
 *
 * Metrics by epoch, of session.c: loss, lr, samples_per_second, data_wait (per cent of the time), and
 * with validation rows valid_loss and valid_accuracy (classes) or valid_rmse. By step, each metric_every steps: step_loss, step_lr,
 * step_gradient_norm (before it is clipped), step_samples_per_second, step_data_wait (per cent of
 * the time) and step_memory_peak (the most bytes the process had in memory, mapped data with them).
 * At the end: what was chosen, how large it is, and which epoch was the best. memory_net is the
 * bytes of the net, of the runs of its optimiser and of a batch; checkpoint_stall the seconds in
 * which training waited for checkpoints.
 */
#ifndef FLOW_STAGES_TRAIN_TELEMETRY_H
#define FLOW_STAGES_TRAIN_TELEMETRY_H

struct session;

/* Of the steps since the last call, `now` being the time on the session's clock. */
void telemetry_steps(struct session *s, double rate, double now);
void telemetry_end(const struct session *s);

#endif
