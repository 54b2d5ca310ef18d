/* What libxgboost may be given: a model that is whole, and says nothing that leads elsewhere. */
#include "trees/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "support/stage_host.h"

#define ROOM 4096

/* A model of two trees, of a root and two leaves each, as XGBoost 1.7 wrote it. */
static unsigned char model[ROOM];
static size_t size;

static int set_up(void **state)
{
	char path[500];
	char *read;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/trees/two-classes.ubj", getenv("FLOW_SOURCE_DIR"));
	read = stage_host_read(path, &size);
	assert_non_null(read);
	assert_true(size < ROOM - 100);
	memcpy(model, read, size);
	free(read);
	return 0;
}

/* The bytes of `was`, which must be there, become others. */
static void replace(const char *was, size_t was_size, const char *now, size_t now_size)
{
	unsigned char *at = model;

	while (at + was_size < model + size && memcmp(at, was, was_size) != 0)
		at++;
	assert_true(at + was_size < model + size);
	memmove(at + now_size, at + was_size, size - was_size - (size_t)(at - model));
	memcpy(at, now, now_size);
	size = size - was_size + now_size;
}

#define REPLACE(was, now) replace(was, sizeof(was) - 1, now, sizeof(now) - 1)

static void expect_refused(const char *says)
{
	struct check_facts facts;
	struct fault fault;

	assert_int_equal(check_model(&facts, model, size, &fault), -1);
	if (strstr(fault.text, says) == NULL)
		fail_msg("'%s' does not say '%s'", fault.text, says);
}

static void a_true_model_is_taken(void **state)
{
	struct check_facts facts;
	struct fault fault;

	(void)state;
	assert_int_equal(check_model(&facts, model, size, &fault), 0);
	assert_int_equal(facts.trees, 2);
	assert_int_equal(facts.groups, 1);
	assert_true(facts.features > 0);
}

/* The library takes the node behind the left child for the right one, whatever is said. */
static void children_lie_side_by_side(void **state)
{
	(void)state;
	REPLACE("left_children[$l#L\0\0\0\0\0\0\0\3\0\0\0\1", "left_children[$l#L\0\0\0\0\0\0\0\3\0\0\0\2");
	expect_refused("tree 0 has a child that is not there");
}

/* Theirs are other numbers, which nobody has looked at. */
static void other_boosters_are_refused(void **state)
{
	REPLACE("\6gbtree", "\10gblinear");
	expect_refused("the model is not of trees: it is 'gblinear'");
	(void)set_up(state);
	REPLACE("\6gbtree", "\4dart");
	expect_refused("the model is not of trees: it is 'dart'");
}

/* Which of them the library will believe is not known. */
static void what_is_said_twice_must_agree(void **state)
{
	static const char *const keys[] = { "num_feature", "num_class", "num_trees" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		(void)set_up(state);
		size--; /* one more key of the whole */
		size += (size_t)sprintf((char *)model + size, "L%c%c%c%c%c%c%c%c%sSL%c%c%c%c%c%c%c%c7}", 0, 0, 0, 0, 0, 0, 0,
			(int)strlen(keys[i]), keys[i], 0, 0, 0, 0, 0, 0, 0, 1);
		expect_refused("the model is damaged: it says two things of its size");
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_true_model_is_taken),
		TEST(children_lie_side_by_side),
		TEST(other_boosters_are_refused),
		TEST(what_is_said_twice_must_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
