/*
 * A trace for programs: flat lists of steps and runs that refer to each other by position, so that depth costs nothing.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "plan/key.h"
#include "report/rows_json.h"
#include "report/trace.h"

/* A value that is stored as JSON, if it is any; else it is given as text. */
static void stored_value(struct json *j, const char *text, size_t len)
{
	json_t *value = json_loadb(text, len, JSON_DECODE_ANY, NULL);

	if (value != NULL && strlen(text) == len)
		json_raw(j, text);
	else
		json_text(j, text);
	json_decref(value);
}

static void part_value(struct json *j, const struct part_view *v, struct arena *a)
{
	const char *text = arena_strndup(a, v->value, v->value_len);
	char hex[DIGEST_HEX];
	struct digest d;

	if (v->part == PART_CODE && v->value_len == DIGEST_SIZE) {
		memcpy(&d, v->value, DIGEST_SIZE);
		json_text(j, digest_hex(&d, hex));
	} else if (v->part == PART_PARAM || v->part == PART_WITH) {
		stored_value(j, text, v->value_len);
	} else {
		json_text(j, text);
	}
}

static void parts_json(struct json *j, const char *key, const struct trace_step *s, enum part part)
{
	struct arena a = { 0 };
	struct part_view view;
	size_t at = 0;

	json_key(j, key);
	json_open_object(j);
	while (parts_next(s->parts, s->parts_len, &at, &view))
		if (view.part == part) {
			json_key(j, arena_strndup(&a, view.name, view.name_len));
			part_value(j, &view, &a);
		}
	json_end(j);
	arena_release(&a);
}

/* The words of an explicit argv stand with NULs between them. */
static void command_json(struct json *j, const struct trace_step *s)
{
	struct arena a = { 0 };
	struct part_view view;
	size_t at = 0, i;

	json_key(j, "command");
	json_open_array(j);
	while (parts_next(s->parts, s->parts_len, &at, &view)) {
		const char *text = arena_strndup(&a, view.value, view.value_len);

		for (i = 0; view.part == PART_COMMAND && view.name_len == 0 && i <= view.value_len;
			i += strlen(text + i) + 1)
			json_text(j, text + i);
	}
	json_end(j);
	arena_release(&a);
}

static void input_json(struct json *j, const struct trace_input *in)
{
	json_open_object(j);
	json_key_string(j, "path", in->path);
	json_key_digest(j, "digest", &in->digest);
	json_key(j, "made_by");
	if (in->maker < TRACE_CUT)
		json_int(j, in->maker);
	else
		json_nothing(j);
	json_key_string(j, "is",
		in->maker == TRACE_SOURCE   ? "source"
		: in->maker == TRACE_PARTLY ? "folder of outs"
		: in->maker == TRACE_CUT    ? "not followed"
					    : "out");
	json_key_string(j, "folder", in->folder);
	json_key_bool(j, "within", in->within);
	json_end(j);
}

static void step_json(struct json *j, const struct trace *t, const struct trace_step *s)
{
	uint32_t i;

	json_open_object(j);
	json_key_int(j, "run", s->run);
	attempt_members(j, &s->attempt, s->attempt.began_ms);
	parts_json(j, "code", s, PART_CODE);
	parts_json(j, "params", s, PART_PARAM);
	parts_json(j, "with", s, PART_WITH);
	parts_json(j, "env", s, PART_ENV);
	command_json(j, s);
	json_key(j, "inputs");
	json_open_array(j);
	for (i = 0; i < s->input_count; i++)
		input_json(j, &t->inputs.items[s->first_input + i]);
	json_end(j);
	json_end(j);
}

void trace_json(struct buf *out, const struct trace *t)
{
	struct json j;
	size_t i;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "artifact");
	json_open_object(&j);
	artifact_members(&j, &t->artifact);
	json_key_int(&j, "made_by", 0);
	json_end(&j);
	json_key(&j, "runs");
	json_open_array(&j);
	for (i = 0; i < t->runs.count; i++)
		run_json(&j, &t->runs.items[i], false, t->runs.items[i].began_ms);
	json_end(&j);
	json_key(&j, "steps");
	json_open_array(&j);
	for (i = 0; i < t->steps.count; i++)
		step_json(&j, t, &t->steps.items[i]);
	json_end(&j);
	json_end(&j);
}
