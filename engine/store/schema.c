#include "store/schema.h"

#include <stddef.h>

#include <sqlite3.h>

#include "base/failpoint.h"

/* The files of SQL, embedded as they are. */
#define EMBED(name, file)                                      \
	__asm__(".section .rodata\n" #name ":\n"               \
		".incbin \"" FLOW_STORE_SOURCE "/" file "\"\n" \
		".byte 0\n"                                    \
		".previous\n");                                \
	extern const char name[] __attribute__((visibility("hidden")))

EMBED(flow_schema_sql, "schema.sql");
EMBED(flow_from_1_sql, "from_1.sql");

/* [n]: from format n + 1 to n + 2. */
static const char *const steps[SCHEMA_VERSION - 1] = { flow_from_1_sql };

static int execute(sqlite3 *handle, const char *sql)
{
	return sqlite3_exec(handle, sql, NULL, NULL, NULL);
}

static int commit(sqlite3 *handle)
{
	return FAILPOINT("db.schema", NULL) < 0 ? SQLITE_FULL : execute(handle, "COMMIT");
}

int schema_make(sqlite3 *handle)
{
	int rc = execute(handle, "BEGIN IMMEDIATE");

	if (rc == SQLITE_OK)
		rc = execute(handle, flow_schema_sql);
	return rc == SQLITE_OK ? commit(handle) : rc;
}

int schema_migrate(sqlite3 *handle, int64_t from)
{
	int rc = execute(handle, "BEGIN IMMEDIATE");

	for (; rc == SQLITE_OK && from < SCHEMA_VERSION; from++)
		rc = execute(handle, steps[from - 1]);
	return rc == SQLITE_OK ? commit(handle) : rc;
}

int schema_view(sqlite3 **handle, int64_t from)
{
	sqlite3 *copy = NULL;
	sqlite3_backup *backup = NULL;
	int rc = sqlite3_open_v2(":memory:", &copy,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK &&
		(backup = sqlite3_backup_init(copy, "main", *handle, "main")) == NULL)
		rc = sqlite3_errcode(copy);
	while (backup != NULL && (rc = sqlite3_backup_step(backup, -1)) == SQLITE_OK)
		;
	(void)sqlite3_backup_finish(backup);
	if (rc == SQLITE_DONE)
		rc = schema_migrate(copy, from);
	if (rc == SQLITE_OK) {
		(void)sqlite3_close(*handle);
		*handle = copy;
	} else {
		(void)sqlite3_close(copy);
	}
	return rc;
}
