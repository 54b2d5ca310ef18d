#include "common/jsonout.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

static void break_line(struct jsonout *json)
{
	text_format(json->out, "\n%*s", (int)json->depth * 2, "");
}

/* What stands between the last thing and the next value or key. */
static void separate(struct jsonout *json)
{
	if (json->keyed || json->depth == 0) {
		json->keyed = 0;
		return;
	}
	if (json->level[json->depth - 1].used)
		text_add(json->out, ",", 1);
	if (json->level[json->depth - 1].tall)
		break_line(json);
	else if (json->level[json->depth - 1].used && !json->compact)
		text_add(json->out, " ", 1);
	json->level[json->depth - 1].used = 1;
}

static void open_level(struct jsonout *json, char kind, int tall)
{
	assert(json->depth < JSONOUT_DEPTH_MAX);
	separate(json);
	text_add(json->out, &kind, 1);
	json->level[json->depth].close = kind == '{' ? '}' : ']';
	json->level[json->depth].tall = tall && !json->compact;
	json->level[json->depth].used = 0;
	json->depth++;
}

void jsonout_open(struct jsonout *json, char kind)
{
	open_level(json, kind, kind == '{');
}

void jsonout_open_tall(struct jsonout *json, char kind)
{
	open_level(json, kind, 1);
}

void jsonout_open_flat(struct jsonout *json, char kind)
{
	open_level(json, kind, 0);
}

void jsonout_close(struct jsonout *json)
{
	assert(json->depth > 0);
	json->depth--;
	if (json->level[json->depth].tall && json->level[json->depth].used)
		break_line(json);
	text_add(json->out, &json->level[json->depth].close, 1);
}

static void quote(struct text *out, const char *text)
{
	text_add(out, "\"", 1);
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			text_format(out, "\\%c", *at);
		else if ((unsigned char)*at < 0x20)
			text_format(out, "\\u%04x", (unsigned)(unsigned char)*at);
		else
			text_add(out, at, 1);
	}
	text_add(out, "\"", 1);
}

void jsonout_key(struct jsonout *json, const char *key)
{
	separate(json);
	quote(json->out, key);
	if (json->compact)
		text_add(json->out, ":", 1);
	else
		text_add(json->out, ": ", 2);
	json->keyed = 1;
}

void jsonout_string(struct jsonout *json, const char *text)
{
	separate(json);
	quote(json->out, text);
}

void jsonout_integer(struct jsonout *json, uint64_t value)
{
	separate(json);
	text_format(json->out, "%" PRIu64, value);
}

void jsonout_number(struct jsonout *json, double value)
{
	char text[40];

	separate(json);
	if (!isfinite(value)) {
		text_add(json->out, "null", 4);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, value);
		if (fabs(strtod(text, NULL) - value) <= 0)
			break;
	}
	text_add(json->out, text, strlen(text));
}

void jsonout_figure(struct jsonout *json, const char *key, double value)
{
	jsonout_key(json, key);
	jsonout_number(json, value);
}

void jsonout_text(struct jsonout *json, const char *key, const char *text)
{
	jsonout_key(json, key);
	jsonout_string(json, text);
}

int jsonout_save(struct jsonout *json, const char *path, struct fault *fault)
{
	int rc;

	text_add(json->out, "\n", 1);
	rc = output_file(path, json->out->data, json->out->length, fault);
	text_release(json->out);
	return rc;
}
