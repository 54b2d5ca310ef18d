/*
 * report/find.h - from what a user calls an artifact to the artifact.
 *
 *     artifact_resolve(&db, "/home/u/project", "train:model", &arena, &artifact, e)
 *
 * A reference is, in the order they are tried: a path; RUN:TASK:OUT; TASK:OUT; RUN:PATH; the name of an out that only one task has; the first
 * six or more hex digits of a digest. Where several attempts made it, the last run decides, then the last success of each task,
 * then the newest. ERR_NOTFOUND, or ERR_USAGE naming the candidates when it is ambiguous; both have a hint.
 */
#ifndef FLOW_REPORT_FIND_H
#define FLOW_REPORT_FIND_H

struct arena;
struct artifact_record;
struct db;
struct err;

/* root: the project's folder, for absolute paths; NULL: there are none. */
int artifact_resolve(struct db *db, const char *root, const char *ref, struct arena *a, struct artifact_record *out,
	struct err *e);

#endif
