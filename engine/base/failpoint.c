#include "base/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

/* In the order in which a run passes them; those that begin with "worker." are steps of flow-worker. */
static const char *const names[] = {
	"project.locked", "db.schema", "db.commit", "db.committed", "recover.run",
	"recover.swept", "recover.attempt", "recover.bring-back", "recover.partials",
	"recover.closed", "recover.recorded", "recover.clear", "run.record", "run.recorded",
	"exec.spawn", "exec.opened", "settle.restore", "attempt.prepare", "attempt.record",
	"turn.commit", "attempt.launch", "attempt.aside", "attempt.moved", "attempt.submit",
	"attempt.submitted", "worker.start", "worker.spawn", "worker.fork", "worker.started",
	"attempt.poll", "worker.ended", "publish.begin", "object.take", "object.link",
	"object.put", "file.rename", "ending.succeed", "publish.record", "publish.recorded",
	"ending.succeeded", "publish.show", "publish.place", "publish.shown", "ending.fail",
	"publish.undo", "publish.put-back", "slots.keep", "slots.kept", "sync.begin",
	"sync.end", "run.settled", "run.end",
};
#define COUNT (sizeof names / sizeof *names)

enum action { ACT_KILL, ACT_EXIT, ACT_ERROR, ACT_SLEEP, ACT_WALL, ACT_SUSPEND };

static const char *const actions[] = { "kill", "exit", "error", "sleep", "wall", "suspend" };
#define ACTIONS (sizeof actions / sizeof *actions)

static struct {
	const char *name, *trace;
	enum action action;
	long value;
	unsigned at;
} wish;
static atomic_uint passed;
static atomic_llong wall_ns, boot_ns;

static _Noreturn void refuse(const char *what)
{
	(void)dprintf(STDERR_FILENO, "FLOW_FAILPOINT: %s\n", what);
	_exit(2);
}

static _Noreturn void list(void)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		(void)dprintf(STDOUT_FILENO, "%s\n", names[i]);
	_exit(0);
}

static size_t find(const char *const *words, size_t count, const char *word)
{
	size_t i = 0;

	while (i < count && strcmp(words[i], word) != 0)
		i++;
	return i;
}

/* NAME:ACTION[:VALUE][:N] */
static void parse(char *text)
{
	char *action = text, *rest = NULL;
	size_t i;

	wish.name = strsep(&action, ":");
	rest = action;
	i = find(actions, ACTIONS, action != NULL ? strsep(&rest, ":") : "");
	if (i == ACTIONS || (i >= ACT_ERROR && rest == NULL))
		refuse("expected NAME:ACTION[:N] or list");
	wish.action = (enum action)i;
	if (i >= ACT_ERROR)
		wish.value = strtol(strsep(&rest, ":"), NULL, 10);
	wish.at = rest != NULL ? (unsigned)strtoul(rest, NULL, 10) : 1;
	if (find(names, COUNT, wish.name) == COUNT || wish.at == 0)
		refuse("unknown name; FLOW_FAILPOINT=list names them");
}

/* Before main(): what it lists is listed whatever the command line says. */
__attribute__((constructor)) static void read_wish(void)
{
	const char *text = getenv("FLOW_FAILPOINT");

	wish.trace = getenv("FLOW_FAILPOINT_TRACE");
	if (text == NULL || text[0] == '\0')
		return;
	if (strcmp(text, "list") == 0)
		list();
	parse(strdup(text));
}

static void trace(const char *name)
{
	int fd = open(wish.trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	(void)dprintf(fd, "%s\n", name);
	(void)close(fd);
}

static int act(struct err *e)
{
	struct timespec nap = { wish.value / 1000, wish.value % 1000 * 1000000 };

	switch (wish.action) {
	case ACT_KILL: return raise(SIGKILL);
	case ACT_EXIT: exit(70);
	case ACT_SLEEP: (void)nanosleep(&nap, NULL); return 0;
	case ACT_WALL:
	case ACT_SUSPEND:
		wall_ns += wish.value * 1000000LL;
		if (wish.action == ACT_SUSPEND)
			boot_ns += wish.value * 1000000LL;
		return 0;
	case ACT_ERROR: break;
	}
	errno = (int)wish.value;
	if (e != NULL)
		(void)err_system(e, "failpoint %s", wish.name);
	errno = (int)wish.value;
	return ERR_SYSTEM;
}

int failpoint_pass(const char *name, struct err *e)
{
	if (find(names, COUNT, name) == COUNT)
		refuse(name);
	if (wish.trace != NULL)
		trace(name);
	if (wish.name == NULL || strcmp(wish.name, name) != 0)
		return 0;
	return atomic_fetch_add(&passed, 1) + 1 == wish.at ? act(e) : 0;
}

int64_t failpoint_shift_ns(clockid_t clock)
{
	return clock == CLOCK_REALTIME ? wall_ns : boot_ns;
}
