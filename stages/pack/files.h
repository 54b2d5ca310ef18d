/*
 * pack/files.h - the plain files below a folder, in the order of their names.
 *
 *     struct files f;  files_find(&f, folder, fault);
 *     for (i = 0; i < f.count; i++) ...f.file[i].name, f.file[i].size...
 *     files_read(&f, i, &text, fault);               its bytes, appended
 *     files_release(&f);
 *
 * Names are relative to the folder. Links and special files are faults: what they lead to is not
 * what was recorded.
 */
#ifndef FLOW_STAGES_PACK_FILES_H
#define FLOW_STAGES_PACK_FILES_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct text;

#define FILES_DEPTH_MAX 32
#define FILES_MAX       ((size_t)50 << 20)
#define FILES_SIZE_MAX  ((uint64_t)1 << 30) /* of one */

struct files {
	const char *folder; /* borrowed */
	struct file {
		char *name;
		uint64_t size;
	} * file;
	size_t count, room;
	uint64_t size; /* of all */
};

int files_find(struct files *files, const char *folder, struct fault *fault);
int files_read(const struct files *files, size_t index, struct text *bytes, struct fault *fault);
void files_release(struct files *files); /* zeroed: nothing */

#endif
