#include "run/telemetry.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/err.h"
#include "base/file.h"
#include "base/redact.h"

#define METRICS_FILE_MAX ((size_t)16 << 20)
#define RECORD_MAX       ((size_t)1 << 20) /* bytes of a line; longer ones are skipped */
#define READ_AT_ONCE     65536u
#define NAME_MAX_BYTES   128u
#define DEPTH_MAX        16

static bool name_is_metric(const char *name)
{
	size_t n = strlen(name), i;

	for (i = 0; i < n; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return n >= 1 && n <= NAME_MAX_BYTES;
}

static void take_progress(struct telemetry *t, const json_t *record)
{
	const json_t *what = json_object_get(record, "what");

	t->done = json_number_value(json_object_get(record, "progress"));
	t->total = json_number_value(json_object_get(record, "total"));
	buf_clear(&t->what);
	if (json_is_string(what))
		buf_str(&t->what, json_string_value(what));
}

static void take_failure(struct telemetry *t, const json_t *record)
{
	const char *code = json_string_value(json_object_get(record, "code"));

	if (t->fail.len > 0)
		return;
	buf_str(&t->fail, json_string_value(json_object_get(record, "fail")));
	(void)snprintf(t->code, sizeof t->code, "%s", code != NULL ? code : "");
}

static int take_record(
	struct telemetry *t, const json_t *record, metric_sink *sink, void *user, struct err *e)
{
	const json_t *key = json_object_get(record, "key"), *step = json_object_get(record, "step");
	const json_t *value = json_object_get(record, "value");
	struct metric m = { .step = -1 };

	if (json_is_string(key) && (json_is_number(value) || json_is_null(value)) &&
		name_is_metric(json_string_value(key))) {
		m.name = json_string_value(key);
		m.value = json_is_null(value) ? (double)NAN : json_number_value(value);
		if (json_is_integer(step) && json_integer_value(step) >= 0)
			m.step = json_integer_value(step);
		return sink(user, &m, e);
	}
	if (json_is_number(json_object_get(record, "progress")))
		take_progress(t, record);
	else if (json_is_string(json_object_get(record, "fail")))
		take_failure(t, record);
	else if (json_object_get(record, "end") != NULL)
		t->ended = true;
	else
		t->bad_lines++;
	return 0;
}

/* The record without secrets. */
static json_t *parse_line(const struct telemetry *t, const char *line, size_t len)
{
	struct redaction stream = { 0 };
	struct buf clean = { 0 };
	json_t *record;

	if (t->redactor == NULL || redactor_is_empty(t->redactor))
		return json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	redact(t->redactor, &stream, line, len, &clean);
	redact_end(t->redactor, &stream, &clean);
	record = json_loadb(buf_text(&clean), clean.len, JSON_REJECT_DUPLICATES, NULL);
	redaction_release(&stream);
	buf_release(&clean);
	return record;
}

static int take_line(struct telemetry *t, const char *line, size_t len, metric_sink *sink,
	void *user, struct err *e)
{
	json_t *record;
	int rc = 0;

	if (len == 0)
		return 0;
	record = parse_line(t, line, len);
	if (json_is_object(record))
		rc = take_record(t, record, sink, user, e);
	else
		t->bad_lines++;
	json_decref(record);
	return rc;
}

static int take_lines(struct telemetry *t, metric_sink *sink, void *user, struct err *e)
{
	const char *at = t->partial.data, *end = at + t->partial.len, *newline;
	size_t left;
	int rc = 0;

	while (rc == 0 && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (!t->skipping)
			rc = take_line(t, at, (size_t)(newline - at), sink, user, e);
		t->skipping = false;
		at = newline + 1;
	}
	left = (size_t)(end - at);
	if (left > RECORD_MAX && !t->skipping) {
		t->bad_lines++;
		t->skipping = true;
	}
	if (t->skipping)
		left = 0;
	memmove(t->partial.data, at, left);
	t->partial.len = left;
	return rc;
}

int telemetry_read(struct telemetry *t, int flow_fd, const char *path, metric_sink *sink,
	void *user, struct err *e)
{
	int fd = openat(flow_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc = 0;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == EIO || errno == ENOMEM))
		return err_system(e, "cannot read what it reported");
	if (fd < 0)
		return 0; /* it has said nothing */
	while (rc == 0 && t->offset < TELEMETRY_MAX) {
		size_t left = t->partial.cap - t->partial.len, room = left > READ_AT_ONCE / 2 ? left - 1 : READ_AT_ONCE;
		ssize_t n = pread(fd, buf_room(&t->partial, room), room, (off_t)t->offset);

		if (n <= 0)
			break;
		t->partial.len += (size_t)n;
		t->offset += (uint64_t)n;
		rc = take_lines(t, sink, user, e);
	}
	close(fd);
	return rc;
}

void telemetry_release(struct telemetry *t)
{
	buf_release(&t->partial);
	buf_release(&t->what);
	buf_release(&t->fail);
}

static int walk(const json_t *value, struct buf *name, int depth, metric_sink *sink, void *user,
	struct err *e)
{
	struct metric m = { .step = -1 };
	size_t len = name->len;
	const char *key;
	json_t *child;
	int rc = 0;

	if (json_is_number(value) && name_is_metric(buf_text(name))) {
		m.name = buf_text(name);
		m.value = json_number_value(value);
		return sink(user, &m, e);
	}
	if (!json_is_object(value) || depth > DEPTH_MAX)
		return 0;
	json_object_foreach((json_t *)(size_t)value, key, child)
	{
		if (rc < 0)
			break;
		if (len > 0)
			buf_char(name, '.');
		buf_str(name, key);
		rc = walk(child, name, depth + 1, sink, user, e);
		name->len = len;
		name->data[len] = '\0';
	}
	return rc;
}

int metrics_of_file(int dir, const char *path, metric_sink *sink, void *user, struct err *e)
{
	struct buf text = { 0 }, name = { 0 };
	json_error_t fault;
	json_t *value = NULL;
	int rc = file_read(&text, dir, path, METRICS_FILE_MAX, e);

	if (rc == 0 && (value = json_loadb(text.data, text.len, 0, &fault)) == NULL) {
		err_set(e, ERR_INPUT, "metrics file `%s`, line %d, column %d: %s", path, fault.line,
			fault.column, fault.text);
		err_hint(e, "a metrics file is a JSON object of numbers, nested as you like");
		rc = err_id(e, "E0410");
	}
	if (rc == 0 && !json_is_object(value)) {
		err_set(e, ERR_INPUT, "metrics file `%s`, line 1: not a JSON object", path);
		rc = err_id(e, "E0410");
	}
	if (rc == 0) {
		buf_str(&name, "");
		rc = walk(value, &name, 0, sink, user, e);
	}
	json_decref(value);
	buf_release(&text);
	buf_release(&name);
	return rc;
}
