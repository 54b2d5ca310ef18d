/*
 * store/verify.h - are the objects what their names say, and is all there that the journal claims?
 *
 *     verify_begin(&v, &project, &db, read_data, e)
 *     v.hurt                      the artifacts that can no longer be brought back, and why
 *     verify_repair(&v, e)        a writer: damaged objects to quarantine, what they hurt is recorded as gone: those tasks run again
 *     verify_release(&v)
 *
 * Without read_data only sizes are looked at, and the bytes of objects that were written to since they were recorded, or that may
 * be written to. With it every byte is read, on all cores.
 */
#ifndef FLOW_STORE_VERIFY_H
#define FLOW_STORE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "store/objects.h"
#include "store/shelf.h"

struct db;
struct err;
struct project;

enum damage { DAMAGE_NOT, DAMAGE_MISSING, DAMAGE_SIZE, DAMAGE_BYTES, DAMAGE_LIST };

struct hurt {
	int64_t attempt, run, position;
	const char *task, *path;
	struct digest object;    /* the first that is damaged */
	enum damage damage;
};

struct verify {
	struct db *db;
	struct objects objects;
	struct arena arena;
	struct shelf shelf;
	struct { struct hurt *items; size_t count, cap; } hurt; /* by task */
	uint64_t read, read_bytes; /* objects whose bytes were read */
	uint64_t damaged;          /* objects that are there and not what they should be */
	uint64_t missing;          /* artifacts that lack an object */
};

int verify_begin(struct verify *v, const struct project *p, struct db *db, bool read_data, struct err *e);
int verify_repair(struct verify *v, struct err *e);
const char *damage_text(enum damage damage); /* "is cut short, or too long" */
void verify_release(struct verify *v);

#endif
