/*
 * store/slots.h - which prepared statement has which place in struct db. 0 and 1 are db.c's own.
 */
#ifndef FLOW_STORE_SLOTS_H
#define FLOW_STORE_SLOTS_H

enum db_slot {
	SLOT_FILE_PUT = 2,
	SLOT_TASK_NEW,
	SLOT_TASK_STATE,
	SLOT_TASK_DONE,
	SLOT_ATTEMPT_NEW,
	SLOT_ATTEMPT_STATE,
	SLOT_ATTEMPT_END,
	SLOT_ARTIFACT_NEW,
	SLOT_LATEST_PUT,
	SLOT_METRIC_PUT,
	SLOT_BY_KEY,
	SLOT_OUTS,
	SLOT_PARTS,
	SLOT_LAST_TRY,
	SLOT_DURABLE,
	SLOT_NEAREST,
	SLOT_LAST_KEY,
};

#endif
