#include "fetch/transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "common/fault.h"

#define REDIRECTS_MAX 5
#define SPEED_MIN     1000 /* bytes a second */

struct state {
	struct transfer *t;
	CURL *curl;
	int fd;
	uint64_t size, asked; /* bytes in the file; from where it was asked for */
	int has_begun;        /* the first bytes of the answer have been seen */
	int is_blocked, is_too_large, is_stopped, is_mixed, write_error;
	char validator[VALIDATOR_MAX], etag[VALIDATOR_MAX];
	long wait_s;
	uint64_t range_start;
	char message[CURL_ERROR_SIZE];
};

/* Kernel addresses of the link: 169.254/16 and fe80::/10, the first also in the clothes of IPv6. */
static int is_of_link(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;

		return ntohl(in->sin_addr.s_addr) >> 16 == 0xa9fe;
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)address;
		const unsigned char *b = in->sin6_addr.s6_addr;

		if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr))
			return b[12] == 169 && b[13] == 254;
		return b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
	}
	return 1;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct state *s = context;

	(void)purpose;
	if (is_of_link(&address->addr)) {
		s->is_blocked = 1;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The value of a header line when it has that name: without blanks and line end. */
static int header_value(char *value, size_t room, const char *line, size_t length, const char *name)
{
	size_t skip = strlen(name);

	if (length <= skip || strncasecmp(line, name, skip) != 0)
		return 0;
	while (skip < length && line[skip] == ' ')
		skip++;
	while (length > skip && (unsigned char)line[length - 1] <= ' ')
		length--;
	if (length - skip >= room)
		return 0;
	memcpy(value, line + skip, length - skip);
	value[length - skip] = '\0';
	return 1;
}

static size_t take_header(char *line, size_t one, size_t count, void *context)
{
	struct state *s = context;
	size_t length = one * count;
	char value[VALIDATOR_MAX];

	if (length > 5 && strncasecmp(line, "HTTP/", 5) == 0) {
		/* Of an answer that leads elsewhere nothing stays. */
		s->validator[0] = s->etag[0] = '\0';
		s->wait_s = 0;
		s->range_start = UINT64_MAX;
	} else if (header_value(value, sizeof value, line, length, "ETag:")) {
		/* A weak one says "much the same", which is not enough for the same bytes. */
		if (value[0] == '"')
			(void)snprintf(s->etag, sizeof s->etag, "%s", value);
	} else if (header_value(value, sizeof value, line, length, "Last-Modified:")) {
		(void)snprintf(s->validator, sizeof s->validator, "%s", value);
	} else if (header_value(value, sizeof value, line, length, "Retry-After:")) {
		s->wait_s = strtol(value, NULL, 10);
	} else if (header_value(value, sizeof value, line, length, "Content-Range: bytes ")) {
		s->range_start = strtoull(value, NULL, 10);
	}
	return length;
}

/* What the bytes that come belong to. */
static const char *validator_of(const struct state *s)
{
	return s->etag[0] != '\0' ? s->etag : s->validator;
}

/* The answer is good and its first bytes come: does it go on from where the file ends? */
static int begin(struct state *s)
{
	long status = 0;

	s->has_begun = 1;
	(void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 206 && s->range_start != s->asked) {
		s->is_mixed = 1;
		return -1;
	}
	if (status != 206) {
		s->size = 0; /* the whole file comes */
		if (ftruncate(s->fd, 0) < 0 || lseek(s->fd, 0, SEEK_SET) < 0) {
			s->write_error = errno;
			return -1;
		}
	}
	/* Before the bytes: a part never lies under what is said of another file. */
	if (s->t->began != NULL)
		s->t->began(s->t->user, validator_of(s));
	return 0;
}

static size_t take_bytes(char *bytes, size_t one, size_t count, void *context)
{
	struct state *s = context;
	size_t size = one * count, done = 0;

	if (!s->has_begun && begin(s) < 0)
		return 0;
	if (s->size > s->t->size_max || size > s->t->size_max - s->size) {
		s->is_too_large = 1;
		return 0;
	}
	while (done < size) {
		ssize_t put = write(s->fd, bytes + done, size - done);

		if (put < 0 && errno != EINTR) {
			s->write_error = errno;
			return 0;
		}
		done += put > 0 ? (size_t)put : 0;
	}
	s->size += size;
	return size;
}

static int tell(void *context, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t up_now)
{
	struct state *s = context;

	(void)up;
	(void)up_now;
	if (s->t->host->cancelled(s->t->ctx)) {
		s->is_stopped = 1;
		return 1;
	}
	if (total > 0 && now <= total)
		s->t->host->progress(s->t->ctx, (double)now, (double)total, "bytes");
	return 0;
}

static int open_file(struct state *s, struct fault *fault)
{
	off_t end;

	s->fd = open(s->t->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (s->fd < 0)
		return fault_system(fault, "cannot write '%s'", s->t->path);
	end = lseek(s->fd, 0, SEEK_END);
	if (end > 0 && s->t->validator[0] == '\0')
		end = ftruncate(s->fd, 0) == 0 ? 0 : -1;
	if (end < 0 || lseek(s->fd, end, SEEK_SET) < 0)
		return fault_system(fault, "cannot write '%s'", s->t->path);
	s->size = s->asked = (uint64_t)end;
	return 0;
}

/* Options that cannot fail but for want of memory, which curl_easy_perform() tells. */
static void set_limits(struct state *s)
{
	int is_plain = strncasecmp(s->t->url, "http:", 5) == 0;
	CURL *c = s->curl;

	(void)curl_easy_setopt(c, CURLOPT_URL, s->t->url);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, is_plain ? "http,https" : "https");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	(void)curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	(void)curl_easy_setopt(c, CURLOPT_UNRESTRICTED_AUTH, 0L);
	(void)curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, s->t->connect_s);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SPEED_MIN);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, s->t->stall_s);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT, "flow-fetch/1");
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->message);
	if (s->t->ca != NULL)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, s->t->ca);
	if (s->t->token != NULL) {
		(void)curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		(void)curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, s->t->token);
	}
}

static void set_callbacks(struct state *s)
{
	CURL *c = s->curl;

	(void)curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, (void *)s);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, (void *)s);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_bytes);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, (void *)s);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, tell);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, (void *)s);
	(void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

/* Only the bytes that lack, if the file is still that one. */
static struct curl_slist *set_range(struct state *s, char range[32])
{
	char condition[VALIDATOR_MAX + 20];
	struct curl_slist *headers;

	if (s->asked == 0)
		return NULL;
	(void)snprintf(range, 32, "%" PRIu64 "-", s->asked);
	(void)snprintf(condition, sizeof condition, "If-Range: %s", s->t->validator);
	headers = curl_slist_append(NULL, condition);
	(void)curl_easy_setopt(s->curl, CURLOPT_RANGE, range);
	(void)curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
	return headers;
}

static enum transfer_result judge_status(struct state *s, long status, struct fault *fault)
{
	(void)fault_set(fault, "the server says %ld", status);
	s->t->wait_s = s->wait_s > 0 ? s->wait_s : 0;
	if (status == 416) { /* what is there is no part of what it has */
		s->t->validator[0] = '\0';
		return TRANSFER_AGAIN;
	}
	return status == 408 || status == 425 || status == 429 || status >= 500 ? TRANSFER_AGAIN
										: TRANSFER_NEVER;
}

/* What went wrong beside the status. */
static enum transfer_result judge_code(struct state *s, CURLcode code, struct fault *fault)
{
	const char *why = s->message[0] != '\0' ? s->message : curl_easy_strerror(code);

	if (s->is_stopped || s->write_error != 0) {
		errno = s->write_error;
		if (s->is_stopped)
			(void)fault_set(fault, "stopped");
		else
			(void)fault_system(fault, "cannot write '%s'", s->t->path);
		return TRANSFER_STOPPED;
	}
	if (s->is_mixed) {
		s->t->validator[0] = '\0';
		(void)fault_set(fault, "the server sent another part than it was asked for");
		return TRANSFER_AGAIN;
	}
	if (s->is_too_large)
		(void)fault_set(
			fault, "it has more than %" PRIu64 " bytes (with.max_mb)", s->t->size_max);
	else if (s->is_blocked)
		(void)fault_set(fault,
			"its address is one of the link (169.254/16, fe80::/10), which is "
			"not connected to");
	else
		(void)fault_set(fault, "%s%s", why,
			code == CURLE_PEER_FAILED_VERIFICATION
				? " (with.ca names the certificate of an authority of your own)"
				: "");
	if (s->is_too_large || s->is_blocked || code == CURLE_UNSUPPORTED_PROTOCOL ||
		code == CURLE_URL_MALFORMAT || code == CURLE_TOO_MANY_REDIRECTS ||
		code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		return TRANSFER_NEVER;
	return TRANSFER_AGAIN;
}

static enum transfer_result judge(struct state *s, CURLcode code, struct fault *fault)
{
	long status = 0;

	(void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK) {
		/* An empty file has no bytes to begin with. */
		if (!s->has_begun && begin(s) < 0)
			return judge_code(s, code, fault);
		s->t->resumed = s->asked != 0 && status == 206 ? s->asked : 0;
		return TRANSFER_DONE;
	}
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return judge_status(s, status, fault);
	return judge_code(s, code, fault);
}

enum transfer_result transfer_run(struct transfer *transfer, struct fault *fault)
{
	struct state s = { .t = transfer, .fd = -1, .range_start = UINT64_MAX };
	enum transfer_result result = TRANSFER_STOPPED;
	struct curl_slist *headers = NULL;
	char range[32];

	transfer->wait_s = 0;
	s.curl = curl_easy_init();
	if (s.curl == NULL)
		(void)fault_set(fault, "no memory for a transfer");
	if (s.curl == NULL || open_file(&s, fault) < 0)
		goto out;
	set_limits(&s);
	set_callbacks(&s);
	headers = set_range(&s, range);
	result = judge(&s, curl_easy_perform(s.curl), fault);
	if (s.has_begun && !s.is_mixed)
		(void)snprintf(
			transfer->validator, sizeof transfer->validator, "%s", validator_of(&s));
	if (close(s.fd) < 0 && result == TRANSFER_DONE) {
		(void)fault_system(fault, "cannot write '%s'", transfer->path);
		result = TRANSFER_STOPPED;
	}
	s.fd = -1;
out:
	if (s.fd >= 0)
		(void)close(s.fd);
	curl_slist_free_all(headers);
	if (s.curl != NULL)
		curl_easy_cleanup(s.curl);
	return result;
}
