/*
 * transform/transform.h - the stage that fits a recipe to some rows of a table and applies it to all.
 */
#ifndef FLOW_STAGES_TRANSFORM_TRANSFORM_H
#define FLOW_STAGES_TRANSFORM_TRANSFORM_H

#include <flow/plugin.h>

extern const flow_stage stage_transform;

#endif
