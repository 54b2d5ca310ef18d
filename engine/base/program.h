/*
 * base/program.h - where a program that belongs to this one lies.
 *
 *     path = program_path(&arena, "flow-worker");
 * Beside the executable that is running, above it (test programs), or in libexec/flow of the same prefix. Where none of them has
 * it, the path beside the executable is the answer: starting it then tells what is missing. The path lives in the arena.
 */
#ifndef FLOW_BASE_PROGRAM_H
#define FLOW_BASE_PROGRAM_H

struct arena;

const char *program_path(struct arena *a, const char *name);

#endif
