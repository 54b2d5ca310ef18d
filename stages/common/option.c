#include "common/option.h"

#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/shard.h"
#include "common/text.h"

int option_word(const flow_host *host, flow_ctx *ctx, const char *key, const char *const *words,
	const char *fallback, struct fault *fault)
{
	const char *given = host->text(ctx, key, fallback);
	struct text known = { 0 };
	int rc;

	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(given, words[i]) == 0)
			return i;
	for (int i = 0; words[i] != NULL; i++)
		text_format(&known, i == 0 ? "%s" : ", %s", words[i]);
	rc = fault_set(
		fault, "with.%s: '%s' is not known; known are: %s", key, given, known.data);
	text_release(&known);
	return rc;
}

static int read_columns(
	char *chosen, const struct shard *shard, const char *json, struct fault *fault)
{
	char name[COLUMN_NAME_MAX + 1];
	struct jsonin in;
	int more;

	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1) {
		size_t column;

		if (jsonin_string(&in, name, sizeof name, fault) < 0)
			return -1;
		column = shard_find(shard, name);
		if (column == shard->columns)
			return fault_set(fault, "the table has no column '%s'", name);
		chosen[column] = 1;
	}
	return more;
}

int option_columns(char *chosen, const struct shard *shard, const flow_host *host, flow_ctx *ctx,
	const char *key, struct fault *fault)
{
	return option_read(key, read_columns(chosen, shard, host->json(ctx, key), fault), fault);
}

int option_read(const char *key, int rc, struct fault *fault)
{
	return rc < 0 ? fault_context(fault, "with.%s", key) : rc;
}
