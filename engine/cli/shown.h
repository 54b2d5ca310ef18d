/*
 * cli/shown.h - rows of the journal as words for tables.
 *
 * Texts of the journal are foreign: names and values that others wrote. What is returned here is safe to write to a terminal and
 * lives in c->arena.
 */
#ifndef FLOW_CLI_SHOWN_H
#define FLOW_CLI_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/screen.h"

struct attempt_record;
struct cli;
struct digest;
struct run_record;

const char *shown(struct cli *c, const char *foreign);
const char *shown_cut(struct cli *c, const char *foreign, unsigned columns);
const char *shown_digest(struct cli *c, const struct digest *d);   /* 12 digits; "-" for none */
const char *shown_number(struct cli *c, double x);                 /* six digits; "-" for NaN */
const char *shown_commit(struct cli *c, const struct run_record *r); /* "3f9c2e1*": * means dirty */
const char *shown_source(struct cli *c, const struct run_record *r); /* "3f9c2e1 (main), dirty: 2 files, patch 88d1..." */
const char *shown_changed(struct cli *c, const struct run_record *r); /* the -p options on one line */
const char *attempt_fate(struct cli *c, const struct attempt_record *a); /* "exit 1", "killed by signal 9", why it failed */
enum paint run_paint(const char *word);                            /* of run_word(), or of a task's state */
const char *task_word(const char *state);                          /* "ok", "cached", "FAILED", "waiting" */
const char *shown_count(struct cli *c, int64_t n, bool known);  /* "-" when it is not known */
const char *shown_took(struct cli *c, int64_t ms);

/* Lists are cut at LIST_MOST lines unless --all. list_rest() says how many more there are. */
#define LIST_MOST 50
size_t list_most(const struct cli *c, size_t count);
void list_rest(struct cli *c, size_t count);

#endif
