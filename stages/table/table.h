/*
 * table/table.h - the stage that makes typed columns of files: CSV, JSON lines, NPY, IDX, shards.
 */
#ifndef FLOW_STAGES_TABLE_TABLE_H
#define FLOW_STAGES_TABLE_TABLE_H

#include <flow/plugin.h>

extern const flow_stage stage_table;

#endif
