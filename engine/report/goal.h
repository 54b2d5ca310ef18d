/*
 * report/goal.h - is more of a metric better, or less? Its name says so: words between `_ . - / @` and spaces, without regard to case.
 *
 *     goal_of("val_loss") == GOAL_LOWER;  goal_of("test.accuracy") == GOAL_HIGHER;  goal_of("rows") == GOAL_NONE
 *
 * A word of losses and errors counts before one of scores: `brier_score` is lower. What no word of the two lists is in has no goal, and
 * nobody is told that it got better or worse.
 */
#ifndef FLOW_REPORT_GOAL_H
#define FLOW_REPORT_GOAL_H

enum goal { GOAL_NONE, GOAL_HIGHER, GOAL_LOWER };

enum goal goal_of(const char *metric);
const char *goal_verdict(enum goal goal, double was, double is); /* "better", "worse", or "" */

#endif
