/*
 * select/select.h - the stage that keeps the columns that tell something, or makes few of many.
 */
#ifndef FLOW_STAGES_SELECT_SELECT_H
#define FLOW_STAGES_SELECT_SELECT_H

#include <flow/plugin.h>

extern const flow_stage stage_select;

#endif
