#include "train/init.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "common/text.h"
#include "nn/bags.h"
#include "nn/netfile.h"
#include "train/recipe.h"

static int is_of_net(const struct net *net, const char *name)
{
	struct net_tensor tensor;

	for (size_t i = 0; i < net->layer_count; i++)
		for (unsigned which = 0; net_tensor_of(&net->layer[i], which, &tensor); which++)
			if (strcmp(tensor.name, name) == 0)
				return 1;
	return 0;
}

/* What is not a weight: PyTorch's count of batches, what the input was. */
static int is_beside(const char *name)
{
	static const char counter[] = ".num_batches_tracked", input[] = "input.";
	size_t length = strlen(name), end = sizeof counter - 1;

	return strncmp(name, input, sizeof input - 1) == 0 ||
	       (length > end && strcmp(name + length - end, counter) == 0);
}

static int check_names(const struct net *net, const struct groups *groups,
	const struct tensors *file, struct fault *fault)
{
	for (size_t i = 0; i < file->count; i++) {
		const char *name = file->tensor[i].name;

		if (!groups_skips(groups, name) && !is_beside(name) && !is_of_net(net, name))
			return fault_set(fault,
				"tensor '%s' is none of this model's; with.init_skip may leave it "
				"out",
				name);
	}
	return 0;
}

/* The same weights mean something else to another function. */
static int check_design(
	const struct net_design *design, const struct tensors *file, struct fault *fault)
{
	const char *activation = tensors_note(file, "activation");
	const char *residual = tensors_note(file, "residual");
	const char *here = design->activation == NN_RELU ? "relu" : "gelu";
	const char *joined = design->residual ? "true" : "false";

	if (activation != NULL && strcmp(activation, here) != 0)
		return fault_set(fault, "was trained with activation %.20s, this model has %s",
			activation, here);
	if (residual != NULL && strcmp(residual, joined) != 0)
		return fault_set(fault, "was trained with residual %.20s, this model has %s",
			residual, joined);
	return 0;
}

/* Of texts: a cell must be of the same words. How rare they are is counted anew. */
static int check_tokens(const struct recipe *r, const struct tensors *file, struct fault *fault)
{
	const char *tokens = tensors_note(file, "tokens");
	struct text ours = { 0 };
	int rc = 0;

	if (r->design.kind != NET_TEXT || tokens == NULL)
		return 0;
	bags_tokens(&r->tokens, &ours);
	if (strcmp(tokens, ours.data) != 0)
		rc = fault_set(fault, "was trained with tokens '%.60s', this model has '%s'",
			tokens, ours.data);
	text_release(&ours);
	return rc;
}

static int take_tensors(const struct net *net, float *rows, float *running,
	const struct groups *groups, const struct tensors *file, size_t *taken, struct fault *fault)
{
	struct net_tensor tensor;

	for (size_t i = 0; i < net->layer_count; i++)
		for (unsigned which = 0; net_tensor_of(&net->layer[i], which, &tensor); which++) {
			float *to = (tensor.is_running ? running : rows) + tensor.offset;

			if (groups_skips(groups, tensor.name))
				continue;
			if (netfile_take_one(to, file, &tensor, fault) < 0) {
				size_t length = strlen(fault->text);

				(void)snprintf(fault->text + length, sizeof fault->text - length,
					"; with.init_skip may begin it anew");
				return -1;
			}
			(*taken)++;
		}
	return 0;
}

static int take_scaling(struct scaling *scaling, const struct groups *groups,
	const struct tensors *file, struct fault *fault)
{
	const char *unit = tensors_note(file, "unit");
	char ours[40];

	if (groups_skips(groups, "input.mean") || tensors_find(file, "input.mean") == NULL)
		return 0;
	(void)snprintf(ours, sizeof ours, "%.9g", (double)scaling->unit);
	if (unit != NULL && strcmp(unit, ours) != 0)
		return fault_set(fault,
			"was trained on values times %.40s, these are times %s; with.init_skip: "
			"[input.*] takes mean and deviation of these rows",
			unit, ours);
	return netfile_take_scaling(scaling, file, fault);
}

static int take_weights(struct net *net, const struct groups *groups, const struct tensors *file,
	size_t *taken, struct fault *fault)
{
	float *rows = array_new(net->weight_count, sizeof *rows);
	float *running = array_new(net->running_count + 1, sizeof *running);
	int rc;

	netfile_down(net, NULL, rows, running);
	rc = take_tensors(net, rows, running, groups, file, taken, fault);
	if (rc == 0)
		netfile_up(net, rows, running);
	free(rows);
	free(running);
	return rc;
}

int init_take(struct net *net, struct scaling *scaling, const struct recipe *r, const char *path,
	uint64_t *digest, char *line, struct fault *fault)
{
	struct tensors file = { .count = 0 };
	size_t taken = 0;
	int rc = tensors_read(&file, path, fault);

	if (rc < 0)
		return rc;
	if (check_names(net, &r->groups, &file, fault) < 0 ||
		check_design(&net->design, &file, fault) < 0 ||
		check_tokens(r, &file, fault) < 0 ||
		take_weights(net, &r->groups, &file, &taken, fault) < 0 ||
		(r->standardize && take_scaling(scaling, &r->groups, &file, fault) < 0))
		rc = fault_context(fault, "'%s'", path);
	else
		rc = groups_check_skipped(&r->groups, fault);
	*digest = XXH3_64bits(file.file.data, file.file.size);
	(void)snprintf(line, 200, "begins with %zu tensors of '%.100s'", taken, path);
	tensors_release(&file);
	return rc;
}
