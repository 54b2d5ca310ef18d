/* The input is a command line, a word a line. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "fuzz.h"

#define WORDS_MAX 32

/* A copy of each word, so that reading past one is seen. */
static int split(char *text, char **argv)
{
	int argc = 1;
	char *line;

	argv[0] = fuzz_text((const uint8_t *)"flow", 4);
	for (line = text; line != NULL && argc < WORDS_MAX; argc++) {
		char *end = strchr(line, '\n');
		size_t len = end != NULL ? (size_t)(end - line) : strlen(line);

		argv[argc] = fuzz_text((const uint8_t *)line, len);
		line = end != NULL ? end + 1 : NULL;
	}
	argv[argc] = NULL;
	return argc;
}

static void check_right(const struct cli *c)
{
	struct buf help = { 0 };

	if (c->command != NULL && c->help)
		opt_help(&help, c->command);
	else if (c->command != NULL)
		FUZZ_CHECK(c->args.count >= c->command->least && c->args.count <= c->command->most && c->dag != NULL);
	FUZZ_CHECK(c->color < 3);
	buf_release(&help);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *argv[WORDS_MAX + 1];
	int argc = split(text, argv), i;
	struct err e = { .text = "" };
	struct cli cli;

	memset(&cli, 0, sizeof cli);
	if (opt_parse(&cli, argc, argv, &e) == 0)
		check_right(&cli);
	else
		FUZZ_CHECK(e.code == ERR_USAGE && e.text[0] != '\0' && strchr(e.text, '\0') < e.text + sizeof e.text);
	vec_release(&cli.sets);
	vec_release(&cli.files);
	vec_release(&cli.force);
	vec_release(&cli.args);
	arena_release(&cli.arena);
	for (i = 0; i < argc; i++)
		free(argv[i]);
	free(text);
	return 0;
}
