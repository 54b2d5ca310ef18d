/*
 * unpack/unpack.h - the stage that makes files of a shard: of its rows, or of its columns.
 */
#ifndef FLOW_STAGES_UNPACK_UNPACK_H
#define FLOW_STAGES_UNPACK_UNPACK_H

#include <flow/plugin.h>

extern const flow_stage stage_unpack;

#endif
