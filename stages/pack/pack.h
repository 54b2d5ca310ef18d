/*
 * pack/pack.h - the stage that makes one file of many: a shard, or tar files as WebDataset wants.
 */
#ifndef FLOW_STAGES_PACK_PACK_H
#define FLOW_STAGES_PACK_PACK_H

#include <flow/plugin.h>

extern const flow_stage stage_pack;

#endif
