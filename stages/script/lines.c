#include "script/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/jsonin.h"

#define WANTED "wanted is {\"key\": \"loss\", \"value\": 0.5, \"step\": 3}"

/* Which members a line had. */
struct seen {
	int key, value, step, progress, total, what, fail;
};

int lines_open(struct lines *s, const char *path, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return fault_system(fault, "cannot make '%s'", path);
	*s = (struct lines){ .fd = fd };
	return 0;
}

void lines_close(struct lines *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	text_release(&s->ahead);
	s->fd = -1;
}

/* A number, or what Python writes for one that is none: NaN, Infinity, null. */
static int take_value(double *value, struct jsonin *in, struct fault *fault)
{
	static const char *const none[] = { "NaN", "Infinity", "-Infinity", "null" };

	(void)jsonin_peek(in);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		size_t length = strlen(none[i]);

		if ((size_t)(in->end - in->at) >= length && memcmp(in->at, none[i], length) == 0) {
			in->at += length;
			*value = (double)NAN;
			return 0;
		}
	}
	return jsonin_number(in, value, fault);
}

static int take_step(long *step, struct jsonin *in, struct fault *fault)
{
	uint64_t number;

	if (jsonin_peek(in) == 'n')
		return jsonin_skip(in, fault); /* null: of the whole */
	if (jsonin_integer(in, &number, fault) < 0)
		return -1;
	if (number > 1000000000000000u)
		return fault_set(fault, "a step of %llu", (unsigned long long)number);
	*step = (long)number;
	return 0;
}

static int take_member(struct line_record *r, struct seen *seen, const char *name,
	struct jsonin *in, struct fault *fault)
{
	if (strcmp(name, "key") == 0 && !seen->key++)
		return jsonin_string(in, r->key, sizeof r->key, fault);
	if (strcmp(name, "value") == 0 && !seen->value++)
		return take_value(&r->value, in, fault);
	if (strcmp(name, "step") == 0 && !seen->step++)
		return take_step(&r->step, in, fault);
	if (strcmp(name, "progress") == 0 && !seen->progress++)
		return jsonin_number(in, &r->value, fault);
	if (strcmp(name, "total") == 0 && !seen->total++)
		return jsonin_number(in, &r->total, fault);
	if ((strcmp(name, "what") == 0 && !seen->what++) ||
		(strcmp(name, "fail") == 0 && !seen->fail++))
		return jsonin_string(in, r->text, sizeof r->text, fault);
	return fault_set(fault, "'%s' is not one of its keys, or is there twice", name);
}

static int check_name(const char *name, struct fault *fault)
{
	size_t good = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_./-");

	if (name[0] == '\0' || name[good] != '\0')
		return fault_set(fault, "'%s' is no name for a metric: use letters, digits and _ . / -",
			name);
	return 0;
}

static int check(struct line_record *r, const struct seen *seen, struct fault *fault)
{
	if (seen->fail && !seen->key && !seen->value && !seen->progress) {
		r->kind = LINE_FAIL;
		return 0;
	}
	if (seen->progress && !seen->key && !seen->value) {
		r->kind = LINE_PROGRESS;
		if (r->value < 0 || r->total < 0)
			return fault_set(fault, "progress and total are from 0 up");
		r->total = r->total < r->value ? r->value : r->total;
		return 0;
	}
	if (!seen->key || !seen->value || seen->progress || seen->fail)
		return fault_set(fault, "it has no 'key' with a 'value'");
	r->kind = LINE_METRIC;
	return check_name(r->key, fault);
}

static int parse(struct line_record *r, const char *line, size_t length, struct fault *fault)
{
	struct seen seen = { 0 };
	struct jsonin in;
	char name[32];
	int more;

	jsonin_begin(&in, line, length);
	if (jsonin_enter(&in, '{', fault) < 0)
		return -1;
	while ((more = jsonin_key(&in, name, sizeof name, fault)) == 1)
		if (take_member(r, &seen, name, &in, fault) < 0)
			return -1;
	return more < 0 ? -1 : check(r, &seen, fault);
}

static int take_line(struct lines *s, const char *line, size_t length, line_sink *take,
	void *user, struct fault *fault)
{
	struct line_record r = { .line = ++s->line, .step = -1 };
	struct fault why = { "" };

	if (strspn(line, " \t\r") >= length)
		return 0;
	if (parse(&r, line, length, &why) < 0)
		return fault_set(fault, "line %zu of FLOW_METRICS is '%.*s': %s; " WANTED, s->line,
			length < 80 ? (int)length : 80, line, why.text);
	return take(user, &r, fault);
}

/* All whole lines of s->ahead; what is behind the last of them stays. */
static int take_lines(struct lines *s, line_sink *take, void *user, struct fault *fault)
{
	char *at = s->ahead.data, *newline;
	size_t left = s->ahead.length;
	int rc = 0;

	while (rc == 0 && left > 0 && (newline = memchr(at, '\n', left)) != NULL) {
		*newline = '\0';
		rc = take_line(s, at, (size_t)(newline - at), take, user, fault);
		left -= (size_t)(newline + 1 - at);
		at = newline + 1;
	}
	if (rc == 0 && left > LINE_LINE_MAX)
		rc = fault_set(fault, "line %zu of FLOW_METRICS is longer than %d bytes; " WANTED,
			s->line + 1, LINE_LINE_MAX);
	if (left > 0)
		memmove(s->ahead.data, at, left);
	s->ahead.length = left;
	return rc;
}

int lines_read(struct lines *s, int is_last, line_sink *take, void *user, struct fault *fault)
{
	char more[16384];
	ssize_t got;
	int rc = 0;

	while (rc == 0 && (got = read(s->fd, more, sizeof more)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_system(fault, "cannot read FLOW_METRICS");
		text_add(&s->ahead, more, (size_t)got);
		rc = take_lines(s, take, user, fault);
	}
	if (rc == 0 && is_last && s->ahead.length > 0) {
		text_add(&s->ahead, "\n", 1);
		rc = take_lines(s, take, user, fault);
	}
	return rc;
}
