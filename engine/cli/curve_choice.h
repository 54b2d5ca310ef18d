/*
 * cli/curve_choice.h - which curves `flow plots [KEY[,KEY...]] [RUN...]` means, and which of them share a panel.
 *
 *     struct curve_choice choice;
 *     int rc = curve_choice_make(&choice, c, &db, e);
 *     for (i = 0; i < choice.members.count; i += n) {
 *             n = curve_choice_panel(&choice, i);       members i ... i + n - 1 are drawn together
 *             ...
 *     }
 *     curve_choice_release(&choice);                    also after a failure
 *
 * With KEYs all that they name is one panel; without, each metric of each task that has two steps is one, with the same of every run. A first
 * word that no task measured may be a run. What is not there is ERR_NOTFOUND and says what is near. Texts are in c->arena.
 */
#ifndef FLOW_CLI_CURVE_CHOICE_H
#define FLOW_CLI_CURVE_CHOICE_H

#include "cli/opt.h"
#include "report/curves.h"

struct cli;
struct db;
struct err;
struct run_record;

/* A curve that is drawn, and the first of those that it shares a panel with. */
struct curve_member {
	struct curve *curve;
	const struct curve *leader;
};

struct curve_choice {
	struct cli *cli;
	struct db *db;
	struct run_record *runs;
	size_t run_count;
	struct curve_list curves;   /* all that the runs have */
	struct texts keys;          /* that were asked for; none: all */
	struct curve_members {
		struct curve_member *items;
		size_t count, cap;
	} members;
};

int curve_choice_make(struct curve_choice *out, struct cli *c, struct db *db, struct err *e);
size_t curve_choice_panel(const struct curve_choice *choice, size_t first);
void curve_choice_release(struct curve_choice *choice);

#endif
