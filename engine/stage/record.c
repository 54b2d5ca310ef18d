#include "stage/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"

static void append(const char *path, struct buf *line)
{
	int fd;

	buf_char(line, '\n');
	if (path[0] != '\0') {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 || write(fd, line->data, line->len) != (ssize_t)line->len)
			(void)dprintf(2, "flow: cannot write to `%s`: %s\n", path, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
	}
	buf_release(line);
}

void record_fail(const char *path, const struct failure *f)
{
	struct buf line = { 0 };
	struct json j;

	json_init(&j, &line);
	json_open_object(&j);
	json_key_string(&j, "fail", f->text);
	if (f->code != NULL)
		json_key_string(&j, "code", f->code);
	if (f->file != NULL) {
		json_key_string(&j, "file", f->file);
		json_key_int(&j, "line", f->line);
	}
	if (f->trace != NULL)
		json_key_string(&j, "trace", f->trace);
	json_end(&j);
	append(path, &line);
}

void record_metric(const char *path, const char *name, double value, long step)
{
	struct buf line = { 0 };
	struct json j;

	json_init(&j, &line);
	json_open_object(&j);
	json_key_string(&j, "key", name);
	json_key_number(&j, "value", value);
	if (step >= 0)
		json_key_int(&j, "step", step);
	json_end(&j);
	append(path, &line);
}

void record_progress(const char *path, double done, double total, const char *what)
{
	struct buf line = { 0 };
	struct json j;

	json_init(&j, &line);
	json_open_object(&j);
	json_key_number(&j, "progress", done);
	json_key_number(&j, "total", total);
	if (what != NULL)
		json_key_string(&j, "what", what);
	json_end(&j);
	append(path, &line);
}

void record_end(const char *path)
{
	struct buf line = { 0 };

	buf_str(&line, "{\"end\":0}");
	append(path, &line);
}

bool metric_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_./-";
	size_t len = strlen(name);

	return len >= 1 && len <= 128 && strspn(name, allowed) == len;
}
