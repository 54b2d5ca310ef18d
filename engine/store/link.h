/*
 * store/link.h - the ways in which one file's bytes come to lie under a second name, in the order in which they are tried.
 */
#ifndef FLOW_STORE_LINK_H
#define FLOW_STORE_LINK_H

enum link_kind {
	LINK_NONE,     /* the order ends; first of all: as LINK_REFLINK, LINK_HARD, LINK_COPY */
	LINK_REFLINK,  /* shared blocks; a write to one does not touch the other */
	LINK_HARD,     /* one file; it is made read-only */
	LINK_COPY,
};

#define LINK_KINDS 3

#endif
