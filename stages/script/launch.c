#include "script/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/jsonin.h"

#define WORD_ROOM 65536
#define NAME_ROOM 256
#define ENDING_MS 2000 /* from SIGTERM to SIGKILL, for a program that is ended because of a fault */

extern char **environ;

static int add_word(struct launch *l, const char *word, struct fault *fault)
{
	if (l->count == LAUNCH_WORDS_MAX)
		return fault_set(fault, "more than %d words", LAUNCH_WORDS_MAX);
	text_add(&l->words, word, strlen(word) + 1);
	l->count++;
	return 0;
}

/* A text as it is; a number or truth as it is written. */
static int take_word(char *word, struct jsonin *in, struct fault *fault)
{
	char kind = jsonin_peek(in);
	const char *start = in->at;
	size_t length;

	if (kind == '"')
		return jsonin_string(in, word, WORD_ROOM, fault);
	if (kind == '[' || kind == '{' || kind == 'n')
		return fault_set(fault, "wanted is a text or a number");
	if (jsonin_skip(in, fault) < 0)
		return -1;
	length = (size_t)(in->at - start);
	if (length >= WORD_ROOM)
		return fault_set(fault, "a word of more than %d bytes", WORD_ROOM - 1);
	memcpy(word, start, length);
	word[length] = '\0';
	return 0;
}

/* A list of words, or one. */
static int add_words(struct launch *l, const char *json, struct fault *fault)
{
	char *word = array_new(WORD_ROOM, 1);
	struct jsonin in;
	int more, rc = 0;

	jsonin_begin(&in, json, strlen(json));
	if (jsonin_peek(&in) != '[') {
		rc = take_word(word, &in, fault);
		if (rc == 0 && word[0] != '\0')
			rc = add_word(l, word, fault);
		free(word);
		return rc;
	}
	rc = jsonin_enter(&in, '[', fault);
	while (rc == 0 && (more = jsonin_item(&in, fault)) != 0) {
		rc = more < 0 ? -1 : take_word(word, &in, fault);
		if (rc == 0)
			rc = add_word(l, word, fault);
	}
	free(word);
	return rc;
}

static int set_variable(const char *name, const char *value, struct fault *fault)
{
	if (name[0] == '\0' || strchr(name, '=') != NULL)
		return fault_set(fault, "'%s' is no name for a variable", name);
	if (strncmp(name, "FLOW_", 5) == 0)
		return fault_set(fault, "'%s': names that begin with FLOW_ are flow's", name);
	return setenv(name, value, 1) == 0 ? 0 : fault_system(fault, "cannot set '%s'", name);
}

static int set_variables(const char *json, struct fault *fault)
{
	char name[NAME_ROOM], *value = array_new(WORD_ROOM, 1);
	struct jsonin in;
	int more, rc = 0;

	jsonin_open(&in, json, '{');
	while (rc == 0 && (more = jsonin_key(&in, name, sizeof name, fault)) != 0) {
		rc = more < 0 ? -1 : take_word(value, &in, fault);
		if (rc == 0)
			rc = set_variable(name, value, fault);
	}
	free(value);
	return rc;
}

/* Libraries that would start a thread a core keep to the lease; what the user has set stays. */
static void set_lease(const flow_host *host, flow_ctx *ctx)
{
	static const char *const names[] = { "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
		"MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS" };
	char threads[20];

	(void)snprintf(threads, sizeof threads, "%u", host->threads(ctx));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)setenv(names[i], threads, 0);
	(void)setenv("PYTHONUNBUFFERED", "1", 0); /* its log is read while it runs */
}

int launch_read(struct launch *l, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *script = host->dep(ctx, "script"), *env = host->json(ctx, "env");
	const char *program = host->json(ctx, "program"), *args = host->json(ctx, "args");
	struct text path = { 0 };
	int rc = 0;

	if (script == NULL)
		return fault_set(fault, "needs a dep named 'script': the program's file");
	set_lease(host, ctx);
	if (env != NULL && set_variables(env, fault) < 0)
		return fault_context(fault, "with.env");
	if (program != NULL && add_words(l, program, fault) < 0)
		return fault_context(fault, "with.program");
	l->script = l->count;
	/* Without a slash it would be looked for in PATH. */
	text_format(&path, "%s%s", strchr(script, '/') == NULL ? "./" : "", script);
	rc = add_word(l, path.data, fault);
	text_release(&path);
	if (rc == 0 && args != NULL && add_words(l, args, fault) < 0)
		rc = fault_context(fault, "with.args");
	return rc;
}

/* The program's file is checked first: what exec would say of it does not name the cause. */
static int check_script(const struct launch *l, struct fault *fault)
{
	const char *path = l->word[l->script];
	struct stat st;

	if (stat(path, &st) != 0)
		return fault_system(fault, "cannot find the script '%s'", path);
	if (!S_ISREG(st.st_mode))
		return fault_set(fault, "the script '%s' is not a file", path);
	if (l->script == 0 && access(path, X_OK) != 0)
		return fault_set(fault,
			"the script '%s' is not executable: `chmod +x` it, or say what runs it, "
			"as with: {program: python3}",
			path);
	return 0;
}

static int cannot_start(const struct launch *l, int error, struct fault *fault)
{
	if (l->script == 0 && (error == ENOENT || error == ENOEXEC))
		return fault_set(fault,
			"cannot start '%s': its first line must name a program that is there, as "
			"#!/usr/bin/env python3, or say with: {program: python3}",
			l->word[0]);
	if (error == ENOENT)
		return fault_set(fault, "with.program: there is no program '%s'%s", l->word[0],
			strchr(l->word[0], '/') == NULL ? " in PATH" : "");
	if (error == EACCES)
		return fault_set(fault, "with.program: '%s' is not executable", l->word[0]);
	errno = error;
	return fault_system(fault, "cannot start '%s'", l->word[0]);
}

int launch_start(struct launch *l, struct fault *fault)
{
	char *at = l->words.data;
	int ends[2], error;

	for (size_t i = 0; i < l->count; i++, at += strlen(at) + 1)
		l->word[i] = at;
	if (check_script(l, fault) < 0)
		return -1;
	if (pipe(ends) != 0)
		return fault_system(fault, "cannot make a pipe");
	(void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	error = posix_spawnp(&l->pid, l->word[0], NULL, NULL, l->word, environ);
	(void)close(ends[1]);
	if (error != 0) {
		(void)close(ends[0]);
		l->pid = 0;
		return cannot_start(l, error, fault);
	}
	l->ended_fd = ends[0];
	return 0;
}

static long milliseconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int launch_wait(struct launch *l, int milliseconds)
{
	struct pollfd ended = { .fd = l->ended_fd, .events = POLLIN };
	const struct timespec moment = { .tv_nsec = 1000000 };

	/* The pipe ends with the program; later when it has left something running. */
	if (poll(&ended, 1, milliseconds) > 0) {
		(void)nanosleep(&moment, NULL); /* descriptors are closed just before the end */
		(void)close(l->ended_fd);
		l->ended_fd = -1; /* a program that has closed it is looked for by the clock */
	}
	if (waitpid(l->pid, &l->status, WNOHANG) != l->pid)
		return 0;
	l->pid = 0;
	return 1;
}

void launch_release(struct launch *l)
{
	long until = milliseconds_now() + ENDING_MS;

	if (l->pid > 0) {
		(void)kill(l->pid, SIGTERM);
		while (!launch_wait(l, 50) && milliseconds_now() < until)
			;
	}
	if (l->pid > 0) {
		(void)kill(l->pid, SIGKILL);
		(void)waitpid(l->pid, &l->status, 0);
	}
	if (l->ended_fd > 0)
		(void)close(l->ended_fd);
	text_release(&l->words);
	*l = (struct launch){ .pid = 0 };
}
