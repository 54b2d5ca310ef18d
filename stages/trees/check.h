/*
 * trees/check.h - is a model file whole and true, so that libxgboost can be given it?
 *
 *     struct check_facts facts;
 *     check_model(&facts, data, size, fault);
 *
 * The library takes the numbers of a file for what they are: a child that is not there is read
 * wherever it points to, and one above its parent is walked to for ever. So every number that leads
 * somewhere is looked at first: lengths, children, columns, groups, categories. Models of XGBoost
 * that are not trees, or trees of which some are dropped, are refused.
 */
#ifndef FLOW_STAGES_TREES_CHECK_H
#define FLOW_STAGES_TREES_CHECK_H

#include <stddef.h>

struct fault;

struct check_facts {
	size_t features, groups; /* num_feature, and num_class but at least 1 */
	size_t trees;
};

int check_model(
	struct check_facts *facts, const unsigned char *data, size_t size, struct fault *fault);

#endif
