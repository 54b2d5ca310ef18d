#include "table/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/option.h"
#include "common/text.h"

#define CATEGORIES_LIMIT 16000000

const flow_option options_table[] = {
	{ "format", "text", "auto",
		"csv, tsv, jsonl, npy, idx or shard; auto: by the name, without .gz or .zst" },
	{ "delimiter", "text", ",", "what stands between fields of csv, one character" },
	{ "header", "boolean", "true", "the first record of csv names the columns" },
	{ "names", "list", "[]",
		"names of the columns, instead of those of the header; without either they are "
		"column_1 and so on" },
	{ "columns", "map", "{}",
		"type of each column that is not to be inferred: float64, float32, int64, int32, "
		"int16, int8, uint32, uint16, uint8, boolean, category, time, text" },
	{ "keep", "list", "[]", "the columns to keep; empty: all" },
	{ "drop", "list", "[]", "columns to leave out" },
	{ "where", "list", "[]",
		"conditions on rows, all of which must hold: \"age >= 18\", \"kind in [a, b]\", "
		"\"income is present\"" },
	{ "missing", "list", MISSING_DEFAULT, "texts that say that a value is missing" },
	{ "on_bad_row", "text", "error",
		"error: a row that cannot be read ends the stage; skip: it is left out, counted "
		"and "
		"listed in the out bad_rows" },
	{ "bad_rows_max", "integer 0..1000000000", "1000", "more bad rows than that end the stage in any case" },
	{ "categories_max", "integer 0..16000000", "1000",
		"a column of text with more different values than that is text, not category" },
	{ "group_rows", "integer 0..100000000", "0",
		"rows in a group of the shard; 0: 65536, fewer when rows are wide" },
	{ "name", "text", "x", "name of the column of an npy or idx file" },
	{ NULL, NULL, NULL, NULL },
};

static int read_names(struct dictionary *names, const char *json, struct fault *fault)
{
	char name[COLUMN_NAME_MAX + 1];
	struct jsonin in;
	int more;

	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1) {
		uint32_t before = names->count;

		if (jsonin_string(&in, name, sizeof name, fault) < 0)
			return -1;
		if (dictionary_add(names, name, strlen(name)) != before)
			return fault_set(fault, "'%s' is there twice", name);
		if (names->count > COLUMNS_MAX)
			return fault_set(fault, "more than %d names", COLUMNS_MAX);
	}
	return more;
}

static enum column_type type_named(const char *word)
{
	enum column_type type = column_type_find(word);

	if (strcmp(word, "integer") == 0)
		return COLUMN_INT64;
	if (strcmp(word, "number") == 0)
		return COLUMN_FLOAT64;
	return type == COLUMN_BYTES ? (enum column_type)0 : type;
}

static int read_types(struct options *o, const char *json, struct fault *fault)
{
	char name[COLUMN_NAME_MAX + 1], word[32];
	struct jsonin in;
	int more;

	o->type = array_new(COLUMNS_MAX, sizeof *o->type);
	jsonin_open(&in, json, '{');
	while ((more = jsonin_key(&in, name, sizeof name, fault)) == 1) {
		uint32_t at = dictionary_add(&o->declared, name, strlen(name));

		if (at == COLUMNS_MAX)
			return fault_set(fault, "more than %d columns", COLUMNS_MAX);
		if (jsonin_string(&in, word, sizeof word, fault) < 0)
			return fault_context(fault, "column '%s'", name);
		o->type[at] = type_named(word);
		if (o->type[at] == 0)
			return fault_set(fault,
				"column '%s': '%s' is no type of a "
				"column",
				name, word);
	}
	return more;
}

static int read_missing(struct missing_words *words, const char *json, struct fault *fault)
{
	struct dictionary names = { 0 };
	char word[32];
	size_t length;
	int rc = read_names(&names, json != NULL ? json : MISSING_DEFAULT, fault);

	if (rc == 0 && names.count > MISSING_WORDS_MAX)
		rc = fault_set(fault, "more than %d texts", MISSING_WORDS_MAX);
	for (uint32_t i = 0; rc == 0 && i < names.count; i++) {
		const char *text = dictionary_text(&names, i, &length);

		if (length >= sizeof word) {
			rc = fault_set(
				fault, "a text of %zu bytes; at most %zu", length, sizeof word - 1);
			break;
		}
		memcpy(word, text, length);
		word[length] = '\0';
		missing_words_add(words, word);
	}
	dictionary_release(&names);
	return rc;
}

/* What stands after the last dot, packing left away. */
static void ending_of(char ending[8], const char *path)
{
	size_t length = strlen(path);
	const char *dot;

	if (length > 3 && strcasecmp(path + length - 3, ".gz") == 0)
		length -= 3;
	else if (length > 4 && strcasecmp(path + length - 4, ".zst") == 0)
		length -= 4;
	for (dot = path + length; dot > path && dot[-1] != '.' && dot[-1] != '/'; dot--)
		;
	ending[0] = '\0';
	if (dot > path && dot[-1] == '.' && path + length - dot < 8) {
		memcpy(ending, dot, (size_t)(path + length - dot));
		ending[path + length - dot] = '\0';
	}
}

static int read_format(struct options *o, const char *word, struct fault *fault)
{
	static const struct {
		const char *word;
		enum format format;
	} formats[] = { { "csv", FORMAT_CSV }, { "tsv", FORMAT_CSV }, { "tab", FORMAT_CSV },
		{ "jsonl", FORMAT_JSONL }, { "ndjson", FORMAT_JSONL }, { "npy", FORMAT_NPY },
		{ "idx", FORMAT_IDX }, { "shard", FORMAT_SHARD } };
	char ending[8];
	int is_auto = strcmp(word, "auto") == 0;

	ending_of(ending, o->path);
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (strcasecmp(is_auto ? ending : word, formats[i].word) != 0)
			continue;
		o->format = formats[i].format;
		o->delimiter = formats[i].word[0] == 't' ? '\t' : ',';
		return 0;
	}
	if (is_auto && strstr(o->path, "-ubyte") != NULL) {
		o->format = FORMAT_IDX;
		return 0;
	}
	if (is_auto)
		return fault_set(fault,
			"what '%s' is cannot be told by its name; give format: csv, tsv, jsonl, "
			"npy, "
			"idx or shard",
			o->path);
	return fault_set(
		fault, "with.format: '%s' is not known; known are: csv, tsv, jsonl, npy, idx, shard, auto", word);
}

static int read_delimiter(struct options *o, const char *word, struct fault *fault)
{
	if (word == NULL)
		return 0;
	if (strcmp(word, "\\t") == 0)
		word = "\t";
	if (strlen(word) != 1 || strchr("\"\n\r", word[0]) != NULL)
		return fault_set(fault, "with.delimiter: one character is wanted, not a quote and "
					"not a line end");
	o->delimiter = word[0];
	return 0;
}

static int read_lists(struct options *o, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	if (option_read("names", read_names(&o->names, host->json(ctx, "names"), fault), fault) < 0 ||
		option_read("columns", read_types(o, host->json(ctx, "columns"), fault), fault) < 0 ||
		option_read("keep", read_names(&o->keep, host->json(ctx, "keep"), fault), fault) < 0 ||
		option_read("drop", read_names(&o->drop, host->json(ctx, "drop"), fault), fault) < 0)
		return -1;
	if (option_read("missing", read_missing(&o->missing, host->json(ctx, "missing"), fault), fault) <
		0)
		return -1;
	return option_read("where", where_read(&o->where, host->json(ctx, "where"), fault), fault);
}

int options_read(struct options *o, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	static const char *const ways[] = { "error", "skip", NULL };

	if (read_lists(o, host, ctx, fault) < 0)
		return -1;
	o->has_header = host->boolean(ctx, "header", 1);
	o->bad_rows_max = host->integer(ctx, "bad_rows_max", 1000, 0, 1000000000);
	o->categories_max = host->integer(ctx, "categories_max", 1000, 0, CATEGORIES_LIMIT);
	o->group_rows = host->integer(ctx, "group_rows", 0, 0, 100000000);
	o->threads = host->threads(ctx);
	if (read_format(o, host->text(ctx, "format", "auto"), fault) < 0 ||
		read_delimiter(o, host->text(ctx, "delimiter", NULL), fault) < 0)
		return -1;
	o->skip_bad_rows = option_word(host, ctx, "on_bad_row", ways, "error", fault);
	return o->skip_bad_rows < 0 ? -1 : 0;
}

void options_release(struct options *o)
{
	dictionary_release(&o->names);
	dictionary_release(&o->declared);
	dictionary_release(&o->keep);
	dictionary_release(&o->drop);
	where_release(&o->where);
	free(o->type);
	o->type = NULL;
}

int options_keeps(const struct options *o, const char *name)
{
	size_t length = strlen(name);

	if (o->keep.count != 0 && dictionary_find(&o->keep, name, length) == DICTIONARY_NONE)
		return 0;
	return dictionary_find(&o->drop, name, length) == DICTIONARY_NONE;
}
