/*
 * dag/order.h - is there an order at all? Depths, or the circles.
 *
 *     order_make(build)
 * Sets node.depth, the longest way from a node without `before`. When tasks wait for each other in
 * a circle, each circle is reported in full (E0207) and ERR_INPUT returned. Linear; no recursion.
 */
#ifndef FLOW_DAG_ORDER_H
#define FLOW_DAG_ORDER_H

struct build;

int order_make(struct build *b);

#endif
