/*
 * common/stream.h - the bytes of a file one after the other, unpacked when it is gzip or zstd.
 *
 *     struct stream s;  stream_open(&s, path, fault);
 *     while ((got = stream_read(&s, buffer, size, fault)) > 0) ...
 *     stream_close(&s);
 *
 * What it is, the first bytes say, not the name. Packed files of several members are read on; one
 * that ends too early is a fault, never an end. Memory is bounded whatever the file says.
 */
#ifndef FLOW_STAGES_COMMON_STREAM_H
#define FLOW_STAGES_COMMON_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct unpacker;

struct stream {
	int fd;
	const char *path;          /* borrowed */
	uint64_t size;             /* of the file; 0 when it is no plain file */
	uint64_t taken;            /* bytes of the file so far: how far along it is */
	struct unpacker *unpacker; /* NULL: plain */
	unsigned char *first;      /* looked at already, to be given out first */
	size_t first_at, first_size;
};

int stream_open(struct stream *stream, const char *path, struct fault *fault);
/* As many bytes as asked for, fewer only at the end; 0: the end; -1: a fault. */
long stream_read(struct stream *stream, void *to, size_t size, struct fault *fault);
void stream_close(struct stream *stream); /* zeroed: nothing */

#endif
