/*
 * unpack/array.h - a column of a shard as an NPY file.
 *
 * Shape is (rows,) or (rows, dimensions...). Missing floats are NaN; a missing whole number or category
 * is a fault, since an array cannot say so. Categories are int64: the trainer's classes.
 */
#ifndef FLOW_STAGES_UNPACK_ARRAY_H
#define FLOW_STAGES_UNPACK_ARRAY_H

struct fault;
struct shard;

int array_write(const char *path, const struct shard *shard, const char *name, struct fault *fault);

#endif
