/*
 * report/artifactpage.h - one artifact: who made it, where it is, who used it.
 *
 *     struct artifactpage page;
 *     artifactpage_make(&page, &db, &project, &artifact, &arena, e)     artifact: of report/find.h
 *     artifactpage_json(&buf, &page, clock_wall_ms())
 *
 * Users are looked for among the tasks of the last run and of the run that made it.
 */
#ifndef FLOW_REPORT_ARTIFACTPAGE_H
#define FLOW_REPORT_ARTIFACTPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/artifacts.h"
#include "store/runs.h"
#include "store/tasks.h"

struct arena;
struct buf;
struct db;
struct err;
struct project;

/* An attempt that had it among its inputs. */
struct user_record {
	struct attempt_record attempt;
	const char *path;          /* of the input: the artifact's own, a file inside it or a folder around it */
};

struct user_list {
	struct user_record *items;
	size_t count, cap;
};

struct artifactpage {
	struct artifact_record artifact;
	struct attempt_record attempt;
	struct run_record run;
	bool stored;               /* can be brought back from the object store */
	struct user_list users;
};

int artifactpage_make(struct artifactpage *out, struct db *db, const struct project *p, const struct artifact_record *artifact,
	struct arena *a, struct err *e);
void artifactpage_json(struct buf *out, const struct artifactpage *page, int64_t now_ms);

#endif
