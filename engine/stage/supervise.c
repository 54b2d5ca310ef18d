#include "stage/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"
#include "stage/limits.h"
#include "stage/memory.h"

#define SWEEP_MS 20  /* between two looks at strays that are dying */
#define REAP_MOST 64  /* dead children, before anything else is looked at */
#define WATCH_MS 100 /* between two looks at the memory of attempts */
#define COUNT_MS 20  /* the same, when their processes are limited */

int supervisor_init(struct supervisor *s, struct err *e)
{
	memset(s, 0, sizeof *s);
	s->children_fd = proc_open();
	s->kills = memory_kills();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_system(e, "cannot become the reaper of the stages");
	return 0;
}

static bool is_watched(const struct attempt *a)
{
	return a->limits.memory_bytes != 0 || a->limits.processes != 0;
}

static int watch_pause(const struct supervisor *s)
{
	return s->counted > 0 ? COUNT_MS : WATCH_MS;
}

void supervisor_add(
	struct supervisor *s, uint64_t id, const char *token, pid_t pid, const struct wire_limits *limits,
	const struct cgroup *group)
{
	struct attempt *a = mem_zalloc(sizeof *a);

	a->limits = *limits;
	a->group = *group;
	if (group->limits_memory)
		a->limits.memory_bytes = 0;
	if (group->limits_processes)
		a->limits.processes = 0;
	a->killed_for = END_SIGNAL;
	s->counted += a->limits.processes != 0;
	if (is_watched(a) && s->watched++ == 0)
		s->watch_ms = clock_mono_ms() + watch_pause(s);
	a->ended.id = id;
	a->pid = a->session = pid;
	(void)snprintf(a->token, sizeof a->token, "%s", token);
	vec_push(&s->attempts, a);
}

static struct attempt *attempt_by_pid(const struct supervisor *s, pid_t pid)
{
	size_t i;

	for (i = 0; i < s->attempts.count; i++) {
		if (s->attempts.items[i]->pid == pid)
			return s->attempts.items[i];
	}
	return NULL;
}

/* Newest first: when a number is used again, nothing of the older session is left. */
static struct attempt *attempt_by_session(const struct supervisor *s, pid_t session)
{
	size_t i;

	for (i = s->attempts.count; i-- > 0;) {
		if (s->attempts.items[i]->session == session)
			return s->attempts.items[i];
	}
	return NULL;
}

static struct attempt *attempt_by_id(const struct supervisor *s, uint64_t id)
{
	size_t i;

	for (i = 0; i < s->attempts.count; i++) {
		if (s->attempts.items[i]->ended.id == id)
			return s->attempts.items[i];
	}
	return NULL;
}

static struct attempt *attempt_by_token(const struct supervisor *s, const char *token)
{
	size_t i;

	for (i = 0; i < s->attempts.count; i++) {
		if (strcmp(s->attempts.items[i]->token, token) == 0)
			return s->attempts.items[i];
	}
	return NULL;
}

/* With no other attempt running, what nobody claims belongs to the last one that ended. */
static struct attempt *attempt_by_default(const struct supervisor *s)
{
	if (s->over != s->attempts.count || s->over == 0)
		return NULL;
	return s->attempts.items[s->attempts.count - 1];
}

/* *unsure: it may be found to be another's, or somebody's, when it is asked for again. */
static struct attempt *owner_of(const struct supervisor *s, pid_t pid, bool *unsure)
{
	char token[PROC_TOKEN_MAX];
	pid_t session = getsid(pid);
	struct attempt *a = session > 0 ? attempt_by_session(s, session) : NULL;
	enum proc_answer answer = a == NULL ? proc_token(pid, token) : PROC_NONE;

	if (answer == PROC_KNOWN)
		a = attempt_by_token(s, token);
	*unsure = answer == PROC_UNSURE;
	return a != NULL ? a : attempt_by_default(s);
}

static struct stray *stray_of(struct supervisor *s, pid_t pid)
{
	struct stray fresh = { .pid = pid }, *stray = NULL;
	struct attempt *owner;
	size_t i;

	for (i = 0; i < s->strays.count && stray == NULL; i++) {
		if (s->strays.items[i].pid == pid)
			stray = &s->strays.items[i];
	}
	if (stray == NULL) {
		vec_push(&s->strays, fresh);
		stray = &s->strays.items[s->strays.count - 1];
	}
	if (!stray->is_known && (owner = owner_of(s, pid, &stray->is_unsure)) != NULL) {
		stray->is_known = true;
		stray->id = owner->ended.id;
	}
	return stray;
}

static struct attempt *stray_owner(const struct supervisor *s, const struct stray *stray)
{
	return stray->is_known ? attempt_by_id(s, stray->id) : NULL;
}

/* Kill a process with its group and all that is below it. No group of ours or of a running attempt can be meant: groups do
 * not cross sessions, and each attempt has its own. */
static void kill_tree(struct supervisor *s, pid_t pid)
{
	pid_t group = getpgid(pid);
	size_t i;

	proc_tree(pid, &s->tree);
	if (group > 1 && group != getpgrp())
		(void)kill(-group, SIGKILL);
	for (i = 0; i < s->tree.count; i++)
		(void)kill(s->tree.items[i], SIGKILL);
}

/* Look at every child that is no main process; kill those whose attempt is over. An attempt has left when none of them is, or may be,
 * its own. */
static void sweep(struct supervisor *s)
{
	bool whole = proc_children(s->children_fd, &s->children);
	size_t i;

	for (i = 0; i < s->attempts.count; i++)
		s->attempts.items[i]->has_left = s->attempts.items[i]->is_over;
	for (i = 0; i < s->children.count; i++) {
		struct stray *stray;
		struct attempt *owner;

		if (attempt_by_pid(s, s->children.items[i]) != NULL)
			continue;
		stray = stray_of(s, s->children.items[i]);
		owner = stray_owner(s, stray);
		if (owner == NULL && stray->is_unsure)
			whole = false;
		if (owner == NULL || stray->is_given_up || !(owner->is_over || owner->is_doomed))
			continue;
		owner->has_left = false;
		kill_tree(s, stray->pid);
	}
	for (i = 0; i < s->attempts.count; i++)
		s->attempts.items[i]->has_left &= whole;
}

/* What refuses to die must not hold up the run for ever. */
static void give_up(struct supervisor *s, struct attempt *a)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < s->strays.count; i++) {
		struct stray *stray = &s->strays.items[i];

		if (stray_owner(s, stray) == a && !stray->is_given_up) {
			stray->is_given_up = true;
			count++;
		}
	}
	a->has_left = true;
	if (count > 0)
		(void)snprintf(a->text, sizeof a->text, "%u process%s could not be killed", count,
			count == 1 ? "" : "es");
}

static void add_usage(struct wire_ended *ended, const struct rusage *usage)
{
	uint64_t peak = (uint64_t)usage->ru_maxrss;

	ended->user_us +=
		(uint64_t)usage->ru_utime.tv_sec * 1000000u + (uint64_t)usage->ru_utime.tv_usec;
	ended->system_us +=
		(uint64_t)usage->ru_stime.tv_sec * 1000000u + (uint64_t)usage->ru_stime.tv_usec;
	if (peak > ended->peak_rss_kib)
		ended->peak_rss_kib = peak;
}

/* Whom the kernel has killed for the limit of a group is no sign that the machine was out of memory. */
static void count_kills(struct supervisor *s, struct attempt *a)
{
	uint64_t kills = cgroup_memory_kills(&a->group);

	s->kills += kills - a->kills;
	a->kills = kills;
}

static bool machine_was_full(struct supervisor *s, struct attempt *a, int status)
{
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || memory_kills() <= s->kills)
		return false;
	s->kills = memory_kills();
	a->kills = cgroup_memory_kills(&a->group);
	(void)snprintf(a->text, sizeof a->text, "killed by the kernel: the machine or flow's control group was out of memory");
	return true;
}

static void main_ended(
	struct supervisor *s, struct attempt *a, int status, const struct rusage *usage)
{
	bool is_own = status != 0 && !a->is_doomed; /* nobody here has ended it */
	enum wire_end verdict = is_own ? cgroup_verdict(&a->group, a->text) : END_EXIT;

	a->ended.end = WIFSIGNALED(status) ? a->killed_for : END_EXIT;
	a->ended.value = (uint32_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	add_usage(&a->ended, usage);
	if (limits_tell(&a->limits, status, a->text))
		a->ended.end = END_LIMIT;
	else if (verdict != END_EXIT)
		a->ended.end = verdict;
	else if (is_own && machine_was_full(s, a, status))
		a->ended.end = END_MEMORY;
	count_kills(s, a);
	cgroup_kill(&a->group);
	a->is_over = true;
	a->over_ms = clock_mono_ms();
	a->pid = -1;
	s->over++;
}

static void stray_ended(struct supervisor *s, pid_t pid, int status, const struct rusage *usage)
{
	size_t i;

	for (i = 0; i < s->strays.count && s->strays.items[i].pid != pid; i++)
		;
	if (i == s->strays.count)
		return;
	if (stray_owner(s, &s->strays.items[i]) != NULL) {
		struct attempt *owner = stray_owner(s, &s->strays.items[i]);

		add_usage(&owner->ended, usage);
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			owner->ended.strays++;
	}
	s->strays.items[i] = s->strays.items[--s->strays.count];
}

/* Reap one dead child. It is looked at before it is reaped: only until then are its pid, group and session sure to be its
 * own. */
static bool reap_one(struct supervisor *s)
{
	siginfo_t info = { 0 };
	struct attempt *a;
	struct rusage usage;
	int status;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
		return false;
	a = attempt_by_pid(s, info.si_pid);
	if (a != NULL)
		(void)kill(-info.si_pid, SIGKILL);
	else
		(void)stray_of(s, info.si_pid);
	if (wait4(info.si_pid, &status, 0, &usage) != info.si_pid)
		return false;
	if (a != NULL)
		main_ended(s, a, status, &usage);
	else
		stray_ended(s, info.si_pid, status, &usage);
	return true;
}

/* All it has started, also what has left its tree. */
static void gather_tree(struct supervisor *s, const struct attempt *a)
{
	size_t i;

	proc_tree(a->pid, &s->tree);
	(void)proc_children(s->children_fd, &s->children);
	for (i = 0; i < s->children.count; i++)
		if (attempt_by_pid(s, s->children.items[i]) == NULL &&
			stray_owner(s, stray_of(s, s->children.items[i])) == a)
			vec_push(&s->tree, s->children.items[i]);
}

/* What it takes more of than it may; END_SIGNAL: nothing. */
static enum wire_end excess(const struct supervisor *s, struct attempt *a)
{
	const struct wire_limits *l = &a->limits;
	uint64_t took;

	if (l->processes != 0 && s->tree.count > l->processes) {
		(void)snprintf(a->text, sizeof a->text, "had %zu processes, more than its %u", s->tree.count,
			l->processes);
		return END_LIMIT;
	}
	took = l->memory_bytes != 0 ? memory_of(&s->tree, l->memory_bytes) : 0;
	if (took <= l->memory_bytes)
		return END_SIGNAL;
	(void)snprintf(a->text, sizeof a->text, "took %llu MiB of memory, more than its %llu MiB",
		(unsigned long long)(took >> 20), (unsigned long long)(l->memory_bytes >> 20));
	return END_MEMORY;
}

static void watch(struct supervisor *s)
{
	size_t i;

	s->watch_ms = clock_mono_ms() + watch_pause(s);
	for (i = 0; i < s->attempts.count; i++) {
		struct attempt *a = s->attempts.items[i];

		if (!is_watched(a) || a->is_over || a->is_doomed)
			continue;
		gather_tree(s, a);
		a->killed_for = excess(s, a);
		if (a->killed_for != END_SIGNAL)
			supervisor_signal(s, a->ended.id, SIGKILL);
	}
}

void supervisor_reap(struct supervisor *s)
{
	int64_t began_ms;
	size_t i;

	/* A fork bomb's dead come faster than they can be reaped. */
	for (i = 0; i < REAP_MOST && reap_one(s); i++)
		;
	s->has_more = i == REAP_MOST;
	if (s->watched > 0 && clock_mono_ms() >= s->watch_ms)
		watch(s);
	if (s->over == 0 || (s->has_more && clock_mono_ms() < s->sweep_ms))
		return;
	began_ms = clock_mono_ms();
	sweep(s);
	s->sweep_ms = 2 * clock_mono_ms() - began_ms + SWEEP_MS; /* half the time is for the dead */
	for (i = 0; i < s->attempts.count; i++) {
		struct attempt *a = s->attempts.items[i];

		if (a->is_over && !a->has_left && clock_mono_ms() - a->over_ms > GIVE_UP_MS)
			give_up(s, a);
	}
}

bool supervisor_take(struct supervisor *s, struct wire_ended *ended, char text[80])
{
	size_t i;

	if (s->over == 0)
		return false;
	for (i = 0; i < s->attempts.count; i++) {
		struct attempt *a = s->attempts.items[i];

		if (!a->has_left)
			continue;
		count_kills(s, a);
		if (!cgroup_remove(&a->group) && clock_mono_ms() - a->over_ms < GIVE_UP_MS)
			continue;
		*ended = a->ended;
		memcpy(text, a->text, sizeof a->text);
		ended->text = text;
		s->over--;
		s->watched -= is_watched(a);
		s->counted -= a->limits.processes != 0;
		s->attempts.count--;
		memmove(&s->attempts.items[i], &s->attempts.items[i + 1],
			(s->attempts.count - i) * sizeof(s->attempts.items[0]));
		free(a);
		return true;
	}
	return false;
}

/* A child that was forked a moment ago does not lead its session yet. */
static void signal_group(pid_t pid, int signo)
{
	if (kill(-pid, signo) < 0 && errno == ESRCH)
		(void)kill(pid, signo);
}

void supervisor_signal(struct supervisor *s, uint64_t id, int signo)
{
	struct attempt *a = attempt_by_id(s, id);

	if (a == NULL || a->is_over || signo < 1 || signo >= NSIG)
		return;
	signal_group(a->pid, signo);
	/* One that is stopped would not hear it. */
	if (signo == SIGTERM || signo == SIGINT)
		signal_group(a->pid, SIGCONT);
	if (signo == SIGKILL) {
		a->is_doomed = true;
		cgroup_kill(&a->group);
		sweep(s);
	}
}

int supervisor_timeout(const struct supervisor *s)
{
	if (s->has_more)
		return 0;
	if (s->over > 0)
		return SWEEP_MS;
	return s->watched > 0 ? watch_pause(s) : -1;
}

/* True: none has a control group any more. */
static bool remove_groups(struct supervisor *s)
{
	bool are_gone = true;
	size_t i;

	for (i = 0; i < s->attempts.count; i++) {
		cgroup_kill(&s->attempts.items[i]->group);
		are_gone &= cgroup_remove(&s->attempts.items[i]->group);
	}
	return are_gone;
}

void supervisor_kill_all(struct supervisor *s)
{
	int64_t until = clock_mono_ms() + GIVE_UP_MS;
	struct timespec pause = { .tv_nsec = 1000000 };
	bool are_gone;
	size_t i;

	do {
		(void)proc_children(s->children_fd, &s->children);
		for (i = 0; i < s->children.count; i++)
			kill_tree(s, s->children.items[i]);
		are_gone = remove_groups(s);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (are_gone && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		(void)nanosleep(&pause, NULL);
	} while (clock_mono_ms() < until);
}

void supervisor_release(struct supervisor *s)
{
	size_t i;

	for (i = 0; i < s->attempts.count; i++)
		free(s->attempts.items[i]);
	vec_release(&s->attempts);
	vec_release(&s->strays);
	vec_release(&s->children);
	vec_release(&s->tree);
	if (s->children_fd >= 0)
		(void)close(s->children_fd);
}
