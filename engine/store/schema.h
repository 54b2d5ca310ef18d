/*
 * store/schema.h - the tables of the journal, and how an older journal comes to have them.
 *
 *     schema_make(handle)            into an empty database
 *     schema_migrate(handle, from)   from format `from` to DB_VERSION, step by step
 *     schema_view(&handle, from)     a reader's copy in memory, brought up to date: the file stays as it is
 *
 * Each works in one transaction: a crash leaves the old format or the new one. SQLite's code is returned; unless it is SQLITE_OK
 * the caller rolls back, after it has asked for SQLite's words.
 */
#ifndef FLOW_STORE_SCHEMA_H
#define FLOW_STORE_SCHEMA_H

#include <stdint.h>

struct sqlite3;

#define SCHEMA_VERSION 2

int schema_make(struct sqlite3 *handle);
int schema_migrate(struct sqlite3 *handle, int64_t from);
int schema_view(struct sqlite3 **handle, int64_t from);

#endif
