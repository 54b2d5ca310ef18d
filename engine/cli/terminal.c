#include "cli/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIDE "\033[?25l"
#define SHOW "\033[?2026l\033[?25h"

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGQUIT, SIGINT,
	SIGTERM, SIGHUP };

#define DEADLY (sizeof deadly / sizeof *deadly)

static int terminal = -1;
static volatile sig_atomic_t moved;
static struct sigaction before[DEADLY], before_stop;

/* Called in signal handlers too: nothing but write(). */
static void say(const char *text, size_t len)
{
	int sys = errno;

	(void)!write(terminal, text, len);
	errno = sys;
}

static void on_deadly(int signo)
{
	say(SHOW "\n", sizeof SHOW);
	/* The handler is gone (SA_RESETHAND): this time the signal does what it does. */
	(void)raise(signo);
}

static void on_stop(int signo)
{
	int sys = errno;

	(void)signo;
	say(SHOW "\n", sizeof SHOW);
	(void)raise(SIGSTOP);
	say(HIDE, sizeof HIDE - 1);
	moved = 1;
	errno = sys;
}

bool terminal_redraws(void)
{
	const char *term = getenv("TERM");

	return term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

void terminal_take(int fd)
{
	struct sigaction action = { .sa_handler = on_deadly,
		.sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	size_t i;

	if (terminal >= 0)
		return;
	terminal = fd;
	moved = 0;
	for (i = 0; i < DEADLY; i++)
		(void)sigaction(deadly[i], &action, &before[i]);
	(void)sigaction(SIGTSTP, &stop, &before_stop);
	say(HIDE, sizeof HIDE - 1);
}

bool terminal_moved(void)
{
	bool was = moved != 0;

	moved = 0;
	return was;
}

void terminal_give_back(void)
{
	size_t i;

	if (terminal < 0)
		return;
	say(SHOW, sizeof SHOW - 1);
	for (i = 0; i < DEADLY; i++)
		(void)sigaction(deadly[i], &before[i], NULL);
	(void)sigaction(SIGTSTP, &before_stop, NULL);
	terminal = -1;
}
