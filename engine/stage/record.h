/*
 * stage/record.h - what a plugin or a Lua script says about its attempt, as lines of JSON in the report file.
 *
 *     {"key":K,"value":X,"step":N}   a metric; no step: of the whole run; value null: not a finite number
 *     {"progress":D,"total":T,"what":S}
 *     {"fail":WHY,"code":"E0602","file":F,"line":N,"trace":T}   the first is why the attempt failed
 *     {"end":0}                      run() has returned; without it the stage left in a way of its own
 * Each is appended by one write to the file, which is opened anew each time: a stage that closes or scribbles over
 * descriptors can lose its own log, not its report. A record that cannot be written is told in the log. path "" drops them.
 */
#ifndef FLOW_STAGE_RECORD_H
#define FLOW_STAGE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/* Why an attempt failed. Only text is needed. */
struct failure {
	const char *code; /* "E0602" or NULL */
	const char *text;
	const char *file; /* as the user knows it, or NULL */
	const char *trace;
	uint32_t line;
};

void record_fail(const char *path, const struct failure *f);
void record_metric(const char *path, const char *name, double value, long step);
void record_progress(const char *path, double done, double total, const char *what);
void record_end(const char *path);

/* [A-Za-z0-9_./-]{1,128} */
bool metric_name_is_valid(const char *name);

#endif
