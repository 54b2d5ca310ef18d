#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/commands.h"

#define DESCRIPTORS 1024u

static int dispatch(struct cli *c, int argc, char **argv)
{
	struct err e;

	if (opt_parse(c, argc, argv, &e) < 0)
		return cli_fail(c, &e);
	screen_open(&c->out, STDOUT_FILENO, (enum screen_color)c->color);
	screen_open(&c->talk, STDERR_FILENO, (enum screen_color)c->color);
	if (c->version)
		return cmd_version.run(c);
	if (c->help) {
		opt_help(&c->out.text, c->command);
		return EXIT_DONE;
	}
	if (c->command == NULL) {
		opt_overview(&c->out.text);
		return EXIT_DONE;
	}
	if (c->folder != NULL && chdir(c->folder) < 0) {
		err_system(&e, "cannot enter folder `%s`", c->folder);
		return cli_fail(c, &e);
	}
	return c->command->run(c);
}

static void release(struct cli *c)
{
	vec_release(&c->sets);
	vec_release(&c->files);
	vec_release(&c->force);
	vec_release(&c->forget);
	vec_release(&c->where);
	vec_release(&c->args);
	arena_release(&c->arena);
}

/* A soft limit below what every system gives is somebody's slip; the hard one is meant. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct cli c = { .began_ms = clock_mono_ms() };
	int status, end;

	/* A reader that goes away is told by write(), see screen_flush(). */
	(void)signal(SIGPIPE, SIG_IGN);
	/* So is a file that may not grow: EFBIG. */
	(void)signal(SIGXFSZ, SIG_IGN);
	raise_descriptors();
	screen_open(&c.out, STDOUT_FILENO, SCREEN_COLOR_AUTO);
	screen_open(&c.talk, STDERR_FILENO, SCREEN_COLOR_AUTO);
	status = dispatch(&c, argc, argv);
	end = screen_end(&c.out);
	(void)screen_end(&c.talk);
	release(&c);
	return status == EXIT_DONE ? end : status;
}
