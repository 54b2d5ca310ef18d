#include "dag/task.h"

#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/path.h"
#include "base/vec.h"
#include "dag/diag.h"
#include "dag/iterate.h"
#include "dag/params.h"
#include "dag/secrets.h"
#include "dag/shell.h"
#include "dag/spec.h"
#include "dag/yaml.h"

#define SUFFIX_MAX 128

void task_maker_init(
	struct task_maker *m, struct build *b, const struct spec *spec, const struct params *params)
{
	memset(m, 0, sizeof *m);
	m->build = b;
	m->spec = spec;
	m->params = params;
	m->used = mem_zalloc(params->count + 1);
}

void task_maker_release(struct task_maker *m)
{
	arena_release(&m->scratch);
	vec_release(&m->env);
	vec_release(&m->deps);
	vec_release(&m->outs);
	buf_release(&m->text);
	free(m->used);
}

/* A parameter listed under `params:`: a leaf, or all leaves below. */
static void track(struct task_maker *m, const struct yaml *item)
{
	struct build *b = m->build;
	size_t known = b->diags->count;
	uint32_t leaf, first, count;
	struct diag *diag;
	const char *near;

	if (!yaml_is_scalar(item)) {
		diag_add(b->diags, "E0109", yaml_place(item), "`params` must be a list of names");
		return;
	}
	leaf = params_find(m->params, item->text);
	count = params_below(m->params, item->text, &first);
	if (leaf != UINT32_MAX)
		m->used[leaf] = 1;
	memset(m->used + first, 1, count);
	if (leaf != UINT32_MAX || count > 0)
		return;
	diag = diag_add(
		b->diags, "E0303", yaml_place(item), "unknown parameter `%.200s`", item->text);
	near = b->diags->count > known ? params_near(m->params, item->text, b->arena) : NULL;
	if (near != NULL)
		diag_label(b->diags, diag, "did you mean `%s`?", near);
}

static void add_stage(struct build *b, const struct stage_spec *s)
{
	struct stage stage = { .name = text_pool_string(&b->text, s->name->text),
		.kind = s->kind,
		.flags = s->flags,
		.at = { .file = text_pool_string(&b->text, s->name->file->name),
			.line = s->name->line,
			.col = s->name->col },
		.nodes = { .first = (uint32_t)b->nodes.count },
		.secrets = secrets_of_stage(b, s->secrets),
		.max_parallel = s->max_parallel,
		.cpu_milli = s->settings.cpu_milli,
		.mem_bytes = s->settings.mem_bytes,
		.limits = s->settings.limits,
		.log_bytes = s->settings.log_bytes,
		.timeout_ms = s->settings.timeout_ms,
		.retry = s->settings.retry };

	vec_push(&b->stages, stage);
}

void task_begin(struct task_maker *m, const struct stage_spec *stage)
{
	const struct yaml *params = stage->params;
	uint32_t i;

	m->stage = stage;
	m->first_node = (uint32_t)m->build->nodes.count;
	m->env_done = m->with_done = false;
	m->with_span = m->env_span = (struct span){ 0, 0 };
	memset(m->used, 0, m->params->count);
	m->scope = (struct scope){
		.build = m->build, .arena = &m->scratch, .params = m->params, .used = m->used
	};
	if (params != NULL && yaml_is_scalar(params))
		track(m, params);
	for (i = 0; params != NULL && params->type == YAML_LIST && i < params->count; i++)
		track(m, yaml_item(params, i));
	add_stage(m->build, stage);
}

static int set_name(struct task_maker *m, struct node *n, const struct instance *instance)
{
	struct build *b = m->build;
	const struct stage_spec *s = m->stage;

	n->name = b->stages.items[b->stages.count - 1].name;
	if (instance->suffix[0] == '\0')
		return 0;
	if (strlen(instance->suffix) > SUFFIX_MAX) {
		diag_add(b->diags, "E0208", yaml_place(s->foreach != NULL ? s->foreach : s->matrix),
			"the name of an instance is over %d characters: `%.40s...`", SUFFIX_MAX,
			instance->suffix);
		return -1;
	}
	buf_clear(&m->text);
	buf_str(&m->text, s->name->text);
	buf_char(&m->text, '@');
	buf_str(&m->text, instance->suffix);
	n->name = text_pool_add(&b->text, buf_text(&m->text), m->text.len);
	return 0;
}

static int empty_command(struct task_maker *m, const struct yaml *cmd)
{
	diag_add(m->build->diags, "E0405", yaml_place(cmd), "the command of stage `%s` is empty",
		m->stage->name->text);
	return -1;
}

static void add_words(struct build *b, struct node *n, const char *const *words, size_t count)
{
	size_t i;

	n->argv.first = (uint32_t)b->words.count;
	n->argv.count = (uint32_t)count;
	for (i = 0; i < count; i++)
		vec_push(&b->words, text_pool_string(&b->text, words[i]));
}

/* Text: the shell's, unless it is so simple that it can be split here. */
static int text_command(struct task_maker *m, struct node *n, const struct yaml *cmd)
{
	const char **words = NULL;
	size_t count;

	buf_clear(&m->text);
	if (expr_shell(&m->scope, cmd, &m->text) < 0)
		return -1;
	while (m->text.len > 0 && strchr(" \t\r\n", m->text.data[m->text.len - 1]) != NULL)
		m->text.data[--m->text.len] = '\0';
	if (m->text.len == 0)
		return empty_command(m, cmd);
	count = shell_words(&m->scratch, buf_text(&m->text), &words);
	n->text = text_pool_add(&m->build->text, buf_text(&m->text), m->text.len);
	add_words(m->build, n, words, count);
	return 0;
}

/* List: each item is one word, whatever it holds. */
static int list_command(struct task_maker *m, struct node *n, const struct yaml *cmd)
{
	const char **words = arena_alloc(&m->scratch, cmd->count * sizeof *words);
	struct buf shown = { 0 };
	uint32_t i;
	int rc = 0;

	for (i = 0; i < cmd->count && rc == 0; i++) {
		const struct yaml *item = yaml_item(cmd, i);

		buf_clear(&m->text);
		if (!yaml_is_scalar(item)) {
			diag_add(m->build->diags, "E0405", yaml_place(item),
				"a word of a command must be text");
			rc = -1;
		} else {
			rc = expr_text(&m->scope, item, true, &m->text);
		}
		words[i] = buf_in(&m->text, &m->scratch);
		if (i > 0)
			buf_char(&shown, ' ');
		shell_quote(&shown, words[i]);
	}
	if (rc == 0 && (cmd->count == 0 || words[0][0] == '\0'))
		rc = empty_command(m, cmd);
	if (rc == 0) {
		n->text = text_pool_add(&m->build->text, buf_text(&shown), shown.len);
		add_words(m->build, n, words, cmd->count);
	}
	buf_release(&shown);
	return rc;
}

/* Line of dag.yaml that holds the first line of a script: below the `|` of a block, else where the text begins. */
static uint32_t first_line(const struct yaml *script)
{
	const char *at = script->file->text, *end = at + script->file->len;
	uint32_t line;

	for (line = 1; line < script->line && at != NULL; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at != NULL ? at + 1 : NULL;
	}
	if (at == NULL || script->col == 0 || (size_t)(end - at) < script->col)
		return script->line;
	return script->line + (at[script->col - 1] == '|' || at[script->col - 1] == '>');
}

static int set_action(struct task_maker *m, struct node *n)
{
	const struct yaml *action = m->stage->action;
	struct build *b = m->build;

	switch ((enum stage_kind)m->stage->kind) {
	case STAGE_CMD:
		return yaml_is_scalar(action) ? text_command(m, n, action)
					      : list_command(m, n, action);
	case STAGE_PLUGIN:
	case STAGE_LUA: n->uses = text_pool_string(&b->text, action->text); break;
	case STAGE_INLINE:
		n->text = text_pool_string(&b->text, action->text);
		n->line = first_line(action);
		break;
	}
	return task_with(m, n);
}

static int set_cwd(struct task_maker *m, struct node *n)
{
	const struct yaml *cwd = m->stage->cwd;
	const char *path;

	if (cwd == NULL)
		return 0;
	buf_clear(&m->text);
	if (expr_text(&m->scope, cwd, false, &m->text) < 0)
		return -1;
	path = path_clean(&m->scratch, buf_text(&m->text));
	if (path_leaves(path)) {
		diag_add(m->build->diags, "E0212", yaml_place(cwd),
			"`cwd` must be a folder of the project, not `%.200s`", path);
		return -1;
	}
	n->cwd = strcmp(path, ".") != 0 ? text_pool_string(&m->build->text, path) : 0;
	return 0;
}

static int add_need(struct task_maker *m, const struct yaml *item)
{
	struct build *b = m->build;
	struct need need = { .node = (uint32_t)b->nodes.count, .width = item->width };

	if (!yaml_is_scalar(item)) {
		diag_add(b->diags, "E0109", yaml_place(item), "`needs` must be a list of stages");
		return -1;
	}
	buf_clear(&m->text);
	if (expr_text(&m->scope, item, false, &m->text) < 0)
		return -1;
	need.name = text_pool_add(&b->text, buf_text(&m->text), m->text.len);
	need.at = (struct pos){ .file = text_pool_string(&b->text, item->file->name),
		.line = item->line,
		.col = item->col };
	vec_push(&b->needs, need);
	return 0;
}

static int set_needs(struct task_maker *m)
{
	const struct yaml *needs = m->stage->needs;
	uint32_t i;
	int rc = 0;

	if (needs == NULL)
		return 0;
	if (yaml_is_scalar(needs))
		return add_need(m, needs);
	for (i = 0; i < needs->count; i++)
		if (add_need(m, yaml_item(needs, i)) < 0)
			rc = -1;
	return rc;
}

int task_add(struct task_maker *m, const struct instance *instance)
{
	struct build *b = m->build;
	struct node n = { .stage = (uint32_t)b->stages.count - 1, .line = m->stage->name->line };
	int rc = set_name(m, &n, instance);

	m->scope.item = instance->item;
	m->scope.key = instance->key;
	rc |= task_env(m, &n);
	rc |= task_ports(m, &n);
	if (rc == 0) /* else ${deps.X} would be missing for no fault of its own */
		rc |= set_cwd(m, &n) | set_action(m, &n);
	rc |= set_needs(m);
	vec_push(&b->nodes, n);
	return rc < 0 ? -1 : 0;
}

void task_end(struct task_maker *m)
{
	struct stage *stage = &m->build->stages.items[m->build->stages.count - 1];

	stage->nodes.count = (uint32_t)m->build->nodes.count - m->first_node;
	task_params(m);
}
