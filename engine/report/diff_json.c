/*
 * A difference for programs.
 */
#include "base/json.h"
#include "report/diff.h"
#include "report/goal.h"
#include "report/rows_json.h"

/* `values` are JSON already, or texts. */
static void text_json(struct json *j, const char *key, const char *value, bool is_json)
{
	if (value == NULL || !is_json) {
		json_key_string(j, key, value);
		return;
	}
	json_key(j, key);
	json_raw(j, value);
}

static void texts_json(
	struct json *j, const char *key, const struct text_changes *list, bool is_json)
{
	size_t i;

	json_key(j, key);
	json_open_array(j);
	for (i = 0; i < list->count; i++) {
		const struct change_text *c = &list->items[i];

		json_open_object(j);
		if (c->task[0] != '\0')
			json_key_string(j, "task", c->task);
		if (c->kind[0] != '\0')
			json_key_string(j, "kind", c->kind);
		if (c->name[0] != '\0')
			json_key_string(j, "name", c->name);
		text_json(j, "was", c->was, is_json);
		text_json(j, "is", c->is, is_json);
		json_end(j);
	}
	json_end(j);
}

static void numbers_json(struct json *j, const char *key, const struct number_changes *list)
{
	size_t i;

	json_key(j, key);
	json_open_array(j);
	for (i = 0; i < list->count; i++) {
		const struct change_number *c = &list->items[i];
		const char *verdict = goal_verdict(goal_of(c->name), c->was, c->is);

		json_open_object(j);
		json_key_string(j, "task", c->task);
		if (c->name[0] != '\0')
			json_key_string(j, "name", c->name);
		json_key_number(j, "was", c->was);
		json_key_number(j, "is", c->is);
		if (verdict[0] != '\0')
			json_key_string(j, "verdict", verdict);
		json_end(j);
	}
	json_end(j);
}

static void log_json(struct json *j, const struct source_log *log)
{
	size_t i;

	json_key_string(j, "way", log->way);
	json_key(j, "commits");
	json_open_array(j);
	for (i = 0; i < log->commits.count; i++) {
		json_open_object(j);
		json_key_string(j, "id", log->commits.items[i].id);
		json_key_string(j, "summary", log->commits.items[i].summary);
		json_end(j);
	}
	json_end(j);
	json_key(j, "files");
	json_open_array(j);
	for (i = 0; i < log->files.count; i++) {
		json_open_object(j);
		json_key_string(j, "path", log->files.items[i].path);
		json_key_int(j, "added", log->files.items[i].added);
		json_key_int(j, "removed", log->files.items[i].removed);
		json_end(j);
	}
	json_end(j);
}

void diff_json(struct buf *out, const struct diff *d, int64_t now_ms)
{
	struct json j;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key_bool(&j, "differs", d->differs);
	json_key(&j, "a");
	run_json(&j, &d->a, d->a_alive, now_ms);
	json_key(&j, "b");
	if (d->is_tree)
		json_nothing(&j);
	else
		run_json(&j, &d->b, d->b_alive, now_ms);
	texts_json(&j, "params", &d->params, true);
	texts_json(&j, "source", &d->source, false);
	if (d->has_log)
		log_json(&j, &d->log);
	texts_json(&j, "code", &d->code, false);
	texts_json(&j, "tasks", &d->tasks, false);
	texts_json(&j, "outs", &d->outs, false);
	numbers_json(&j, "metrics", &d->metrics);
	numbers_json(&j, "timings_ms", &d->timings);
	json_end(&j);
}
