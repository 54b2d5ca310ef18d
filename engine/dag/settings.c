#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "dag/reader.h"
#include "dag/spec.h"

#define LOG_BYTES (UINT64_C(256) << 20)
#define LOG_LEAST (UINT64_C(1) << 20)

static const struct {
	const char *name;
	uint32_t bit;
} causes[] = {
	{ "error", RETRY_ERROR },
	{ "signal", RETRY_SIGNAL },
	{ "timeout", RETRY_TIMEOUT },
	{ "oom", RETRY_OOM },
	{ "lost", RETRY_LOST },
	{ "missing_out", RETRY_MISSING_OUT },
};

#define OPEN_FILES_LEAST 16 /* fewer, and not even a shell starts */

#define CAUSES (sizeof causes / sizeof causes[0])

void settings_init(struct settings *s)
{
	memset(s, 0, sizeof *s);
	s->cpu_milli = 1000;
	s->log_bytes = LOG_BYTES;
	s->retry.on = RETRY_ERROR | RETRY_SIGNAL | RETRY_TIMEOUT | RETRY_OOM | RETRY_LOST;
	s->retry.delay_ms = 1000;
	s->retry.max_delay_ms = 600 * 1000;
	s->retry.backoff = 2;
	s->retry.jitter = 1;
	s->retry.scale_mem = s->retry.scale_timeout = 1;
}

/* `exit:75`: 1 to 255. */
static bool read_exit(const char *text, uint64_t codes[4])
{
	char *end;
	long code;

	if (strncmp(text, "exit:", 5) != 0 || text[5] < '0' || text[5] > '9')
		return false;
	code = strtol(text + 5, &end, 10);
	if (*end != '\0' || code < 1 || code > 255)
		return false;
	codes[code / 64] |= UINT64_C(1) << (code % 64);
	return true;
}

static void read_cause(struct reader *r, const struct yaml *item, struct retry *retry)
{
	struct diag *diag;
	struct near near;
	size_t i;

	if (!yaml_is_scalar(item)) {
		reader_type(r, item, "on", "a list of names");
		return;
	}
	near_start(&near, item->text);
	for (i = 0; i < CAUSES; i++) {
		near_offer(&near, causes[i].name);
		if (strcmp(item->text, causes[i].name) == 0) {
			retry->on |= causes[i].bit;
			return;
		}
	}
	if (read_exit(item->text, retry->exit_codes))
		return;
	if (strcmp(item->text, "gpu_oom") == 0) {
		diag_add(r->diags, "E0111", yaml_place(item),
			"`gpu_oom` is not supported by this version of flow");
		return;
	}
	diag = diag_add(r->diags, "E0110", yaml_place(item),
		"`on`: `%.60s` is not a kind of failure", item->text);
	if (near.best != NULL)
		diag_label(r->diags, diag, "did you mean `%s`?", near.best);
	diag_note(r->diags, diag,
		"known are error, signal, timeout, oom, lost, missing_out and exit:1 to exit:255");
}

static void read_causes(struct reader *r, const struct yaml *value, struct retry *retry)
{
	uint32_t i;

	if (value == NULL)
		return;
	retry->on = 0;
	memset(retry->exit_codes, 0, sizeof retry->exit_codes);
	if (yaml_is_scalar(value))
		read_cause(r, value, retry);
	for (i = 0; value->type == YAML_LIST && i < value->count; i++)
		read_cause(r, yaml_item(value, i), retry);
}

static void read_scale(struct reader *r, const struct yaml *map, struct retry *retry)
{
	const struct yaml *values[KEY_COUNT];

	if (map == NULL)
		return;
	reader_map(r, map, KEY_SCALE, "`scale`", values);
	reader_number(r, values[KEY_SCALE_mem], "mem", 1, 100, &retry->scale_mem);
	reader_number(r, values[KEY_SCALE_timeout], "timeout", 1, 100, &retry->scale_timeout);
}

void settings_retry(struct reader *r, const struct yaml *map, struct settings *s)
{
	const struct yaml *values[KEY_COUNT];
	struct retry *retry = &s->retry;

	if (map == NULL)
		return;
	if (yaml_is_scalar(map)) { /* `retry: 3` */
		reader_integer(r, map, "retry", 0, 1000, &retry->limit);
		return;
	}
	reader_map(r, map, KEY_RETRY, "`retry`", values);
	reader_integer(r, values[KEY_RETRY_limit], "limit", 0, 1000, &retry->limit);
	reader_duration(r, values[KEY_RETRY_delay], &retry->delay_ms);
	reader_duration(r, values[KEY_RETRY_max_delay], &retry->max_delay_ms);
	reader_number(r, values[KEY_RETRY_backoff], "backoff", 1, 100, &retry->backoff);
	reader_number(r, values[KEY_RETRY_jitter], "jitter", 0, 1, &retry->jitter);
	read_causes(r, values[KEY_RETRY_on], retry);
	read_scale(r, values[KEY_RETRY_scale], retry);
}

static void read_limits(struct reader *r, const struct yaml *const *values, struct stage_limits *l)
{
	int64_t cpu_ms = INT64_C(1000) * l->cpu_seconds;

	reader_duration(r, values[KEY_RESOURCES_cpu_time], &cpu_ms);
	l->cpu_seconds = cpu_ms / 1000 < UINT32_MAX ? (uint32_t)((cpu_ms + 999) / 1000) : UINT32_MAX;
	reader_integer(r, values[KEY_RESOURCES_processes], "processes", 1, 1000000, &l->processes);
	reader_integer(r, values[KEY_RESOURCES_open_files], "open_files", OPEN_FILES_LEAST, 1000000, &l->open_files);
	reader_size(r, values[KEY_RESOURCES_file_size], &l->file_bytes);
}

void settings_resources(struct reader *r, const struct yaml *map, struct settings *s)
{
	const struct yaml *values[KEY_COUNT];
	double cpu = s->cpu_milli / 1000.0;

	if (map == NULL)
		return;
	reader_map(r, map, KEY_RESOURCES, "`resources`", values);
	reader_number(r, values[KEY_RESOURCES_cpu], "cpu", 0.001, 100000, &cpu);
	s->cpu_milli = (uint32_t)(cpu * 1000 + 0.5);
	reader_size(r, values[KEY_RESOURCES_mem], &s->mem_bytes);
	read_limits(r, values, &s->limits);
	reader_size(r, values[KEY_RESOURCES_log], &s->log_bytes);
	if (s->log_bytes < LOG_LEAST)
		diag_add(r->diags, "E0110", yaml_place(values[KEY_RESOURCES_log]), "`log`: at least 1M is kept of a log");
}
