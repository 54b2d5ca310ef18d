/*
 * fetch/transfer.h - one try to get a file over HTTP.
 *
 *     struct transfer t = { .url = url, .path = part, .size_max = bytes, .host = host, .ctx = ctx };
 *     switch (transfer_run(&t, fault)) ...            TRANSFER_DONE, _AGAIN, _NEVER, _STOPPED
 *
 * The file grows at `path`. What was there is gone on from when t.validator is what the server gave with
 * it and the server still has that: it is asked with If-Range, so that parts of two files never meet.
 * Only http and https; from https no redirect leads to http; addresses of the link (169.254/16, fe80::/10)
 * are not connected to: there, machines in clouds hand out credentials.
 */
#ifndef FLOW_STAGES_FETCH_TRANSFER_H
#define FLOW_STAGES_FETCH_TRANSFER_H

#include <flow/plugin.h>

#include <stdint.h>

struct fault;

enum transfer_result {
	TRANSFER_DONE,
	TRANSFER_AGAIN,   /* the fault may pass: t.wait_s */
	TRANSFER_NEVER,   /* this address will not give it */
	TRANSFER_STOPPED, /* flow wants the stage to end, or the disk does not take it */
};

#define VALIDATOR_MAX 256

struct transfer {
	const char *url, *path;
	const char *token; /* sent to the first host only; NULL: none */
	const char *ca;    /* file of the certificates that are trusted; NULL: the system's */
	uint64_t size_max;
	long stall_s, connect_s;
	const flow_host *host;
	flow_ctx *ctx;
	char validator[VALIDATOR_MAX]; /* in and out: ETag or Last-Modified; "": no resuming */
	/* Told when the first bytes come, so that who is killed meanwhile has it. */
	void (*began)(void *user, const char *validator);
	void *user;
	long wait_s;                   /* what the server asked for, or 0 */
	uint64_t resumed;              /* bytes that were there and stayed */
};

enum transfer_result transfer_run(struct transfer *transfer, struct fault *fault);

#endif
