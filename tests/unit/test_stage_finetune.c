/* Trainings that begin with the weights of another, and weights that do not learn. */
#include "train/groups.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "common/safetensors.h"
#include "support/ring.h"

static const char *base; /* a trained model */

/* Trains a model and hands it to the next training to begin with. */
static int with_base(void **state)
{
	flow_ctx *host;

	assert_int_equal(ring_set_up(state), 0);
	host = *state;
	stage_host_with(host, "norm", "\"batch\"");
	stage_host_with(host, "epochs", "10");
	must_run(host);
	base = stage_host_path(host, "base");
	assert_int_equal(rename(stage_host_path(host, "model"), base), 0);
	stage_host_dep(host, "init_from", base);
	stage_host_with(host, "epochs", "2");
	return 0;
}

static void read_tensor(const char *path, const char *name, float *to, size_t count)
{
	struct tensors file = { .count = 0 };
	const struct tensor *tensor;
	struct fault fault;

	assert_int_equal(tensors_read(&file, path, &fault), 0);
	tensor = tensors_find(&file, name);
	assert_non_null(tensor);
	assert_int_equal(tensor->size, count * sizeof *to);
	memcpy(to, tensor->data, tensor->size);
	tensors_release(&file);
}

/* Largest change of a tensor between the first model and the one that was trained last. */
static double change(flow_ctx *host, const char *name, size_t count)
{
	float before[300], after[300];
	double most = 0;

	read_tensor(base, name, before, count);
	read_tensor(stage_host_path(host, "model"), name, after, count);
	for (size_t i = 0; i < count; i++)
		most = fmax(most, fabs((double)after[i] - (double)before[i]));
	return most;
}

static void a_training_begins_where_the_other_ended(void **state)
{
	double loss = metric(*state, "valid_loss", 10);

	stage_host_with(*state, "lr", "1e-12");
	stage_host_with(*state, "weight_decay", "0");
	must_run(*state);
	assert_true(change(*state, "hidden.0.linear.weight", 64) < 1e-6);
	assert_true(change(*state, "head.bias", 2) < 1e-6);
	assert_true(change(*state, "input.mean", 4) < 1e-9);
	/* The running means of a batch norm go on being followed. */
	assert_true(fabs(metric(*state, "valid_loss", 2) - loss) < 0.1);
}

static void the_inputs_scale_comes_along(void **state)
{
	stage_host_dep(*state, "rows", write_rows(*state, "few.npy", 10, 60));
	must_run(*state);
	assert_true(change(*state, "input.std", 4) < 1e-9);
	stage_host_with(*state, "init_skip", "[\"input.*\"]");
	must_run(*state);
	assert_true(change(*state, "input.std", 4) > 1e-4);
}

static void what_is_frozen_does_not_move(void **state)
{
	stage_host_with(*state, "freeze", "[\"hidden.0.*\", \"*.1.linear.bias\"]");
	stage_host_with(*state, "clip", "1");
	must_run(*state);
	assert_true(change(*state, "hidden.0.linear.weight", 64) < 1e-12);
	assert_true(change(*state, "hidden.0.linear.bias", 16) < 1e-12);
	assert_true(change(*state, "hidden.0.norm.weight", 16) < 1e-12);
	assert_true(change(*state, "hidden.0.norm.running_mean", 16) < 1e-12);
	assert_true(change(*state, "hidden.0.norm.running_var", 16) < 1e-12);
	assert_true(change(*state, "hidden.1.linear.bias", 16) < 1e-12);
	assert_true(change(*state, "hidden.1.linear.weight", 256) > 1e-4);
	assert_true(change(*state, "hidden.1.norm.running_mean", 16) > 1e-4);
	assert_int_equal((long)metric(*state, "weights_learning", -1), 256 + 32 + 32 + 2);
}

static void a_group_learns_at_its_own_rate(void **state)
{
	stage_host_with(*state, "optimizer", "\"sgd\"");
	stage_host_with(*state, "fast_dev_run", "true");
	stage_host_with(*state, "momentum", "0");
	stage_host_with(*state, "weight_decay", "0");
	for (int is_slow = 0; is_slow < 2; is_slow++) {
		double slow, fast;
		static double before;

		stage_host_with(*state, "lr_groups", is_slow ? "{\"hidden.0.*\": 0.01}" : NULL);
		must_run(*state);
		slow = change(*state, "hidden.0.linear.weight", 64);
		fast = change(*state, "hidden.1.linear.weight", 256);
		assert_true(slow > 0 && fast > 0);
		if (is_slow)
			assert_true(fabs(slow / fast / before - 0.01) < 1e-3);
		before = slow / fast;
	}
}

static void another_head_begins_anew(void **state)
{
	int64_t class[RING_ROWS];

	for (unsigned i = 0; i < RING_ROWS; i++)
		class[i] = ring_class(i) + (noise_at(i) > 0);
	stage_host_dep(*state, "labels", write_npy(*state, "y3.npy", NPY_INT64, class, RING_ROWS, 0));
	expect_failure(*state,
		"tensor 'head.weight' has not the type and shape of this model: [2, 16] where [3, 16] "
		"is wanted; with.init_skip may begin it anew");
	stage_host_with(*state, "init_skip", "[\"head.*\"]");
	stage_host_with(*state, "freeze", "[\"hidden.*\"]");
	must_run(*state);
	assert_true(change(*state, "hidden.1.linear.weight", 256) < 1e-12);
	assert_int_equal((long)metric(*state, "weights_learning", -1), 3 * 16 + 3);
}

/* Such as the table it learned from. */
static void what_a_model_says_of_its_input_is_no_weight(void **state)
{
	static const int64_t number = 7;
	const uint64_t shape = 0; /* it has no dimensions */
	struct tensors file = { .count = 0 }, more = { .count = 0 };
	const char *path = stage_host_path(*state, "more");
	struct fault fault;

	for (int is_weight = 0; is_weight < 2; is_weight++) {
		assert_int_equal(tensors_read(&file, base, &fault), 0);
		for (size_t i = 0; i < file.count; i++) {
			const struct tensor *t = &file.tensor[i];

			tensors_add(&more, t->name, t->type, t->shape, t->dimensions, t->data);
		}
		tensors_add(&more, is_weight ? "inputs" : "input.table", TENSOR_I64, &shape, 0, &number);
		assert_int_equal(tensors_write(&more, path, &fault), 0);
		tensors_release(&file);
		tensors_release(&more);
		stage_host_dep(*state, "init_from", path);
		if (is_weight)
			expect_failure(*state, "tensor 'inputs' is none of this model's");
		else
			must_run(*state);
	}
}

static void mistakes_are_named_whichever_side_they_are_on(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} bad[] = {
		{ "freeze", "[\"hiden.*\"]",
			"with.freeze: 'hiden.*' matches no tensor of this model; it has "
			"hidden.0.linear.weight, hidden.0.linear.bias, " },
		{ "freeze", "[\"*\"]", "with.freeze leaves nothing that could learn" },
		{ "freeze", "[1]", "with.freeze" },
		{ "freeze", "\"head.*\"", "with.freeze" },
		{ "lr_groups", "{\"heat.*\": 2}", "with.lr_groups: 'heat.*' matches no tensor" },
		{ "lr_groups", "{\"head.*\": 0}", "'head.*' is 0; from 1e-6 to 1e6 are possible" },
		{ "lr_groups", "{\"head.*\": 1, \"*.bias\": 2}",
			"'head.*' and '*.bias' both match 'head.bias'" },
		{ "init_skip", "[\"tail.*\"]", "with.init_skip: 'tail.*' matches no tensor" },
		{ "hidden", "[16, 16, 8]", "has no tensor 'hidden.2.linear.weight'; with.init_skip" },
		{ "hidden", "[16]", "tensor 'hidden.1.linear.weight' is none of this model's" },
		{ "norm", "\"none\"", "tensor 'hidden.0.norm.weight' is none of this model's" },
		{ "activation", "\"gelu\"", "was trained with activation relu, this model has gelu" },
		{ "residual", "true", "was trained with residual false, this model has true" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, bad[i].key, bad[i].value);
		expect_failure(*state, bad[i].says);
		stage_host_with(*state, bad[i].key,
			strcmp(bad[i].key, "hidden") == 0 ? "[16, 16]"
			: strcmp(bad[i].key, "norm") == 0 ? "\"batch\""
							  : NULL);
	}
	assert_int_equal(truncate(base, 700), 0);
	expect_failure(*state, "base'");
	stage_host_dep(*state, "init_from", NULL);
	stage_host_with(*state, "init_skip", "[\"head.*\"]");
	expect_failure(*state, "with.init_skip wants a dep named 'init_from'");
	stage_host_with(*state, "init_skip", NULL);
	stage_host_dep(*state, "init_from", "nowhere.safetensors");
	expect_failure(*state, "nowhere.safetensors");
}

/* Stopped and taken up; and what was frozen otherwise is another training. */
static void a_fine_tuning_taken_up_comes_to_the_same_bits(void **state)
{
	size_t size, again;
	char *whole, *parts;

	stage_host_with(*state, "freeze", "[\"hidden.0.*\"]");
	stage_host_with(*state, "lr_groups", "{\"head.*\": 3}");
	stage_host_with(*state, "epochs", "6");
	must_run(*state);
	whole = model_bytes(*state, &size);
	stage_host_with(*state, "checkpoint_every", "3");
	(void)stage_host_checkpoint(*state, "kept");
	stage_host_cancel_after(*state, 2);
	expect_failure(*state, "stopped in epoch");
	stage_host_cancel_after(*state, -2);
	must_run(*state);
	parts = model_bytes(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(whole, parts, size);
	free(parts);
	stage_host_with(*state, "freeze", "[\"hidden.1.*\"]");
	must_run(*state);
	parts = model_bytes(*state, &again);
	assert_true(change(*state, "hidden.0.linear.weight", 64) > 1e-4);
	free(parts);
	free(whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_base, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_training_begins_where_the_other_ended),
		TEST(the_inputs_scale_comes_along),
		TEST(what_is_frozen_does_not_move),
		TEST(a_group_learns_at_its_own_rate),
		TEST(another_head_begins_anew),
		TEST(what_a_model_says_of_its_input_is_no_weight),
		TEST(mistakes_are_named_whichever_side_they_are_on),
		TEST(a_fine_tuning_taken_up_comes_to_the_same_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
