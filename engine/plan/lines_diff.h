/*
 * plan/lines_diff.h - two texts of several lines, as the lines in which they differ.
 *
 *     lines_diff(&arena, &was, &is)     "- a\n+ b\n"; "" when neither has more than one line
 *
 * Long texts are cut: at most LINES_SHOWN lines are told, then how many more there are. What could move a cursor is a blank.
 */
#ifndef FLOW_PLAN_LINES_DIFF_H
#define FLOW_PLAN_LINES_DIFF_H

#define LINES_SHOWN 40

struct arena;
struct part_view;

const char *lines_diff(struct arena *a, const struct part_view *was, const struct part_view *is);

#endif
