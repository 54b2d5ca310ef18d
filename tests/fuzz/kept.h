/*
 * tests/fuzz/kept.h - a journal that is opened once and has other bytes for each input.
 *
 * To open a journal and to prepare what is asked of it takes SQLite ten times as long as to answer. So one connection has the file in
 * memory, its statements stay prepared, and the bytes under it are replaced: it takes them for what another program has written. Only what
 * is read once, when a journal is opened, it would not see: the head of the file and its tables. Such bytes are refused, and want a file.
 *
 *     kept_open(&db, data, len)     once: db is an open journal, which from now on reads a copy of this one
 *     kept_show(data, len)          for each input: true, and db reads this; or false, since it must be opened
 *     kept_done()                   every statement was finished
 *     kept_close(&db)
 *
 * sqlite3_prepare_v2() and sqlite3_finalize() of the program are those of kept.c (--wrap): for other connections they are SQLite's own.
 */
#ifndef FLOW_TESTS_FUZZ_KEPT_H
#define FLOW_TESTS_FUZZ_KEPT_H

#include <stdbool.h>
#include <stddef.h>

struct db;

void kept_open(struct db *db, const void *data, size_t len);
bool kept_show(const void *data, size_t len);
void kept_done(void);
void kept_close(struct db *db);

#endif
