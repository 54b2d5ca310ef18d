/*
 * report/rows_json.h - rows of the journal as JSON: the same names for the same things in every answer.
 *
 * Times are RFC 3339 in UTC, sizes bytes, digests 64 hex digits; what is not known is null. States are the journal's words.
 */
#ifndef FLOW_REPORT_ROWS_JSON_H
#define FLOW_REPORT_ROWS_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct artifact_record;
struct attempt_record;
struct task_record;
struct digest;
struct json;
struct measure;
struct run_record;

void json_key_time(struct json *j, const char *key, int64_t wall_ms);       /* 0: null */
void json_key_digest(struct json *j, const char *key, const struct digest *d); /* zero: null */

/* Members of an object that the caller has opened and will end. */
void run_members(struct json *j, const struct run_record *r, bool alive, int64_t now_ms);
void attempt_members(struct json *j, const struct attempt_record *r, int64_t now_ms);
void artifact_members(struct json *j, const struct artifact_record *r);
void measure_members(struct json *j, const struct measure *m);

/* Whole objects. */
void run_json(struct json *j, const struct run_record *r, bool alive, int64_t now_ms);
void attempt_json(struct json *j, const struct attempt_record *r, int64_t now_ms);
void last_attempt_json(struct json *j, const struct task_record *t, int64_t now_ms); /* member "last": null when it was not tried */

#endif
