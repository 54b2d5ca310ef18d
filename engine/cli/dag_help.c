#include "cli/dag_help.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "dag/keys.h"

#define PLACES (sizeof places / sizeof *places)

/* In the order of enum key_where. */
static const struct {
	const char *name, *title, *example;
} places[] = {
	[KEY_TOP] = { "top", "The file",
		"version: 1\n"
		"name: words\n"
		"params: {count: {least: 2}}\n"
		"stages:\n"
		"  count:\n"
		"    cmd: ./count --least ${params.count.least} < ${deps.text} > ${outs.table}\n"
		"    deps: {text: words.txt}\n"
		"    outs: {table: table.csv}\n" },
	[KEY_DEFAULTS] = { "defaults", "`defaults`",
		"defaults: {timeout: 10m, retry: {limit: 1}}\n"
		"stages:\n"
		"  count: {cmd: ./count, outs: [table.csv]}\n" },
	[KEY_STAGE] = { "stage", "A stage",
		"stages:\n"
		"  train:\n"
		"    uses: ./lua/train.lua\n"
		"    with: {rate: 0.1}\n"
		"    foreach: [1, 2, 3]\n"
		"    deps: {rows: data/rows.csv}\n"
		"    outs: {model: \"models/${item}.json\"}\n"
		"    timeout: 1h\n" },
	[KEY_RESOURCES] = { "resources", "`resources`",
		"stages:\n"
		"  train: {cmd: ./train, outs: [model.bin], resources: {cpu: 2, mem: 4G}}\n" },
	[KEY_RETRY] = { "retry", "`retry`",
		"stages:\n"
		"  fetch:\n"
		"    cmd: ./fetch\n"
		"    outs: [raw.csv]\n"
		"    retry: {limit: 3, delay: 10s, on: [timeout, \"exit:75\"]}\n" },
	[KEY_SCALE] = { "scale", "`scale`",
		"stages:\n"
		"  train:\n"
		"    cmd: ./train\n"
		"    outs: [model.bin]\n"
		"    resources: {mem: 4G}\n"
		"    timeout: 1h\n"
		"    retry: {limit: 2, on: [oom, timeout], scale: {mem: 1.5, timeout: 2}}\n" },
	[KEY_OUT] = { "out", "An entry of `outs`",
		"stages:\n"
		"  train:\n"
		"    cmd: ./train\n"
		"    outs:\n"
		"      model: model.bin\n"
		"      notes: {path: notes.txt, optional: true}\n" },
	[KEY_SECRET] = { "secret", "A secret",
		"secrets:\n"
		"  HF_TOKEN: {env: HF_TOKEN}\n"
		"  DB_PASSWORD: {file: /run/secrets/db}\n"
		"  API_KEY: {command: pass show api}\n"
		"stages:\n"
		"  fetch: {cmd: ./fetch, outs: [raw.csv], secrets: [HF_TOKEN]}\n" },
	[KEY_MATRIX] = { "matrix", "`matrix`",
		"stages:\n"
		"  train:\n"
		"    matrix: {rate: [0.1, 0.01], seed: [1, 2], exclude: [{rate: 0.1, seed: 2}]}\n"
		"    cmd: ./train ${item.rate} ${item.seed}\n"
		"    outs: [\"models/${key}.bin\"]\n" },
};

static const char values[] =
	"## Values that stand for others\n"
	"\n"
	"| in a text | stands for |\n"
	"|---|---|\n"
	"| `${params.train.lr}` | a parameter |\n"
	"| `${env.HOME}` | a variable of `env:`, or of the environment flow was started in |\n"
	"| `${item}` `${item.NAME}` | the value of this instance; of a `matrix`, one of its values "
	"|\n"
	"| `${key}` | the name of this instance, as in `train@KEY` |\n"
	"| `${deps.NAME}` `${outs.NAME}` | the path of a dep or an out of the same stage |\n"
	"| `$${` | a plain `${`, for the shell |\n"
	"\n"
	"In `cmd` every value is quoted for the shell: a parameter is data, never code.\n";

static int find_place(const char *name, enum key_where *where, struct err *e)
{
	struct near n;
	size_t i;

	near_start(&n, name);
	for (i = 0; i < PLACES; i++) {
		size_t len = strlen(places[i].name);

		/* "stages" and "outs" as well. */
		if (strncmp(name, places[i].name, len) == 0 &&
			(name[len] == '\0' || strcmp(name + len, "s") == 0)) {
			*where = (enum key_where)i;
			return 0;
		}
		near_offer(&n, places[i].name);
	}
	err_set(e, ERR_USAGE, "dag.yaml has no place `%.60s`", name);
	if (n.best != NULL)
		return err_hint(e, "did you mean `flow help dag %s`?", n.best);
	return err_hint(e, "places are top, defaults, stage, resources, retry, out and matrix");
}

static bool is_shown(const struct key_info *key, enum key_where where)
{
	return key->where == where && key->type != TYPE_RESERVED;
}

static void help_place(struct buf *out, enum key_where where)
{
	size_t i;

	buf_printf(out, "keys of %s:\n", key_where_name(where));
	for (i = 0; i < key_count; i++) {
		const struct key_info *key = &key_table[i];

		if (!is_shown(key, where))
			continue;
		buf_printf(out, "  %-14s %s\n  %-14s   %s", key->name, key->help, "",
			key_type_name(key->type));
		if (key->value[0] != '\0')
			buf_printf(out, "; default %s", key->value);
		buf_char(out, '\n');
	}
}

int dag_help(struct buf *out, const char *place, struct err *e)
{
	enum key_where where = KEY_TOP;
	size_t i;

	if (place == NULL) {
		for (i = 0; i < PLACES; i++) {
			buf_str(out, i > 0 ? "\n" : "");
			help_place(out, (enum key_where)i);
		}
		return 0;
	}
	if (find_place(place, &where, e) < 0)
		return e->code;
	help_place(out, where);
	buf_str(out, "\nexample:\n");
	buf_str(out, places[where].example);
	return 0;
}

/* A `|` would end the cell. */
static void put_cell(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			buf_char(out, '\\');
		buf_char(out, *text);
	}
}

static void reference_place(struct buf *out, enum key_where where)
{
	size_t i;

	buf_printf(out,
		"\n## %s\n\n```yaml\n%s```\n\n| key | value | default | meaning "
		"|\n|---|---|---|---|\n",
		places[where].title, places[where].example);
	for (i = 0; i < key_count; i++) {
		const struct key_info *key = &key_table[i];

		if (!is_shown(key, where))
			continue;
		buf_printf(out, "| `%s` | %s | ", key->name, key_type_name(key->type));
		if (key->value[0] != '\0')
			buf_printf(out, "`%s`", key->value);
		buf_str(out, " | ");
		put_cell(out, key->help);
		buf_str(out, " |\n");
	}
}

/* Keys that a later version will know: they are errors today. */
static void reference_reserved(struct buf *out)
{
	const char *comma = "";
	size_t i;

	buf_str(out, "\n## Reserved\n\nKnown names that this version does not support: ");
	for (i = 0; i < key_count; i++) {
		if (key_table[i].type != TYPE_RESERVED)
			continue;
		buf_printf(out, "%s`%s` (%s)", comma, key_table[i].name,
			key_where_name(key_table[i].where));
		comma = ", ";
	}
	buf_str(out, ".\n");
}

void dag_reference(struct buf *out)
{
	size_t i;

	buf_str(out, "# dag.yaml\n\n"
		     "<!-- Written by `flow help dag --reference` from engine/dag/keys.def. -->\n\n"
		     "A pipeline is one file of YAML 1.2: `true`, `false`, `null` and numbers are "
		     "values of "
		     "their own, everything\nelse is text (`yes`, `no`, `on` and `off` too). An "
		     "unknown key, "
		     "or one given twice, is an error. Durations and\nsizes carry a unit.\n");
	for (i = 0; i < PLACES; i++)
		reference_place(out, (enum key_where)i);
	buf_char(out, '\n');
	buf_str(out, values);
	reference_reserved(out);
}
