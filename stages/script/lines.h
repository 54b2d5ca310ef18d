/*
 * script/lines.h - what a program reports while it runs: a file of JSON lines, read as it grows.
 *
 *     struct lines s;
 *     lines_open(&s, path, fault);                      makes the file, empty
 *     while (running)
 *             lines_read(&s, is_last, take, user, fault);
 *     lines_close(&s);
 *
 * A line is {"key": "loss", "value": 0.5, "step": 3} (step may be absent; value null or NaN: not a
 * number), {"progress": 3, "total": 10, "what": "epoch 3"} or {"fail": "why"}. Anything else is an
 * error with the line's number. Only whole lines are taken; what is left when `is_last` is one, too.
 */
#ifndef FLOW_STAGES_SCRIPT_LINE_H
#define FLOW_STAGES_SCRIPT_LINE_H

#include <stddef.h>

#include "common/text.h"

struct fault;

#define LINE_LINE_MAX 65536
#define LINE_KEY_MAX  128
#define LINE_TEXT_MAX 900

enum line_kind { LINE_METRIC, LINE_PROGRESS, LINE_FAIL };

struct line_record {
	enum line_kind kind;
	size_t line;
	char key[LINE_KEY_MAX + 1]; /* metric */
	double value;                 /* metric; of progress: done */
	double total;                 /* progress */
	long step;                    /* metric; -1: none */
	char text[LINE_TEXT_MAX];   /* progress, fail */
};

typedef int line_sink(void *user, const struct line_record *record, struct fault *fault);

struct lines {
	int fd;
	size_t line;       /* that were taken */
	struct text ahead; /* the beginning of a line */
};

int lines_open(struct lines *s, const char *path, struct fault *fault);
int lines_read(struct lines *s, int is_last, line_sink *take, void *user, struct fault *fault);
void lines_close(struct lines *s); /* fd -1: nothing */

#endif
