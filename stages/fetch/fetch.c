#define _XOPEN_SOURCE 700 /* realpath() */

#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "common/dictionary.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/jsonin.h"
#include "common/jsonout.h"
#include "common/text.h"
#include "fetch/digest.h"
#include "fetch/transfer.h"

#define URL_MAX     4000
#define MIRRORS_MAX 16
#define WAIT_MAX_S  300
#define COPY_BLOCK  ((size_t)1 << 20)

/* An address that has the file. */
struct mirror {
	char url[URL_MAX];
	int is_out; /* it will not give it */
};

struct fetch {
	const flow_host *host;
	flow_ctx *ctx;
	struct mirror *mirror;
	size_t mirrors;
	char wanted[DIGEST_LENGTH + 1], digest[DIGEST_LENGTH + 1];
	const char *out, *token, *ca;
	char *path; /* where it grows: in the checkpoint's folder, else the out itself */
	char validator[VALIDATOR_MAX];
	size_t validator_of; /* the mirror that gave it */
	uint64_t size_max;
	long retries, stall_s, connect_s;
	double delay_s;
	const char *from; /* the address that gave it */
	uint64_t resumed;
};

static int add_url(struct fetch *f, const char *url, struct fault *fault)
{
	struct mirror *m = &f->mirror[f->mirrors];
	const char *colon = strchr(url, ':'), *at, *slash;

	if (f->mirrors == MIRRORS_MAX)
		return fault_set(fault, "more than %d addresses", MIRRORS_MAX);
	if (colon == NULL ||
		(strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0 &&
			strncasecmp(url, "file:", 5) != 0))
		return fault_set(
			fault, "'%.200s' does not begin with https://, http:// or file:", url);
	at = strchr(url, '@');
	slash = strchr(colon + 3 <= url + strlen(url) ? colon + 3 : url, '/');
	if (at != NULL && strncasecmp(url, "file:", 5) != 0 && (slash == NULL || at < slash))
		return fault_set(fault,
			"an address must hold no user and password; give the name of a "
			"variable with a token in with.token_env");
	(void)snprintf(m->url, sizeof m->url, "%s", url);
	f->mirrors++;
	return 0;
}

static int read_urls(struct fetch *f, const char *json, struct fault *fault)
{
	char url[URL_MAX];
	struct jsonin in;
	int more;

	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1)
		if (jsonin_string(&in, url, sizeof url, fault) < 0 || add_url(f, url, fault) < 0)
			return -1;
	return more;
}

static int read_token(struct fetch *f, const char *name, struct fault *fault)
{
	if (name == NULL)
		return 0;
	f->token = getenv(name);
	if (f->token == NULL || f->token[0] == '\0')
		return fault_set(fault,
			"with.token_env: there is no variable %s; list it under env or "
			"secrets of the stage",
			name);
	return 0;
}

static int read_options(struct fetch *f, struct fault *fault)
{
	const char *url = f->host->text(f->ctx, "url", NULL),
		   *urls = f->host->json(f->ctx, "mirrors");
	const char *wanted = f->host->text(f->ctx, "sha256", NULL);

	if (url != NULL && add_url(f, url, fault) < 0)
		return fault_context(fault, "with.url");
	if (urls != NULL && read_urls(f, urls, fault) < 0)
		return fault_context(fault, "with.mirrors");
	if (f->mirrors == 0)
		return fault_set(fault, "with.url is wanted");
	if (wanted != NULL && !digest_read(f->wanted, wanted))
		return fault_set(
			fault, "with.sha256: '%.100s' is not 64 hexadecimal digits", wanted);
	f->size_max = (uint64_t)f->host->integer(f->ctx, "max_mb", 100000, 1, 100000000) * 1000000;
	f->retries = f->host->integer(f->ctx, "retries", 5, 0, 1000);
	f->delay_s = f->host->number(f->ctx, "delay", 1, 0, WAIT_MAX_S);
	f->stall_s = f->host->integer(f->ctx, "stall", 30, 1, 3600);
	f->connect_s = f->host->integer(f->ctx, "connect", 10, 1, 3600);
	f->ca = f->host->text(f->ctx, "ca", NULL);
	return read_token(f, f->host->text(f->ctx, "token_env", NULL), fault);
}

/* 0: it may go on; -1: flow wants the stage to end. */
static int pause_for(const struct fetch *f, double seconds)
{
	const struct timespec tenth = { .tv_nsec = 100000000 };

	for (double waited = 0; waited < seconds; waited += 0.1) {
		if (f->host->cancelled(f->ctx))
			return -1;
		(void)nanosleep(&tenth, NULL);
	}
	return 0;
}

static int copy_bytes(int from, int to, uint64_t size_max, struct fault *fault)
{
	char *block = array_new(COPY_BLOCK, 1);
	uint64_t size = 0;
	ssize_t got = 1;
	int rc = 0;

	while (rc == 0 && got != 0) {
		got = read(from, block, COPY_BLOCK);
		if (got < 0)
			rc = errno == EINTR ? 0 : fault_system(fault, "cannot read it");
		for (ssize_t done = 0; rc == 0 && done < got;) {
			ssize_t put = write(to, block + done, (size_t)(got - done));

			if (put < 0 && errno != EINTR)
				rc = fault_system(fault, "cannot write it");
			done += put > 0 ? put : 0;
		}
		size += got > 0 ? (uint64_t)got : 0;
		if (size > size_max)
			rc = fault_set(fault, "it has more than %llu bytes (with.max_mb)",
				(unsigned long long)size_max);
	}
	free(block);
	return rc;
}

static int copy_file(const char *from, const char *to, uint64_t size_max, struct fault *fault)
{
	struct stat status;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, rc = 0;

	if (in < 0 || fstat(in, &status) < 0)
		rc = fault_system(fault, "cannot open '%s'", from);
	else if (!S_ISREG(status.st_mode))
		rc = fault_set(fault, "'%s' is not a plain file", from);
	if (rc == 0)
		out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (rc == 0 && out < 0)
		rc = fault_system(fault, "cannot write '%s'", to);
	if (rc == 0)
		rc = copy_bytes(in, out, size_max, fault);
	if (out >= 0 && close(out) < 0 && rc == 0)
		rc = fault_system(fault, "cannot write '%s'", to);
	if (in >= 0)
		(void)close(in);
	return rc;
}

/* file:NAME, a file below the project's folder, wherever links lead. */
static int get_file(struct fetch *f, const char *name, struct fault *fault)
{
	char folder[PATH_MAX], path[PATH_MAX];
	size_t length;

	if (strncmp(name, "//", 2) == 0)
		return fault_set(
			fault, "a file: is a name below the project's folder, as file:data/x.csv");
	if (realpath(".", folder) == NULL || realpath(name, path) == NULL)
		return fault_system(fault, "cannot find it");
	length = strlen(folder);
	if (strncmp(path, folder, length) != 0 || path[length] != '/')
		return fault_set(fault, "it lies outside of the project's folder");
	return copy_file(path, f->path, f->size_max, fault);
}

/* Of this start of the machine: what was not synced before another one may be zeros. */
static void read_boot(char boot[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, boot, 36) : 0;

	boot[got > 0 ? got : 0] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

static void name_validator(const struct fetch *f, struct text *path)
{
	text_format(path, "%s.validator", f->path);
}

/* What the next attempt of the task can go on from: three lines. */
static void keep_validator(const struct fetch *f)
{
	struct text path = { 0 }, lines = { 0 };
	struct fault ignored;
	char boot[40];

	if (f->host->checkpoint(f->ctx) == NULL)
		return;
	read_boot(boot);
	name_validator(f, &path);
	text_format(&lines, "%s\n%s\n%s\n", f->mirror[f->validator_of].url, boot, f->validator);
	/* Without it the next attempt begins anew, which is no fault of this one. */
	(void)output_file(path.data, lines.data, lines.length, &ignored);
	text_release(&path);
	text_release(&lines);
}

static void began(void *user, const char *validator)
{
	struct fetch *f = user;

	(void)snprintf(f->validator, sizeof f->validator, "%s", validator);
	keep_validator(f);
}

static enum transfer_result get(struct fetch *f, size_t i, long *wait_s, struct fault *fault)
{
	struct transfer t = { .url = f->mirror[i].url,
		.path = f->path,
		.token = f->token,
		.ca = f->ca,
		.began = began,
		.user = f,
		.size_max = f->size_max,
		.stall_s = f->stall_s,
		.connect_s = f->connect_s,
		.host = f->host,
		.ctx = f->ctx };
	enum transfer_result result;

	if (strncasecmp(t.url, "file:", 5) == 0) {
		f->validator[0] = '\0';
		return get_file(f, t.url + 5, fault) < 0 ? TRANSFER_NEVER : TRANSFER_DONE;
	}
	/* Bytes of another mirror are gone on from only when the digest will tell. */
	if (i == f->validator_of)
		(void)snprintf(t.validator, sizeof t.validator, "%s", f->validator);
	f->validator_of = i;
	result = transfer_run(&t, fault);
	(void)snprintf(f->validator, sizeof f->validator, "%s", t.validator);
	f->resumed = t.resumed;
	*wait_s = t.wait_s;
	return result;
}

/* The file is there: is it the one? */
static int check(struct fetch *f, struct fault *fault)
{
	if (digest_file(f->digest, f->path, fault) < 0)
		return -1;
	if (f->wanted[0] == '\0' || strcmp(f->wanted, f->digest) == 0)
		return 0;
	f->validator[0] = '\0';
	(void)unlink(f->path);
	return fault_set(fault, "its sha256 is %s, not %s", f->digest, f->wanted);
}

/* The line up to a line end is cut off the text; NULL: there is none. */
static char *take_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

static void find_validator(struct fetch *f)
{
	struct text path = { 0 }, copy = { 0 };
	struct mapped file = { 0 };
	struct fault ignored;
	char boot[40], *at, *url, *its_boot, *validator;

	read_boot(boot);
	name_validator(f, &path);
	if (mapped_open(&file, path.data, &ignored) == 0 && file.data != NULL) {
		text_add(&copy, (const char *)file.data, file.size);
		at = copy.data;
		url = take_line(&at);
		its_boot = url != NULL ? take_line(&at) : NULL;
		validator = its_boot != NULL ? take_line(&at) : NULL;
		/* With a digest to be checked at the end it may be tried. */
		for (size_t i = 0; validator != NULL && i < f->mirrors; i++) {
			if (strcmp(f->mirror[i].url, url) != 0 ||
				strlen(validator) >= sizeof f->validator ||
				(strcmp(boot, its_boot) != 0 && f->wanted[0] == '\0'))
				continue;
			(void)snprintf(f->validator, sizeof f->validator, "%s", validator);
			f->validator_of = i;
		}
	}
	mapped_close(&file);
	text_release(&copy);
	text_release(&path);
}

/* One round over the mirrors. 1: it is there; 0: none gave it, *wait_s was asked for; -1. */
static int try_all(struct fetch *f, struct fault *last, long *wait_s)
{
	int left = 0;

	for (size_t i = 0; i < f->mirrors; i++) {
		struct mirror *m = &f->mirror[i];
		enum transfer_result result;
		struct fault fault = { "" };
		long wait = 0;

		if (m->is_out)
			continue;
		result = get(f, i, &wait, &fault);
		if (result == TRANSFER_DONE && check(f, &fault) < 0)
			result = TRANSFER_NEVER;
		if (result == TRANSFER_DONE) {
			f->from = m->url;
			return 1;
		}
		keep_validator(f);
		(void)fault_context(&fault, "%.300s", m->url);
		f->host->log(f->ctx, fault.text);
		*last = fault;
		if (result == TRANSFER_STOPPED)
			return -1;
		m->is_out = result == TRANSFER_NEVER;
		left += !m->is_out;
		*wait_s = wait > *wait_s ? wait : *wait_s;
	}
	return left != 0 ? 0 : -1;
}

static int get_it(struct fetch *f, struct fault *fault)
{
	double delay = f->delay_s;

	for (long tried = 0;; tried++) {
		long asked_s = 0;
		int rc = try_all(f, fault, &asked_s);

		if (rc != 0)
			return rc == 1 ? 0 : -1;
		if (tried == f->retries)
			return fault_context(fault, "given up after %ld tries", tried + 1);
		if (asked_s > WAIT_MAX_S)
			return fault_context(
				fault, "the server wants to be left alone for %ld s", asked_s);
		if (pause_for(f, (double)asked_s > delay ? (double)asked_s : delay) < 0)
			return fault_set(fault, "stopped");
		delay = 2 * delay < WAIT_MAX_S ? 2 * delay : WAIT_MAX_S;
	}
}

static int put_out(struct fetch *f, struct fault *fault)
{
	struct text path = { 0 };

	name_validator(f, &path);
	(void)unlink(path.data);
	text_release(&path);
	if (strcmp(f->path, f->out) == 0 || rename(f->path, f->out) == 0)
		return 0;
	return copy_file(f->path, f->out, UINT64_MAX, fault); /* another file system */
}

/* What was got from where, in the log and in the out `record`. */
static int record(struct fetch *f, struct fault *fault)
{
	const char *path = f->host->out(f->ctx, "record");
	struct text text = { 0 };
	struct jsonout json = { .out = &text };
	struct stat status = { 0 };
	char line[100];
	int rc = 0;

	(void)stat(f->out, &status);
	(void)snprintf(line, sizeof line, "sha256 %s", f->digest);
	f->host->log(f->ctx, line);
	f->host->metric(f->ctx, "bytes", (double)status.st_size, -1);
	jsonout_open(&json, '{');
	jsonout_text(&json, "url", f->from);
	jsonout_text(&json, "sha256", f->digest);
	jsonout_key(&json, "bytes");
	jsonout_integer(&json, (uint64_t)status.st_size);
	jsonout_close(&json);
	text_add(&text, "\n", 1);
	if (path != NULL)
		rc = output_file(path, text.data, text.length, fault);
	if (f->resumed != 0) {
		(void)snprintf(line, sizeof line, "resumed after %llu bytes",
			(unsigned long long)f->resumed);
		f->host->log(f->ctx, line);
	}
	text_release(&text);
	return rc;
}

static int set_path(struct fetch *f, struct fault *fault)
{
	const char *checkpoint = f->host->checkpoint(f->ctx);
	struct text path = { 0 };

	text_format(&path, "%s%s", checkpoint != NULL ? checkpoint : f->out,
		checkpoint != NULL ? "/part" : "");
	f->path = path.data;
	if (checkpoint == NULL)
		return 0;
	if (mkdir(checkpoint, 0777) < 0 && errno != EEXIST)
		return fault_system(
			fault, "cannot make the folder '%s' for the checkpoint", checkpoint);
	find_validator(f);
	return 0;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct fetch f = { .host = host, .ctx = ctx, .out = host->out(ctx, "data") };
	int rc;

	if (f.out == NULL)
		return host->fail(ctx, "needs an out named 'data'");
	f.mirror = array_new(MIRRORS_MAX, sizeof *f.mirror);
	rc = read_options(&f, &fault);
	if (rc == 0 && host->failed(ctx))
		rc = -1;
	if (rc == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		rc = fault_set(&fault, "cannot start libcurl");
	if (rc == 0) {
		rc = set_path(&f, &fault);
		if (rc == 0)
			rc = get_it(&f, &fault);
		if (rc == 0)
			rc = put_out(&f, &fault);
		if (rc == 0)
			rc = record(&f, &fault);
		free(f.path);
		curl_global_cleanup();
	}
	free(f.mirror);
	return rc < 0 ? host->fail(ctx, fault.text) : 0;
}

static const flow_port outs[] = {
	{ "data", "the file", 1 },
	{ "record", "address, sha256 and size, JSON", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "url", "text", "",
		"https://, http://, or file:NAME for a file below the project's folder" },
	{ "mirrors", "list", "[]", "addresses to try after url, in this order" },
	{ "sha256", "text", "",
		"what the file must hash to; without it the digest is told in the log" },
	{ "max_mb", "integer 1..100000000", "100000", "a larger file is refused; MB" },
	{ "retries", "integer 0..1000", "5",
		"tries after the first: when the network fails, the server says 408, 425, 429 or "
		"5xx, or the "
		"file ends too early" },
	{ "delay", "number 0..300", "1",
		"seconds before the second try, doubled each time; Retry-After is heeded" },
	{ "stall", "integer 1..3600", "30", "seconds below 1 kB/s after which a try is given up" },
	{ "connect", "integer 1..3600", "10", "seconds for a connection" },
	{ "token_env", "text", "",
		"environment variable with a token, sent as `Authorization: Bearer`" },
	{ "ca", "text", "",
		"file of certificates (PEM) that are trusted instead of the system's: of an "
		"authority of "
		"your own" },
	{ NULL, NULL, NULL, NULL },
};

static const flow_port deps[] = { { NULL, NULL, 0 } };

const flow_stage stage_fetch = { sizeof(flow_stage), "fetch", "1",
	"get a file over HTTP, checked by its digest", deps, outs, options, run };
