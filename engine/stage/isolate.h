/*
 * stage/isolate.h - a private view of the project for a command: it reads everything, what it writes is caught.
 *
 *     isolate_make(&view, arena, e)          in the worker: the folders upper/ and work/ in the attempt's own
 *     isolate_enter(&view, text)             in the forked child, before it becomes the program; NULL, or why it cannot be
 *
 * The project's folder becomes an overlay (Linux overlayfs in a user namespace, no privilege needed): below it the project as it is,
 * above it workdir/upper, which holds afterwards exactly what was written; what was removed is there as a character device 0,0. The
 * attempt's own folder is mounted through, so that its report and TMPDIR are real. The declared outs are removed from the view
 * first: an attempt begins in a clean place. Where the kernel or its settings refuse, that is said, and nothing runs.
 */
#ifndef FLOW_STAGE_ISOLATE_H
#define FLOW_STAGE_ISOLATE_H

#include "stage/wire.h"

struct arena;
struct err;

#define ISOLATE_TEXT 256

struct isolate {
	const char *root;      /* the project's folder, absolute */
	const char *workdir;   /* the attempt's folder, relative to it */
	struct wire_words outs; /* paths in the project */
	const char *options;   /* of the mount; set by isolate_make */
	const char *mount_point; /* workdir, absolute; set by isolate_make */
};

int isolate_make(struct isolate *v, struct arena *a, struct err *e);
const char *isolate_enter(const struct isolate *v, char text[ISOLATE_TEXT]);

#endif
