#include "dag/spec.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/near.h"
#include "base/path.h"
#include "dag/load.h"
#include "dag/reader.h"
#include "dag/secrets.h"
#include "dag/value.h"

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static void check_env(struct reader *r, const struct yaml *env)
{
	uint32_t i;

	for (i = 0; env != NULL && i < env->count; i++) {
		const struct yaml *name = yaml_key(env, i), *value = yaml_value(env, i);

		if (name->text[0] == '\0' || strpbrk(name->text, "= \t\r\n") != NULL)
			diag_add(r->diags, "E0112", yaml_place(name),
				"`%.100s` cannot be the name of an environment variable",
				name->text);
		if (!yaml_is_scalar(value))
			reader_type(r, value, name->text, "text or a number");
	}
}

static int unknown_builtin(struct reader *r, const struct yaml *uses)
{
	const char *const *name = r->input->builtins;
	struct near near;
	struct diag *diag = diag_add(
		r->diags, "E0403", yaml_place(uses), "no built-in stage `%.100s`", uses->text);

	near_start(&near, uses->text);
	for (; name != NULL && *name != NULL; name++)
		near_offer(&near, *name);
	if (near.best != NULL)
		diag_label(r->diags, diag, "did you mean `%s`?", near.best);
	diag_note(r->diags, diag, "a stage of your own is a path that ends in .lua or .so");
	return -1;
}

/* What stands after `uses:`. */
static int kind_of(struct reader *r, const struct yaml *uses)
{
	int kind;

	if (ends_in(uses->text, ".lua"))
		return STAGE_LUA;
	if (ends_in(uses->text, ".so") || strstr(uses->text, ".so#") != NULL)
		return STAGE_PLUGIN;
	if (!name_is_valid(uses->text)) {
		diag_add(r->diags, "E0404", yaml_place(uses),
			"`uses` names a built-in stage or a path that ends in .lua or .so");
		return -1;
	}
	if (r->input->builtin == NULL)
		return STAGE_PLUGIN;
	kind = r->input->builtin(r->input->user, uses->text);
	return kind >= 0 ? kind : unknown_builtin(r, uses);
}

static void read_action(struct reader *r, struct stage_spec *s, const struct yaml **values)
{
	const struct yaml *cmd = values[KEY_STAGE_cmd], *uses = values[KEY_STAGE_uses];
	const struct yaml *lua = values[KEY_STAGE_lua];
	int count = (cmd != NULL) + (uses != NULL) + (lua != NULL), kind;

	if (count != 1) {
		diag_add(r->diags, "E0401", yaml_place(s->name),
			count == 0 ? "stage `%s` has nothing to do: give it `cmd`, `uses` or `lua`"
				   : "stage `%s` has more than one of `cmd`, `uses` and `lua`",
			s->name->text);
		return;
	}
	s->action = cmd != NULL ? cmd : uses != NULL ? uses : lua;
	s->kind = cmd != NULL ? STAGE_CMD : STAGE_INLINE;
	if (uses != NULL) {
		kind = kind_of(r, uses);
		s->kind = kind >= 0 ? (uint32_t)kind : STAGE_PLUGIN;
	}
	if (s->with != NULL && s->kind == STAGE_CMD)
		diag_add(r->diags, "E0402", yaml_place(s->with),
			"`with` is for `uses` and `lua`; a command takes its values as "
			"${params.NAME}");
}

static void read_flags(struct reader *r, struct stage_spec *s, const struct yaml **values)
{
	bool is_frozen = false, is_unsafe = false, is_isolated = false;
	bool cache = !s->settings.no_cache;

	reader_bool(
		r, values[KEY_STAGE_allow_failure], "allow_failure", &s->settings.allow_failure);
	reader_bool(r, values[KEY_STAGE_cache], "cache", &cache);
	reader_bool(r, values[KEY_STAGE_frozen], "frozen", &is_frozen);
	reader_bool(r, values[KEY_STAGE_unsafe], "unsafe", &is_unsafe);
	reader_bool(r, values[KEY_STAGE_isolate], "isolate", &is_isolated);
	if (s->kind != STAGE_CMD)
		is_isolated = false; /* plugins and scripts write nowhere else anyway */
	s->flags = (s->settings.allow_failure ? STAGE_ALLOW_FAILURE : 0u) |
		   (cache ? 0u : STAGE_NO_CACHE) | (is_frozen ? STAGE_FROZEN : 0u) |
		   (is_unsafe ? STAGE_UNSAFE : 0u) | (is_isolated ? STAGE_ISOLATE : 0u);
	if (is_unsafe && s->kind != STAGE_LUA && s->kind != STAGE_INLINE)
		diag_add(r->diags, "E0406", yaml_place(values[KEY_STAGE_unsafe]),
			"`unsafe` is for Lua stages");
}

static void read_iteration(struct reader *r, struct stage_spec *s, const struct yaml **values)
{
	s->foreach = values[KEY_STAGE_foreach];
	s->matrix = values[KEY_STAGE_matrix];
	if (s->foreach != NULL && s->matrix != NULL)
		diag_add(r->diags, "E0210", yaml_place(s->matrix),
			"stage `%s` has both `foreach` and `matrix`", s->name->text);
	if (s->foreach != NULL && s->foreach->type == YAML_MAP && s->foreach->count == 1 &&
		strcmp(yaml_key(s->foreach, 0)->text, "from") == 0)
		diag_add(r->diags, "E0111", yaml_place(yaml_key(s->foreach, 0)),
			"`foreach: {from: ...}` is not supported by this version of flow");
	reader_integer(
		r, values[KEY_STAGE_max_parallel], "max_parallel", 1, 1000000, &s->max_parallel);
}

static void read_stage(struct reader *r, struct stage_spec *s, const struct yaml *map)
{
	const struct yaml *values[KEY_COUNT];
	const char *owner = "";

	if (map->type != YAML_MAP) {
		diag_add(r->diags, "E0109", yaml_place(map), "stage `%.140s` must be a map, not %s",
			s->name->text, value_type_name(map->type));
		return;
	}
	owner = arena_printf(r->arena, "stage `%s`", s->name->text);
	reader_map(r, map, KEY_STAGE, owner, values);
	s->with = values[KEY_STAGE_with];
	s->env = values[KEY_STAGE_env];
	s->cwd = values[KEY_STAGE_cwd];
	s->params = values[KEY_STAGE_params];
	s->needs = values[KEY_STAGE_needs];
	s->secrets = values[KEY_STAGE_secrets];
	check_env(r, s->env);
	read_action(r, s, values);
	read_flags(r, s, values);
	read_iteration(r, s, values);
	settings_retry(r, values[KEY_STAGE_retry], &s->settings);
	settings_resources(r, values[KEY_STAGE_resources], &s->settings);
	reader_duration(r, values[KEY_STAGE_timeout], &s->settings.timeout_ms);
	ports_deps(r, values[KEY_STAGE_deps], &s->deps);
	ports_outs(r, values[KEY_STAGE_outs], values[KEY_STAGE_metrics], values[KEY_STAGE_plots],
		&s->outs);
}

static void check_stage_name(struct reader *r, const struct yaml *name)
{
	struct diag *diag;

	if (name_is_valid(name->text))
		return;
	diag = diag_add(r->diags, "E0112", yaml_place(name),
		"`%.140s` cannot be the name of a stage", name->text);
	diag_label(
		r->diags, diag, "use up to 128 of the letters A-Z a-z, digits, `_`, `.` and `-`");
}

static void read_stages(struct reader *r, struct spec *s, const struct yaml *stages,
	const struct settings *defaults)
{
	uint32_t i;

	s->stages = arena_zalloc(r->arena, stages->count * sizeof *s->stages);
	s->stage_count = stages->count;
	for (i = 0; i < stages->count; i++) {
		struct stage_spec *stage = &s->stages[i];

		stage->name = yaml_key(stages, i);
		stage->settings = *defaults;
		check_stage_name(r, stage->name);
		read_stage(r, stage, yaml_value(stages, i));
	}
}

static void read_defaults(
	struct reader *r, struct spec *s, const struct yaml *map, struct settings *defaults)
{
	const struct yaml *values[KEY_COUNT];
	bool cache = true;

	settings_init(defaults);
	if (map == NULL)
		return;
	reader_map(r, map, KEY_DEFAULTS, "`defaults`", values);
	s->default_env = values[KEY_DEFAULTS_env];
	check_env(r, s->default_env);
	settings_retry(r, values[KEY_DEFAULTS_retry], defaults);
	settings_resources(r, values[KEY_DEFAULTS_resources], defaults);
	reader_duration(r, values[KEY_DEFAULTS_timeout], &defaults->timeout_ms);
	reader_bool(
		r, values[KEY_DEFAULTS_allow_failure], "allow_failure", &defaults->allow_failure);
	reader_bool(r, values[KEY_DEFAULTS_cache], "cache", &cache);
	defaults->no_cache = !cache;
}

static void read_head(struct reader *r, struct spec *s, const struct yaml **values)
{
	const struct yaml *name = values[KEY_TOP_name];
	uint32_t version = 1;

	reader_integer(r, values[KEY_TOP_version], "version", 1, 1, &version);
	s->name = name != NULL ? name->text : "";
	if (strlen(s->name) > 128 || strpbrk(s->name, "\r\n\t") != NULL)
		reader_range(r, name, "name", "at most 128 characters on one line");
	s->params = values[KEY_TOP_params];
	s->env = values[KEY_TOP_env];
	s->secrets = values[KEY_TOP_secrets];
	check_env(r, s->env);
}

int spec_read(struct spec *s, struct arena *a, const struct dag_input *input,
	const struct yaml *root, struct diags *d)
{
	struct reader r = { .arena = a, .diags = d, .input = input };
	const struct yaml *values[KEY_COUNT], *stages;
	struct settings defaults;

	memset(s, 0, sizeof *s);
	s->name = "";
	if (root->type != YAML_MAP) {
		diag_add(d, "E0108", yaml_place(root), "a pipeline begins with `stages:`");
		return ERR_INPUT;
	}
	reader_map(&r, root, KEY_TOP, "dag.yaml", values);
	read_head(&r, s, values);
	read_defaults(&r, s, values[KEY_TOP_defaults], &defaults);
	stages = yaml_get(root, "stages");
	if (stages == NULL || stages->count == 0)
		diag_add(d, "E0108", yaml_place(root),
			"there are no stages: `stages:` is missing or empty");
	else if (values[KEY_TOP_stages] != NULL)
		read_stages(&r, s, stages, &defaults);
	secrets_check(&r, s);
	return d->count > 0 ? ERR_INPUT : 0;
}
