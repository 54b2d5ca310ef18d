/* flow-shards: see shards.h. flow starts it, with options it has checked. */
#include "shards/shards.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "shards/cell.h"

int shards_fail(int status, const char *format, ...)
{
	struct text line = { 0 };
	char what[1200];
	va_list list;

	va_start(list, format);
	(void)vsnprintf(what, sizeof what, format, list);
	va_end(list);
	cell_name(&line, what);
	(void)fprintf(stderr, "error: %s\n", line.data != NULL ? line.data : "");
	text_release(&line);
	return status;
}

int shards_look(const char *path)
{
	if (access(path, R_OK) == 0)
		return 0;
	return shards_fail(SHARDS_MACHINE, "cannot read '%s': %s", path, strerror(errno));
}

int shards_write(struct text *text, int *status)
{
	size_t done = 0;

	while (done < text->length) {
		ssize_t n = write(STDOUT_FILENO, text->data + done, text->length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*status = errno == EPIPE ? SHARDS_DONE
						 : shards_fail(SHARDS_MACHINE,
							   "cannot write the answer: %s",
							   strerror(errno));
			return -1;
		}
		done += (size_t)n;
	}
	text->length = 0;
	return 0;
}

/* The value of an option that has one; NULL: it is the last word. */
static const char *value_of(char **argv, int argc, int *i)
{
	return *i + 1 < argc ? argv[++*i] : NULL;
}

static int take(struct shards *s, char **argv, int argc, int *i)
{
	const char *option = argv[*i];
	const char *value;

	if (strcmp(option, "--json") == 0) {
		s->json = 1;
	} else if (strcmp(option, "--groups") == 0) {
		s->groups = 1;
	} else {
		value = value_of(argv, argc, i);
		if (value == NULL)
			return -1;
		if (strcmp(option, "--columns") == 0)
			s->columns = value;
		else if (strcmp(option, "--where") == 0 && s->conditions < SHARDS_CONDITIONS_MAX)
			s->where[s->conditions++] = value;
		else if (strcmp(option, "--limit") == 0)
			s->limit = strtoull(value, NULL, 10);
		else if (strcmp(option, "--format") == 0)
			s->json = strcmp(value, "jsonl") == 0;
		else
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct shards s = { .limit = UINT64_MAX };
	int i = 2;

	(void)signal(SIGPIPE, SIG_IGN);
	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (take(&s, argv, argc, &i) < 0)
			return shards_fail(SHARDS_USAGE, "`%s` is not understood here", argv[i]);
	}
	if (i >= argc)
		return shards_fail(SHARDS_USAGE, "flow-shards is started by flow: `flow shards ls`");
	s.file = (const char *const *)&argv[i];
	s.files = (size_t)(argc - i);
	if (strcmp(argv[1], "ls") == 0)
		return shards_list(&s);
	if (strcmp(argv[1], "cat") == 0)
		return shards_print(&s);
	return shards_verify(&s);
}
