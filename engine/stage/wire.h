/*
 * stage/wire.h - what flow and flow-worker say to each other.
 *
 * One SOCK_SEQPACKET pair a run; one datagram a message. The worker inherits its end as descriptor WORKER_FD.
 *
 *     flow -> worker   SLOT   here is the log descriptor of slot n (SCM_RIGHTS); sent once a slot, again when it is replaced
 *                      START  begin this attempt in that slot
 *                      SIGNAL send a signal to an attempt's process group; SIGKILL: to its whole tree
 *     worker -> flow   ENDED  the attempt is over and nothing of it runs any more
 * End of file on the worker's side means that flow died: the worker kills every tree and exits.
 * A START larger than WIRE_INLINE travels in a memfd that is attached to a message of kind WIRE_START_FD.
 *
 * Encoding: a fixed header {u32 magic, u32 kind, u64 id}, then fields in order, numbers little-endian in their own width,
 * texts as u32 length + bytes + NUL. Decoders check every length and borrow texts from the message, which must outlive them.
 */
#ifndef FLOW_STAGE_WIRE_H
#define FLOW_STAGE_WIRE_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct err;

#define WORKER_FD   3
#define WIRE_MAGIC  0x31574c46u /* "FLW1" */
#define WIRE_INLINE (96u * 1024u)
#define WIRE_MAX    (64u * 1024u * 1024u)

enum wire_kind { WIRE_SLOT = 1, WIRE_START, WIRE_START_FD, WIRE_SIGNAL, WIRE_ENDED };
enum wire_stage { WIRE_COMMAND, WIRE_SHELL, WIRE_PLUGIN, WIRE_LUA };

struct wire_pair {
	const char *name, *value;
};

struct wire_list {
	const struct wire_pair *items;
	uint32_t count;
};

struct wire_words {
	const char *const *items;
	uint32_t count;
};

/* What an attempt may take; 0: no limit. See stage/limits.h. */
struct wire_limits {
	uint64_t memory_bytes; /* its processes together; of a Lua state: its cap, 0 the default */
	uint64_t file_bytes;   /* a file it writes, its log too */
	uint32_t cpu_seconds;  /* each process */
	uint32_t open_files;   /* each process */
	uint32_t processes;    /* at once */
};

/* All that an attempt needs to know. Paths are absolute or relative to the project's folder, the worker's own cwd. */
struct wire_start {
	uint64_t id; /* chosen by flow; comes back in ENDED */
	uint32_t slot;
	uint32_t stage;         /* enum wire_stage */
	const char *token;      /* FLOW_ATTEMPT of everything the attempt starts */
	const char *cwd;        /* "" for the project's folder */
	struct wire_words argv; /* WIRE_COMMAND: the words */
	const char *text;       /* WIRE_SHELL: the command; WIRE_LUA: an inline script, else "" */
	const char *uses; /* WIRE_PLUGIN, WIRE_LUA: path of the file, "" for an inline script */
	const char *
		entry; /* WIRE_PLUGIN: stage in the table, "" for the first; WIRE_LUA: chunk name as the user knows it */
	const char *with;         /* JSON object */
	const char *params;       /* JSON object of the tracked params, nested */
	struct wire_list env;     /* set on top of what the worker inherited */
	struct wire_list secrets; /* set too, and taken out of whatever the attempt writes to its log */
	struct wire_list deps;    /* name, path */
	struct wire_list outs;    /* name, path to write */
	struct wire_list modules; /* Lua: what `require` may load: name, path */
	const char *task;         /* FLOW_TASK */
	const char *run_id;
	const char *workdir; /* the attempt's own folder; FLOW_TMPDIR */
	const char *
		report; /* file that metrics, progress and the reason of a failure are appended to; FLOW_METRICS */
	const char *checkpoint; /* folder, or "" */
	uint64_t seed;
	struct wire_limits limits;
	uint32_t attempt;
	uint32_t threads;
	uint32_t unsafe; /* Lua: io and os allowed */
	uint32_t isolate; /* commands: a private view of the project, see stage/isolate.h */
	struct wire_words hidden; /* paths that are not there in that view: the outs */
};

enum wire_end {
	END_EXIT,      /* value: exit status */
	END_SIGNAL,    /* value: signal number */
	END_MEMORY,    /* killed for lack of memory, its own or the machine's; text says which */
	END_LIMIT,     /* ended by a limit of its resources; text says which */
	END_NOT_FOUND, /* could not start: value is errno; text says what */
};

struct wire_ended {
	uint64_t id;
	uint32_t end; /* enum wire_end */
	uint32_t value;
	uint32_t strays;             /* processes left behind by the attempt, killed */
	uint64_t user_us, system_us; /* CPU time of the tree that was waited for */
	uint64_t peak_rss_kib;
	const char *text; /* "", why it could not start, or why it was ended */
};

/* Append one message to *out. */
void wire_put_start(struct buf *out, const struct wire_start *s);
void wire_put_slot(struct buf *out, uint32_t slot);
void wire_put_signal(struct buf *out, uint64_t id, uint32_t signo);
void wire_put_ended(struct buf *out, const struct wire_ended *m);

/* Kind of a message and its id (SLOT: the slot); 0 when it is not one of ours. */
uint32_t wire_kind(const void *data, size_t len, uint64_t *id);

/* Take a message apart; ERR_CORRUPT when a length does not fit. Lists live in the arena, texts in data. */
int wire_get_start(
	struct wire_start *s, const void *data, size_t len, struct arena *a, struct err *e);
int wire_get_signal(uint32_t *signo, const void *data, size_t len, struct err *e);
int wire_get_ended(struct wire_ended *m, const void *data, size_t len, struct err *e);

/* Send one message (fd < 0: no descriptor attached; a large START goes by memfd on its own); receive one (*fd is -1 or the
 * descriptor that came along). recv: 1 a message, 0 end of file, ERR_SYSTEM (EAGAIN in e->sys when nothing is there). */
int wire_send(int sock, const struct buf *message, int fd, struct err *e);
int wire_recv(int sock, struct buf *message, int *fd, struct err *e);

#endif
