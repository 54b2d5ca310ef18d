/*
 * report/code_changes.h - what differs between the component trees of attempts, the same change in many tasks as one.
 *
 *     struct code_changes c = { .arena = &arena };
 *     code_changes_made(&c, "models/m.bin");                       an out: its digest is no change of its own
 *     code_changes_add(&c, "train", then, then_len, now, now_len);  ...for each task
 *     code_changes_list(&c, &changes);                             onto the end of a list; texts in the arena
 *     code_changes_release(&c);
 *
 * Parameters are left out: a run has them as a whole. Of two long values only the part is shown in which they differ.
 */
#ifndef FLOW_REPORT_CODE_CHANGES_H
#define FLOW_REPORT_CODE_CHANGES_H

#include <stddef.h>

#include "base/map.h"
#include "report/diff.h"

struct arena;

struct change_group {
	struct change_text change;
	size_t tasks;
};

struct change_groups {
	struct change_group *items;
	size_t count, cap;
};

struct code_changes {
	struct arena *arena;
	const char *task;          /* whose trees are being compared */
	struct map group_of;
	struct map made;
	struct change_groups groups;
};

void code_changes_made(struct code_changes *c, const char *path);
void code_changes_add(struct code_changes *c, const char *task, const void *then, size_t then_len, const void *now,
	size_t now_len);
void code_changes_list(const struct code_changes *c, struct text_changes *out);
void code_changes_release(struct code_changes *c);

#endif
