/* The input is params.yaml, then after a line `%%` a file for --params, then after further such lines -p options. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "fuzz.h"
#include "world.h"

#define PARTS_MAX 8

static const char dag[] = "params: {include: [params.yaml], own: {lr: 0.1, epochs: 20, name: x, on: true, list: [1]}, none: ~}\n"
			  "stages:\n"
			  "  a: {cmd: 'run ${params.own.lr}', params: [own]}\n"
			  "  b: {uses: u, with: {p: '${params.own}', n: '${params.none}'}}\n";

struct files {
	const char *include, *given;
};

static int read_file(void *user, const char *path, struct buf *out, struct err *e)
{
	const struct files *files = user;

	(void)e;
	buf_str(out, strcmp(path, "params.yaml") == 0 ? files->include : files->given);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const given[] = { "given.yaml" };
	char *text = fuzz_text(data, size), *parts[PARTS_MAX] = { NULL };
	size_t count = fuzz_parts(text, "%%", parts, PARTS_MAX), i;
	struct files files = { parts[0], count > 1 ? parts[1] : "" };
	struct dag_input input = fuzz_input(dag, sizeof dag - 1);
	const char *sets[PARTS_MAX] = { NULL };

	input.read = read_file;
	input.user = &files;
	input.files = given;
	input.file_count = count > 1;
	input.sets = sets;
	for (i = 2; i < count; i++) {
		parts[i][strcspn(parts[i], "\n")] = '\0';
		sets[input.set_count++] = parts[i];
	}
	fuzz_load(&input);
	free(text);
	return 0;
}
