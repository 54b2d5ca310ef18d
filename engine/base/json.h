/*
 * base/json.h - a streaming JSON writer.
 *
 *     struct json j; json_init(&j, &buf);
 *     json_open_object(&j); json_key(&j, "v"); json_int(&j, 1); json_end(&j);
 * Commas, quotes and escapes are the writer's work. Text that is not UTF-8 has its bad bytes written as U+FFFD, so that the
 * result always is. Numbers that are not finite are written as null. Depth is limited to 62. Reading is jansson's work.
 */
#ifndef FLOW_BASE_JSON_H
#define FLOW_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct json {
	struct buf *out;
	uint64_t more;   /* bit d: the container at depth d has an item already */
	uint64_t object; /* bit d: the container at depth d is an object */
	unsigned depth;
	bool keyed;      /* a key was just written */
};

void json_init(struct json *j, struct buf *out);
void json_open_object(struct json *j);
void json_open_array(struct json *j);
void json_end(struct json *j); /* closes the innermost object or array */
void json_key(struct json *j, const char *key);
void json_text(struct json *j, const char *s);
void json_int(struct json *j, int64_t n);
void json_number(struct json *j, double x); /* shortest text that reads back the same */
void json_bool(struct json *j, bool b);
void json_nothing(struct json *j);
void json_raw(struct json *j, const char *text); /* text is JSON already */

/* Key and value in one call. */
void json_key_string(struct json *j, const char *key, const char *s); /* NULL: null */
void json_key_int(struct json *j, const char *key, int64_t n);
void json_key_number(struct json *j, const char *key, double x);
void json_key_bool(struct json *j, const char *key, bool b);

/* The shortest decimal text of x that reads back as x, with no locale. Needs 32 bytes. */
const char *number_text(double x, char text[32]);

#endif
