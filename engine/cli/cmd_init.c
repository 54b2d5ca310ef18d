#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "cli/cmd.h"
#include "cli/commands.h"

/* A pipeline that runs anywhere there is a shell. */
static const struct {
	const char *path, *text;
} files[] = {
	{ "dag.yaml", "# Three stages: `flow run` runs what is out of date, `flow help dag` lists "
		      "all keys.\n"
		      "version: 1\n"
		      "name: first\n"
		      "params: {include: [params.yaml]}\n"
		      "\n"
		      "stages:\n"
		      "  numbers:\n"
		      "    cmd: seq ${params.count} > ${outs.list}\n"
		      "    outs: {list: out/numbers.txt}\n"
		      "\n"
		      "  squares:\n"
		      "    cmd: awk '{ print $1 * $1 }' ${deps.list} > ${outs.list}\n"
		      "    deps: {list: out/numbers.txt}\n"
		      "    outs: {list: out/squares.txt}\n"
		      "\n"
		      "  total:\n"
		      "    cmd: |\n"
		      "      awk '{ sum += $1 } END { printf \"{\\\"sum\\\": %d}\\n\", sum }' "
		      "${deps.list} > out/total.json\n"
		      "      cat out/total.json\n"
		      "    deps: {list: out/squares.txt}\n"
		      "    metrics: [out/total.json]\n" },
	{ "params.yaml", "count: 10 # how many numbers\n" },
};

#define FILES (sizeof files / sizeof *files)

static int open_folder(const char *folder, int *fd, struct err *e)
{
	if (folder != NULL && folder_make(AT_FDCWD, folder, 0777, e) < 0)
		return e->code;
	*fd = open(folder != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 ? 0 : err_system(e, "cannot open folder `%s`", folder);
}

/* Either all are written or none: nothing of the user's is touched. */
static int write_files(int fd, struct err *e)
{
	size_t i;

	for (i = 0; i < FILES; i++)
		if (file_exists(fd, files[i].path)) {
			err_set(e, ERR_POLICY, "`%s` is there already", files[i].path);
			return err_hint(
				e, "`flow init DIR` makes a new folder; nothing was written");
		}
	for (i = 0; i < FILES; i++)
		if (file_write_atomic(
			    fd, files[i].path, files[i].text, strlen(files[i].text), 0666, e) < 0)
			return e->code;
	return 0;
}

static int init_main(struct cli *c)
{
	const char *folder = c->args.count > 0 ? c->args.items[0] : NULL;
	const char *slash = folder != NULL ? "/" : "", *before = folder != NULL ? folder : "";
	struct err e;
	int fd = -1, rc;

	if (open_folder(folder, &fd, &e) < 0)
		return cli_fail(c, &e);
	rc = write_files(fd, &e);
	(void)close(fd);
	if (rc < 0)
		return cli_fail(c, &e);
	screen_printf(&c->out, "created %s%sdag.yaml (3 stages) and %s%sparams.yaml\n", before,
		slash, before, slash);
	if (folder != NULL)
		screen_printf(&c->out, "try:   cd %s\n       flow run\n", folder);
	else
		screen_str(&c->out, "try:   flow run\n");
	screen_str(&c->out, "then:  flow run -p count=20     and  flow explain total\n");
	return EXIT_DONE;
}

const struct command cmd_init = { .name = "init",
	.group = GROUP_START,
	.args = "[DIR]",
	.summary = "write a first dag.yaml and params.yaml",
	.about = "Writes a pipeline of three stages that runs as it is, into this folder or a\n"
		 "new one. Files that are there are never overwritten.\n",
	.examples = "flow init first && cd first && flow run\n",
	.most = 1,
	.run = init_main };
