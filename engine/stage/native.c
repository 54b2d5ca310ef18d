#include "stage/native.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "stage/host.h"
#include "stage/option.h"
#include "stage/wire.h"

#define SYMBOL     "flow_plugin_stages"
#define STAGES_MAX 1024u
#define STAGE_MIN  (offsetof(flow_stage, run) + sizeof(((flow_stage *)0)->run))
#define STAGE_MAX  4096u

/* What a plugin's code may do is do harm; what a file that others can write to may do is worse. */
static int check_file(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_system(e, "cannot stat `%s`", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "`%s` is not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(e, ERR_POLICY, "`%s` belongs to another user", path);
	if ((st.st_mode & S_IWGRP) != 0 && st.st_gid == st.st_uid)
		st.st_mode &=
			~(mode_t)S_IWGRP; /* a group of the owner alone, as umask 002 goes with */
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(
			e, ERR_POLICY, "`%s` can be written by others: chmod go-w %s", path, path);
	return 0;
}

/* The loader maps what the headers promise: pages behind the end of the file would kill the process. */
static int check_length(int fd, const char *path, struct err *e)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) part;
	struct stat st;
	unsigned i;

	if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head ||
		memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || fstat(fd, &st) < 0)
		return 0; /* the loader has words for it */
	for (i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + i * sizeof part);

		if (pread(fd, &part, sizeof part, at) != (ssize_t)sizeof part ||
			(part.p_type == PT_LOAD &&
				part.p_offset + part.p_filesz > (uint64_t)st.st_size))
			return err_set(
				e, ERR_INPUT, "cannot load `%s`: the file is cut short", path);
	}
	return 0;
}

/* The loader knows the file by its descriptor's name; the user knows it by its path. */
static int loader_error(const char *fd_path, const char *path, struct err *e)
{
	const char *text = dlerror();
	size_t len = strlen(fd_path);

	if (text == NULL)
		text = "unknown error";
	if (strncmp(text, fd_path, len) == 0 && strncmp(text + len, ": ", 2) == 0)
		text += len + 2;
	return err_set(e, ERR_INPUT, "cannot load `%s`: %s", path, text);
}

static int load(const flow_plugin **plugin, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	char fd_path[64];
	void *handle;
	int rc;

	if (fd < 0 && errno == ELOOP)
		return err_set(
			e, ERR_POLICY, "`%s` is a symbolic link: name the file itself", path);
	if (fd < 0)
		return err_system(e, "cannot open `%s`", path);
	rc = check_file(fd, path, e);
	if (rc == 0)
		rc = check_length(fd, path, e);
	if (rc == 0) {
		(void)snprintf(fd_path, sizeof fd_path, "/proc/self/fd/%d", fd);
		handle = dlopen(fd_path, RTLD_NOW | RTLD_LOCAL);
		if (handle == NULL) {
			rc = loader_error(fd_path, path, e);
		} else {
			*plugin = dlsym(handle, SYMBOL);
			if (*plugin == NULL)
				rc = err_set(e, ERR_INPUT,
					"`%s` is no flow plugin: it exports no `" SYMBOL "`", path);
		}
	}
	(void)close(fd);
	return rc;
}

static bool name_is_good(const char *name)
{
	size_t i;

	if (name == NULL || !(name[0] >= 'a' && name[0] <= 'z'))
		return false;
	for (i = 0; name[i] != '\0'; i++) {
		char c = name[i];

		if (i >= 64 || !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

/* The i-th stage, with members that the plugin's header did not have yet as zero. */
static void stage_at(flow_stage *stage, const flow_plugin *plugin, unsigned i)
{
	size_t stride = plugin->stages->size;
	const char *at = (const char *)plugin->stages + i * stride;

	memset(stage, 0, sizeof *stage);
	memcpy(stage, at, stride < sizeof *stage ? stride : sizeof *stage);
}

static int check_table(const flow_plugin *p, const char *path, struct err *e)
{
	flow_stage stage;
	unsigned i;

	if (p->abi != FLOW_ABI)
		return err_set(e, ERR_INPUT,
			"`%s` was built for plugin ABI %u, this flow has %u: rebuild it", path,
			p->abi, FLOW_ABI);
	if (p->size < sizeof(flow_plugin) || p->size > STAGE_MAX || p->stages == NULL ||
		p->count == 0 || p->count > STAGES_MAX)
		return err_set(e, ERR_INPUT, "`%s`: its stage table makes no sense", path);
	if (p->stages->size < STAGE_MIN || p->stages->size > STAGE_MAX ||
		p->stages->size % sizeof(void *) != 0)
		return err_set(e, ERR_INPUT,
			"`%s`: a stage of %u bytes, at least %zu are needed: rebuild it", path,
			p->stages->size, STAGE_MIN);
	for (i = 0; i < p->count; i++) {
		stage_at(&stage, p, i);
		if (stage.size != p->stages->size || !name_is_good(stage.name) || stage.run == NULL)
			return err_set(e, ERR_INPUT,
				"`%s`: stage %u of its table has no proper size, name or run()",
				path, i);
	}
	return 0;
}

static int pick(flow_stage *stage, const flow_plugin *plugin, struct flow_ctx *ctx)
{
	const char *names[STAGES_MAX], *wanted = ctx->start->entry;
	unsigned i;

	for (i = 0; i < plugin->count; i++) {
		stage_at(stage, plugin, i);
		if (wanted[0] == '\0' || strcmp(stage->name, wanted) == 0)
			return 0;
		names[i] = stage->name;
	}
	return host_fail(ctx, "E0701", "`%s` has no stage `%s`%s", ctx->start->uses, wanted,
		host_near(ctx, wanted, names, plugin->count));
}

static int check_ports(struct flow_ctx *ctx, const flow_port *ports, const struct wire_list *given,
	const char *what)
{
	for (; ports != NULL && ports->name != NULL; ports++) {
		if (ports->required && host_find(given, ports->name) == NULL)
			return host_fail(ctx, "E0703",
				"needs %s named `%s`: %ss: {%s: ...} in dag.yaml",
				strcmp(what, "out") == 0 ? "an out" : "a dep", ports->name, what,
				ports->name);
	}
	return 0;
}

void native_run(struct flow_ctx *ctx)
{
	const char *path = host_path(ctx, ctx->start->uses);
	const flow_plugin *plugin = NULL;
	flow_stage stage;
	struct err e;

	if (load(&plugin, path, &e) < 0) {
		(void)host_fail(ctx, "E0701", "%s", e.text);
		return;
	}
	if (check_table(plugin, ctx->start->uses, &e) < 0) {
		(void)host_fail(ctx, "E0702", "%s", e.text);
		return;
	}
	if (pick(&stage, plugin, ctx) < 0 ||
		check_ports(ctx, stage.deps, &ctx->start->deps, "dep") < 0 ||
		check_ports(ctx, stage.outs, &ctx->start->outs, "out") < 0)
		return;
	if (stage.options != NULL && host_check_with(ctx, stage.options, "E0703") < 0)
		return;
	if (stage.run(&host_table, ctx) != 0)
		(void)host_fail(ctx, NULL, "stage `%s` failed and did not say why", stage.name);
}

static void describe_ports(struct json *j, const char *key, const flow_port *ports)
{
	json_key(j, key);
	json_open_array(j);
	for (; ports != NULL && ports->name != NULL; ports++) {
		json_open_object(j);
		json_key_string(j, "name", ports->name);
		json_key_string(j, "help", ports->help != NULL ? ports->help : "");
		json_key_bool(j, "required", ports->required != 0);
		json_end(j);
	}
	json_end(j);
}

static void describe_bound(struct json *j, const char *key, double bound)
{
	if (isinf(bound))
		return;
	json_key(j, key);
	json_number(j, bound);
}

static void describe_options(struct json *j, const flow_option *options)
{
	json_key(j, "options");
	if (options == NULL) {
		json_nothing(j);
		return;
	}
	json_open_array(j);
	for (; options->key != NULL; options++) {
		struct option option;

		option_read(&option, options->key, options->type != NULL ? options->type : "any");
		json_open_object(j);
		json_key_string(j, "key", options->key);
		json_key_string(j, "type", option.type);
		describe_bound(j, "min", option.min);
		describe_bound(j, "max", option.max);
		json_key_string(j, "default", options->value);
		json_key_string(j, "help", options->help != NULL ? options->help : "");
		json_end(j);
	}
	json_end(j);
}

static void describe(const flow_plugin *plugin, struct buf *out)
{
	flow_stage stage;
	struct json j;
	unsigned i;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "abi", plugin->abi);
	json_key(&j, "stages");
	json_open_array(&j);
	for (i = 0; i < plugin->count; i++) {
		stage_at(&stage, plugin, i);
		json_open_object(&j);
		json_key_string(&j, "name", stage.name);
		json_key_string(&j, "version", stage.version);
		json_key_string(&j, "help", stage.help);
		describe_ports(&j, "deps", stage.deps);
		describe_ports(&j, "outs", stage.outs);
		describe_options(&j, stage.options);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	buf_char(out, '\n');
}

static _Noreturn void describe_child(const char *path, pid_t parent)
{
	const flow_plugin *plugin = NULL;
	struct buf out = { 0 };
	struct err e;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it was killed before that */
		_exit(1);
	if (load(&plugin, path, &e) < 0 || check_table(plugin, path, &e) < 0) {
		(void)dprintf(2, "flow-worker: %s\n", e.text);
		_exit(1);
	}
	describe(plugin, &out);
	_exit(write(1, out.data, out.len) == (ssize_t)out.len ? 0 : 1);
}

int native_describe(const char *path)
{
	pid_t self = getpid(), pid;
	int status;

	/* Whoever asks may be killed, or kill this process; loading may take for ever. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = fork();
	if (pid == 0)
		describe_child(path, self);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 70;
	if (WIFSIGNALED(status)) {
		(void)fprintf(stderr, "flow-worker: `%s` crashed while it was loaded (signal %d)\n",
			path, WTERMSIG(status));
		return 1;
	}
	return WEXITSTATUS(status);
}
