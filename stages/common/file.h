/*
 * common/file.h - whole files: read by mapping, written all or nothing.
 *
 *     struct mapped m;  mapped_open(&m, path, fault);  ...m.data, m.size...  mapped_close(&m);
 *     struct output o;  output_open(&o, path, fault);
 *     output_write(&o, data, size);  output_commit(&o, fault);
 *
 * An output is written beside its path and renamed there by output_commit(); output_abandon()
 * removes it and may follow a commit, where it does nothing, so that it can stand at the one `out`
 * label. A write that fails is remembered and told by output_commit(). flow itself makes the bytes
 * durable when it records the attempt, so nothing is synced here.
 */
#ifndef FLOW_STAGES_COMMON_FILE_H
#define FLOW_STAGES_COMMON_FILE_H

#include <stddef.h>
#include <stdio.h>

struct fault;

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the tensor and index files are little-endian and are read in place"
#endif

struct mapped {
	const unsigned char *data; /* NULL: closed, or an empty file */
	size_t size;
};

int mapped_open(struct mapped *mapped, const char *path, struct fault *fault);
void mapped_close(struct mapped *mapped); /* zeroed: nothing */
/* Those bytes of a mapping are wanted soon: the kernel begins to read them, and nobody waits. */
void mapped_expect(const void *data, size_t size);
/* It will be read here and there: what lies around is not to be read as well. */
void mapped_scattered(const struct mapped *mapped);

struct output {
	FILE *stream; /* NULL: committed or abandoned */
	char *path;   /* what it will be called */
	char *part;   /* what it is called until then */
	int error;    /* errno of the first write that failed, or 0 */
	int is_durable; /* 1, set after output_open(): synced before it gets its name */
};

int output_open(struct output *output, const char *path, struct fault *fault);
void output_write(struct output *output, const void *data, size_t size);
int output_commit(struct output *output, struct fault *fault);
void output_abandon(struct output *output);

/* The four in one, for what is in memory already. */
int output_file(const char *path, const void *data, size_t size, struct fault *fault);

#endif
