#include "report/past_params.h"

#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/vec.h"
#include "report/run_params.h"
#include "run/session.h"

/* The last option that sets exactly this one, "name=text"; NULL: none. */
static const char *typed_option(const char *changed, const char *name, struct arena *a)
{
	size_t len = strlen(name), line;
	const char *found = NULL;

	for (; *changed != '\0'; changed += line + (changed[line] == '\n')) {
		line = strcspn(changed, "\n");
		if (line > len && strncmp(changed, name, len) == 0 && changed[len] == '=')
			found = arena_strndup(a, changed, line);
	}
	return found;
}

void past_params_add(struct past_params *p, const struct run_params *params, const char *changed,
	const char *name, struct arena *a)
{
	const struct run_param *param = run_params_find(params, name);
	struct past_param wanted = { .name = name };

	if (param == NULL)
		return;
	wanted.value = param->value;
	wanted.typed = param->set ? typed_option(changed, name, a) : NULL;
	vec_push(&p->wanted, wanted);
}

/* The parameters that a dag has without any option. */
static int read_own(const char *dag, struct run_params *out, struct arena *a, struct err *e)
{
	struct session_options options = { .dag = dag, .mode = PROJECT_READ, .only_looks = true };
	struct session s;
	struct buf text = { 0 };
	struct json j;
	uint32_t i;
	int rc = session_open(&s, &options, e);

	if (rc == 0)
		rc = session_load(&s, e);
	json_init(&j, &text);
	json_open_object(&j);
	for (i = 0; rc == 0 && i < s.graph.param_count; i++) {
		json_key(&j, graph_text(&s.graph, s.graph.params[i].name));
		json_raw(&j, graph_text(&s.graph, s.graph.params[i].value));
	}
	json_end(&j);
	session_close(&s);
	if (rc == 0)
		run_params_read(out, buf_text(&text), "", a);
	buf_release(&text);
	return rc;
}

int past_params_make(struct past_params *p, const char *dag, struct arena *a, struct err *e)
{
	struct buf text = { 0 };
	struct run_params own;
	struct json j;
	size_t i;
	int rc = read_own(dag, &own, a, e);

	p->file_count = 0;
	p->sets.count = 0;
	json_init(&j, &text);
	json_open_object(&j);
	for (i = 0; i < p->wanted.count && rc == 0; i++) {
		const struct past_param *wanted = &p->wanted.items[i];
		const struct run_param *has = run_params_find(&own, wanted->name);

		if (has == NULL)
			continue;
		if (wanted->typed != NULL) {
			vec_push(&p->sets, wanted->typed);
		} else if (strcmp(has->value, wanted->value) != 0) {
			json_key(&j, wanted->name);
			json_raw(&j, wanted->value);
			p->files[0] = p->file;
			p->file_count = 1;
		}
	}
	json_end(&j);
	if (rc == 0 && p->file_count > 0)
		rc = file_write_atomic(AT_FDCWD, p->file, buf_text(&text), text.len, 0600, e);
	buf_release(&text);
	return rc;
}

void past_params_release(struct past_params *p)
{
	vec_release(&p->wanted);
	vec_release(&p->sets);
}
