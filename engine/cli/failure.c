#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "dag/diag.h"

int cli_status(const struct err *e)
{
	switch (e->code) {
	case ERR_INPUT: return EXIT_INVALID;
	case ERR_SYSTEM:
	case ERR_CORRUPT: return EXIT_MACHINE;
	case ERR_NOTFOUND:
	case ERR_USAGE: return EXIT_USAGE;
	case ERR_BUSY: return EXIT_BUSY;
	case ERR_POLICY: return EXIT_REFUSED;
	case ERR_CANCELED: return EXIT_INTERRUPTED;
	}
	return EXIT_BUG;
}

static void json_place(
	struct json *j, const char *file, uint32_t line, uint32_t col, uint32_t width)
{
	json_key_string(j, "file", file[0] != '\0' ? file : NULL);
	json_key_int(j, "line", line);
	json_key_int(j, "col", col);
	json_key_int(j, "end_col", col > 0 ? (int64_t)col + width : 0);
}

static void json_err(struct json *j, const struct err *e)
{
	json_open_object(j);
	json_key_string(j, "code", e->id[0] != '\0' ? e->id : NULL);
	json_place(j, e->file, e->line, e->col, 1);
	json_key_string(j, "message", e->text);
	json_key_string(j, "label", "");
	json_key_string(j, "note", e->hint);
	json_end(j);
}

static void json_diag(struct json *j, const struct diag *d)
{
	json_open_object(j);
	json_key_string(j, "code", d->code);
	json_place(j, d->file, d->line, d->col, d->width);
	json_key_string(j, "message", d->message);
	json_key_string(j, "label", d->label);
	json_key_string(j, "note", d->note);
	json_end(j);
}

static bool wants_json(const struct cli *c)
{
	return c->json || c->progress == PROGRESS_JSON;
}

static void json_errors(struct cli *c, const struct err *e, struct diags *d)
{
	struct json j;
	size_t i;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "errors");
	json_open_array(&j);
	if (e != NULL)
		json_err(&j, e);
	if (d != NULL)
		diags_sort(d);
	for (i = 0; d != NULL && i < d->count; i++)
		json_diag(&j, &d->items[i]);
	json_end(&j);
	json_end(&j);
	screen_str(&c->out, "\n");
}

int cli_fail(struct cli *c, const struct err *e)
{
	if (wants_json(c))
		json_errors(c, e, NULL);
	else
		screen_err(&c->talk, e);
	return cli_status(e);
}

int cli_fail_session(struct cli *c, struct session *s, const struct err *e)
{
	int status = cli_status(e);

	if (s->diags.count == 0 || e->code != ERR_INPUT)
		(void)cli_fail(c, e);
	else if (wants_json(c))
		json_errors(c, NULL, &s->diags);
	else
		screen_diags(&c->talk, &s->diags, c->dag);
	session_close(s);
	return status;
}
