/*
 * store/project.h - the folder of a project and its .flow.
 *
 *     project_open(&p, "examples/fashion", PROJECT_WRITE, e)     makes .flow when absent, takes writer.lock
 *     project_open(&p, folder, PROJECT_READ, e)                  ERR_NOTFOUND when there is no .flow; takes no lock
 *     project_close(&p)
 *
 * root_fd and flow_fd are folder descriptors: everything below is opened relative to them, so that renaming the folder while
 * flow runs does no harm. The lock is an open-file-description lock on a CLOEXEC descriptor: it ends with the process, however
 * that ends, and nobody ever has to remove it. A second writer gets ERR_BUSY with the holder's pid.
 */
#ifndef FLOW_STORE_PROJECT_H
#define FLOW_STORE_PROJECT_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/link.h"

struct err;

enum project_mode { PROJECT_READ, PROJECT_WRITE };

struct project {
	char *root;   /* absolute */
	int root_fd;
	int flow_fd;  /* root/.flow */
	int lock_fd;  /* -1 for a reader */
	int store_fd; /* where the objects are: flow_fd, or cache.dir (store/shared.h); -1: a reader of one that is not there */
	int store_lock_fd; /* of a shared store, for a writer */
	unsigned char links[LINK_KINDS]; /* in which order; store/objects.h */
};

int project_open(struct project *p, const char *folder, enum project_mode mode, struct err *e);
void project_close(struct project *p);

/* The same without the store: to read or change the configuration, which says where that is. */
int project_find(struct project *p, const char *folder, struct err *e);
int project_lock(struct project *p, const char *folder, struct err *e);

/* Refuses a folder that is another user's, open to others, or on a network file system. `shown` is its name in messages. */
int project_check_folder(int fd, const char *shown, struct err *e);

/* What was written to .flow and to the store is on the disk to stay; -1 and errno. Any thread may ask. */
int project_sync(const struct project *p);

/* "e3b0c442-..." of /proc/sys/kernel/random/boot_id; "" when it cannot be read. 37 bytes. */
const char *boot_id(char text[37]);

#endif
