#include <jansson.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <string.h>
#include <utf8proc.h>
#include <yaml.h>

#include <flow/plugin.h>

#include "base/json.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "plan/key.h"
#include "store/db.h"

struct library {
	const char *name, *version;
};

/* "OpenSSL 3.0.11 19 Sep 2023" -> "3.0.11" */
static const char *openssl_version(struct arena *a)
{
	const char *text = OpenSSL_version(OPENSSL_VERSION), *space = strchr(text, ' ');

	if (space == NULL)
		return text;
	return arena_strndup(a, space + 1, strcspn(space + 1, " "));
}

static int version_main(struct cli *c)
{
	const struct library libraries[] = { { "sqlite", sqlite3_libversion() },
		{ "libyaml", yaml_get_version_string() }, { "jansson", jansson_version_str() },
		{ "openssl", openssl_version(&c->arena) }, { "utf8proc", utf8proc_version() } };
	size_t i, count = sizeof libraries / sizeof *libraries;
	struct json j;

	if (!c->json) {
		screen_printf(&c->out,
			"flow %s\nplugin ABI %u, key format %d, database version %d\n",
			FLOW_VERSION, FLOW_ABI, KEY_FORMAT, DB_VERSION);
		for (i = 0; i < count; i++)
			screen_printf(&c->out, "%s%s %s", i > 0 ? ", " : "", libraries[i].name,
				libraries[i].version);
		screen_str(&c->out, "\n");
		return EXIT_DONE;
	}
	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key_string(&j, "flow", FLOW_VERSION);
	json_key_int(&j, "plugin_abi", FLOW_ABI);
	json_key_int(&j, "key_format", KEY_FORMAT);
	json_key_int(&j, "database", DB_VERSION);
	json_key(&j, "libraries");
	json_open_object(&j);
	for (i = 0; i < count; i++)
		json_key_string(&j, libraries[i].name, libraries[i].version);
	json_end(&j);
	json_end(&j);
	screen_str(&c->out, "\n");
	return EXIT_DONE;
}

const struct command cmd_version = { .name = "version",
	.group = GROUP_UPKEEP,
	.args = "",
	.summary = "which version this is, and of what it is made",
	.about = "",
	.examples = "",
	.shows = true,
	.run = version_main };
