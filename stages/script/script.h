/*
 * script/script.h - the stage that runs the user's own training program, in any language.
 *
 * The program gets its inputs, outputs, checkpoint folder, seed and lease from the environment, as a
 * command does. Beyond that the stage reads what the program reports (lines.h), so that a line that
 * is wrong is an error with its number, and tells it to stop when the watched metric no longer gets
 * better (watch.h). launch.c starts it.
 *
 * A program that fails takes the stage along with the same exit status or signal, so that the rules
 * of `retry.on` mean the program.
 */
#ifndef FLOW_STAGES_SCRIPT_SCRIPT_H
#define FLOW_STAGES_SCRIPT_SCRIPT_H

#include <flow/plugin.h>

extern const flow_stage stage_script;

#endif
