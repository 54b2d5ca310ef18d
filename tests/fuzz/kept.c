#include "kept.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/mem.h"
#include "fuzz.h"
#include "store/db.h"

#define STATEMENTS_MAX 256
#define PAGES_MAX      64
#define HEAD_BYTES     100
#define ROOM_TO_GROW   ((size_t)1 << 20)

static struct {
	sqlite3 *handle;
	unsigned char *data, *first; /* what it reads, and what it read when it was opened */
	size_t len, page_size;
	size_t pages[PAGES_MAX], page_count; /* in which its tables are described */
	uint32_t changes;
} kept;

static struct {
	sqlite3_stmt *s;
	bool is_used;
} statements[STATEMENTS_MAX];

/* The linker sends calls of sqlite3_prepare_v2() and sqlite3_finalize() here. */
int __real_sqlite3_prepare_v2(sqlite3 *handle, const char *sql, int len, sqlite3_stmt **out, const char **tail);
int __real_sqlite3_finalize(sqlite3_stmt *s);
int __wrap_sqlite3_prepare_v2(sqlite3 *handle, const char *sql, int len, sqlite3_stmt **out, const char **tail);
int __wrap_sqlite3_finalize(sqlite3_stmt *s);

int __wrap_sqlite3_prepare_v2(sqlite3 *handle, const char *sql, int len, sqlite3_stmt **out, const char **tail)
{
	size_t i;
	int rc;

	if (handle != kept.handle)
		return __real_sqlite3_prepare_v2(handle, sql, len, out, tail);
	FUZZ_CHECK(len < 0 && tail == NULL);
	for (i = 0; i < STATEMENTS_MAX && statements[i].s != NULL; i++)
		if (!statements[i].is_used && strcmp(sqlite3_sql(statements[i].s), sql) == 0)
			break;
	FUZZ_CHECK(i < STATEMENTS_MAX);
	if (statements[i].s == NULL) {
		rc = __real_sqlite3_prepare_v2(handle, sql, len, &statements[i].s, tail);
		if (rc != SQLITE_OK) {
			*out = NULL;
			return rc;
		}
	}
	statements[i].is_used = true;
	*out = statements[i].s;
	return SQLITE_OK;
}

int __wrap_sqlite3_finalize(sqlite3_stmt *s)
{
	size_t i;

	for (i = 0; s != NULL && i < STATEMENTS_MAX && statements[i].s != NULL; i++)
		if (statements[i].s == s) {
			statements[i].is_used = false;
			(void)sqlite3_clear_bindings(s);
			return sqlite3_reset(s);
		}
	return __real_sqlite3_finalize(s);
}

void kept_done(void)
{
	size_t i;

	for (i = 0; i < STATEMENTS_MAX && statements[i].s != NULL; i++)
		FUZZ_CHECK(!statements[i].is_used);
}

static void list_pages(void)
{
	sqlite3_stmt *s = NULL;

	FUZZ_CHECK(__real_sqlite3_prepare_v2(kept.handle, "SELECT pageno, pgsize FROM dbstat WHERE name = 'sqlite_schema'", -1, &s,
			   NULL) == SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		FUZZ_CHECK(kept.page_count < PAGES_MAX);
		kept.page_size = (size_t)sqlite3_column_int64(s, 1);
		kept.pages[kept.page_count++] = (size_t)sqlite3_column_int64(s, 0) - 1;
	}
	(void)__real_sqlite3_finalize(s);
	FUZZ_CHECK(kept.page_count > 0);
}

void kept_open(struct db *db, const void *data, size_t len)
{
	kept.handle = db->handle;
	kept.len = len;
	kept.first = mem_alloc(len);
	memcpy(kept.first, data, len);
	kept.data = mem_alloc(len + ROOM_TO_GROW);
	memcpy(kept.data, data, len);
	memset(kept.data + 18, 1, 2); /* a database in memory has no log */
	FUZZ_CHECK(sqlite3_deserialize(kept.handle, "main", kept.data, (sqlite3_int64)len, (sqlite3_int64)(len + ROOM_TO_GROW), 0) ==
		   SQLITE_OK);
	list_pages();
}

/* Only what it reads again. */
static bool is_seen(const unsigned char *data, size_t len)
{
	size_t i;

	if (len != kept.len || memcmp(data, kept.first, HEAD_BYTES) != 0)
		return false;
	for (i = 0; i < kept.page_count; i++)
		if (memcmp(data + kept.pages[i] * kept.page_size, kept.first + kept.pages[i] * kept.page_size, kept.page_size) != 0)
			return false;
	return true;
}

/* In the head of a database: that it was changed, and that its length was right then. */
static void count_change(size_t at)
{
	kept.data[at] = (unsigned char)(kept.changes >> 24);
	kept.data[at + 1] = (unsigned char)(kept.changes >> 16);
	kept.data[at + 2] = (unsigned char)(kept.changes >> 8);
	kept.data[at + 3] = (unsigned char)kept.changes;
}

bool kept_show(const void *data, size_t len)
{
	sqlite3_file *file = NULL;

	if (!is_seen(data, len))
		return false;
	FUZZ_CHECK(sqlite3_file_control(kept.handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK);
	FUZZ_CHECK(file->pMethods->xTruncate(file, (sqlite3_int64)len) == SQLITE_OK);
	memcpy(kept.data, data, len);
	memset(kept.data + 18, 1, 2);
	kept.changes += 1000; /* an input's own changes are fewer */
	count_change(24);
	count_change(92);
	return true;
}

void kept_close(struct db *db)
{
	size_t i;

	for (i = 0; i < STATEMENTS_MAX && statements[i].s != NULL; i++)
		(void)__real_sqlite3_finalize(statements[i].s);
	db_close(db);
	free(kept.data);
	free(kept.first);
}
