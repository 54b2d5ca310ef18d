/*
 * run/telemetry.h - what an attempt says while it runs: the records of its report file (FLOW_METRICS).
 *
 *     telemetry_read(&t, flow_fd, path, sink, user, e)     call now and then, and once more at the end
 *     telemetry_release(&t)
 *
 * The file is NDJSON, one record a line: {"key","value","step"} a metric, {"progress","total","what"}, {"fail"} why a plugin
 * or script failed, {"end"} it returned. Lines that are none of these are counted and skipped: the file is the user's to write.
 * Only whole lines are taken; the rest waits for the next call. At most TELEMETRY_MAX bytes of an attempt are read.
 */
#ifndef FLOW_RUN_TELEMETRY_H
#define FLOW_RUN_TELEMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct redactor;

#define TELEMETRY_MAX (UINT64_C(256) << 20)

struct metric {
	const char *name;
	double value;      /* NaN for null */
	int64_t step;      /* -1: of the attempt as a whole */
};

struct telemetry {
	const struct redactor *redactor; /* of secrets; they are not told. NULL: none */
	uint64_t offset;   /* read so far */
	struct buf partial; /* a line that has not ended */
	bool skipping;     /* it is too long to be one of ours */
	struct buf what;   /* last progress text */
	struct buf fail;   /* first reason of a failure, "" when there is none */
	char code[8];      /* its error code, or "" */
	double done, total; /* last progress; total 0: none */
	bool ended;        /* run() returned */
	uint32_t bad_lines;
};

typedef int metric_sink(void *user, const struct metric *m, struct err *e);

int telemetry_read(struct telemetry *t, int flow_fd, const char *path, metric_sink *sink, void *user, struct err *e);
void telemetry_release(struct telemetry *t);

/* The numbers of a metrics file (a JSON object), by dotted name. A file that is not JSON is ERR_INPUT with line and column. */
int metrics_of_file(int dir, const char *path, metric_sink *sink, void *user, struct err *e);

#endif
