#include "store/db_copy.h"

#include <sqlite3.h>

#include "base/err.h"
#include "store/db.h"

static const char still[] =
	"UPDATE attempt SET state = 'LOST' WHERE state IN ('STARTING','RUNNING');"
	"UPDATE task SET not_before_ms = 0 WHERE not_before_ms <> 0;"
	"UPDATE run SET state = 'INTERRUPTED' WHERE state IN ('CREATED','RUNNING');";

int db_copy(struct db *from, const char *path, struct err *e)
{
	sqlite3_backup *backup;
	sqlite3 *to = NULL;
	int rc = sqlite3_open_v2(path, &to,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			SQLITE_OPEN_NOFOLLOW,
		NULL);

	if (rc == SQLITE_OK) {
		backup = sqlite3_backup_init(to, "main", from->handle, "main");
		if (backup != NULL)
			(void)sqlite3_backup_step(backup, -1);
		rc = sqlite3_backup_finish(backup);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(to, still, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		err_set(e, ERR_SYSTEM, "cannot copy flow.db: %s",
			to != NULL ? sqlite3_errmsg(to) : sqlite3_errstr(rc));
	(void)sqlite3_close(to);
	return rc == SQLITE_OK ? 0 : err_id(e, "E0501");
}
