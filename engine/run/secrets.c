#include "run/secrets.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/secret_forms.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "dag/secrets.h"
#include "run/secret_read.h"
#include "run/session.h"

static bool stage_lists(const struct graph *g, const struct stage *stage, const char *name)
{
	uint32_t i;

	for (i = 0; i < stage->secrets.count; i++)
		if (strcmp(graph_text(g, g->words[stage->secrets.first + i]), name) == 0)
			return true;
	return false;
}

/* Could a task of the plan be run that gets it? */
static bool is_needed(const struct session *s, const char *name)
{
	uint32_t i;

	for (i = 0; i < s->graph.node_count; i++) {
		uint8_t verdict = s->plan.choices[i].verdict;

		if ((verdict == VERDICT_RUN || verdict == VERDICT_MAYBE || s->plan.choices[i].restore) &&
			stage_lists(&s->graph, node_stage(&s->graph, i), name))
			return true;
	}
	return false;
}

static int add(struct secrets *s, const struct session *session, const struct secret *from, bool needed,
	struct err *e)
{
	struct known_secret fresh = { .name = from->name };
	int rc = 0;

	vec_push(&s->hidden, from->name);
	if (from->kind == SECRET_ENV)
		vec_push(&s->hidden, from->from);
	if (needed || from->kind != SECRET_COMMAND)
		rc = secret_read(from, session->root_fd, session->root, &fresh.value, e);
	if (rc < 0 && !needed) {
		buf_clear(&fresh.value);
		rc = 0;
	}
	if (fresh.value.len >= SECRET_LEAST && rc == 0)
		secret_forms(&s->redactor, fresh.value.data, fresh.value.len);
	vec_push(&s->list, fresh);
	if (rc == 0)
		return 0;
	if (e->code == ERR_NOTFOUND)
		e->code = ERR_SYSTEM;
	(void)err_context(e, "secret `%.100s` (%s)", from->name, from->origin);
	return err_id(e, "E0520");
}

/* dag.yaml, its compiled form with all commands, parameters and variables, and the options: all of that is recorded. */
static int check_recorded(struct secrets *s, struct session *session, struct err *e)
{
	const struct graph *g = &session->graph;
	size_t text_len = g->size - (size_t)(g->text - (const char *)g->block);

	if (!redact_finds(&s->redactor, g->text, text_len) &&
		!redact_finds(&s->redactor, buf_text(&session->text), session->text.len))
		return 0;
	/* It was compiled before anybody could know. */
	if (session->has_project)
		(void)unlinkat(session->project.flow_fd, "graph.cache", 0);
	err_set(e, ERR_POLICY, "the value of a secret stands in dag.yaml, in a parameter or under `env`");
	err_hint(e, "those are recorded; let the stage list the secret, and read the variable in its command");
	return err_id(e, "E0521");
}

int secrets_open(struct secrets *s, struct session *session, bool runs, struct err *e)
{
	struct secret from;
	uint32_t at = 0;

	*s = (struct secrets){ .graph = &session->graph };
	while (secret_next(s->graph, &at, &from))
		if (add(s, session, &from, runs && is_needed(session, from.name), e) < 0)
			return e->code;
	if (s->list.count == 0)
		return 0;
	vec_push(&s->hidden, (const char *)NULL);
	redactor_ready(&s->redactor);
	return check_recorded(s, session, e);
}

const char *const *secrets_hidden(const struct secrets *s)
{
	return s->hidden.items;
}

struct wire_list secrets_for(const struct secrets *s, const struct stage *stage, struct arena *a)
{
	struct wire_pair *list = arena_alloc(a, (s->list.count + 1) * sizeof *list);
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < s->list.count; i++)
		if (stage_lists(s->graph, stage, s->list.items[i].name))
			list[count++] = (struct wire_pair){ s->list.items[i].name,
				buf_text(&s->list.items[i].value) };
	return (struct wire_list){ list, count };
}

bool secrets_mask(const struct secrets *s, const void *data, size_t len, struct buf *out)
{
	struct redaction stream = { 0 };
	bool found;

	redact(&s->redactor, &stream, data, len, out);
	redact_end(&s->redactor, &stream, out);
	found = stream.found;
	redaction_release(&stream);
	return found;
}

void secrets_release(struct secrets *s)
{
	size_t i;

	for (i = 0; i < s->list.count; i++) {
		struct buf *value = &s->list.items[i].value;

		if (value->cap > 0)
			explicit_bzero(value->data, value->cap);
		buf_release(value);
	}
	vec_release(&s->list);
	vec_release(&s->hidden);
	redactor_release(&s->redactor);
}
