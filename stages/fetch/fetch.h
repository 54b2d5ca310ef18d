/*
 * fetch/fetch.h - the stage that gets a file from the network, or from the project.
 */
#ifndef FLOW_STAGES_FETCH_FETCH_H
#define FLOW_STAGES_FETCH_FETCH_H

#include <flow/plugin.h>

extern const flow_stage stage_fetch;

#endif
