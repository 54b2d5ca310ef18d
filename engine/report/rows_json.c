#include "report/rows_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "store/artifacts.h"
#include "store/measures.h"
#include "store/runs.h"
#include "store/tasks.h"

void json_key_time(struct json *j, const char *key, int64_t wall_ms)
{
	char text[32];

	json_key_string(j, key, wall_ms != 0 ? time_text(wall_ms, text) : NULL);
}

void json_key_digest(struct json *j, const char *key, const struct digest *d)
{
	char hex[DIGEST_HEX];

	json_key_string(j, key, digest_is_zero(d) ? NULL : digest_hex(d, hex));
}

/* "" as null. */
static void key_text(struct json *j, const char *key, const char *text)
{
	json_key_string(j, key, text[0] != '\0' ? text : NULL);
}

static void key_code(struct json *j, const char *key, int64_t code)
{
	json_key(j, key);
	if (code >= 0)
		json_int(j, code);
	else
		json_nothing(j);
}

static void changed_json(struct json *j, const char *changed)
{
	char *copy = strdup(changed), *rest = copy, *line;

	json_key(j, "changed");
	json_open_array(j);
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			json_text(j, line);
	json_end(j);
	free(copy);
}

static void tags_json(struct json *j, const char *tags)
{
	char name[128];
	size_t len;

	json_key(j, "tags");
	json_open_array(j);
	for (; *tags != '\0'; tags += len + (tags[len] == ' ')) {
		len = strcspn(tags, " ");
		(void)snprintf(name, sizeof name, "%.*s", (int)len, tags);
		json_text(j, name);
	}
	json_end(j);
}

void run_members(struct json *j, const struct run_record *r, bool alive, int64_t now_ms)
{
	json_key_string(j, "short", r->name);
	json_key_string(j, "id", r->uuid);
	json_key_string(j, "state", r->state);
	if (r->ended_ms == 0)
		json_key_bool(j, "alive", alive);
	json_key_time(j, "began", r->began_ms);
	json_key_time(j, "ended", r->ended_ms);
	json_key_int(j, "took_ms", run_took_ms(r, now_ms));
	json_key_int(j, "ran", r->ran);
	json_key_int(j, "reused", r->reused);
	json_key_int(j, "failed", r->failed);
	json_key_string(j, "cause", r->cause);
	json_key_string(j, "dag", r->dag_path);
	key_text(j, "name", r->dag_name);
	key_text(j, "commit", r->commit_id);
	key_text(j, "branch", r->branch);
	json_key_int(j, "dirty_files", r->dirty);
	json_key_digest(j, "patch", &r->patch);
	key_text(j, "source_note", r->note);
	key_text(j, "note", r->remark);
	tags_json(j, r->tags);
	json_key_bool(j, "pinned", r->pinned_ms != 0);
	changed_json(j, r->changed);
	json_key_string(j, "host", r->host);
	json_key_string(j, "version", r->version);
}

void run_json(struct json *j, const struct run_record *r, bool alive, int64_t now_ms)
{
	json_open_object(j);
	run_members(j, r, alive, now_ms);
	json_end(j);
}

void attempt_members(struct json *j, const struct attempt_record *r, int64_t now_ms)
{
	json_key_string(j, "task", r->task);
	json_key_int(j, "attempt", r->number);
	key_text(j, "why", r->why);
	json_key_bool(j, "accepted", r->accepted != 0);
	json_key_string(j, "state", r->state);
	json_key_time(j, "began", r->began_ms);
	json_key_time(j, "ended", r->ended_ms);
	json_key_int(j, "took_ms", attempt_took_ms(r, now_ms));
	key_code(j, "exit_code", r->exit_code);
	key_code(j, "signal", r->signal);
	key_text(j, "error", r->error);
	json_key_digest(j, "key", &r->key);
	json_key_int(j, "user_us", r->user_us);
	json_key_int(j, "system_us", r->system_us);
	json_key_int(j, "peak_rss_bytes",
		r->peak_rss_kib > 0 && r->peak_rss_kib < INT64_MAX / 1024 ? r->peak_rss_kib * 1024 : 0);
}

void attempt_json(struct json *j, const struct attempt_record *r, int64_t now_ms)
{
	json_open_object(j);
	attempt_members(j, r, now_ms);
	json_end(j);
}

void last_attempt_json(struct json *j, const struct task_record *t, int64_t now_ms)
{
	json_key(j, "last");
	if (t->last.id != 0)
		attempt_json(j, &t->last, now_ms);
	else
		json_nothing(j);
}

void artifact_members(struct json *j, const struct artifact_record *r)
{
	json_key_string(j, "path", r->path);
	json_key_string(j, "out", r->name);
	json_key_digest(j, "digest", &r->made.digest);
	json_key_int(j, "bytes", (int64_t)r->made.size);
	json_key_string(j, "kind",
		artifact_is_absent(r)   ? "absent"
		: artifact_is_folder(r) ? "folder"
					: "file");
}

void measure_members(struct json *j, const struct measure *m)
{
	json_key_string(j, "metric", m->name);
	json_key_number(j, "value", m->value);
	json_key_int(j, "steps", m->steps);
	if (m->steps == 0)
		return;
	json_key_number(j, "least", m->least);
	json_key_int(j, "least_step", m->least_step);
	json_key_number(j, "most", m->most);
	json_key_int(j, "most_step", m->most_step);
	json_key_int(j, "last_step", m->last_step);
}
