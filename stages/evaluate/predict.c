#include "evaluate/predict.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "common/text.h"

/* The model and the data must be made for each other. */
static int check_fit(const struct predictor *p, size_t features, const char *what, size_t wanted,
	struct fault *fault)
{
	if (features != wanted)
		return fault_set(fault, "the model takes %zu %s, but the %s have %zu", wanted,
			p->is_network ? "values" : "pixels", what, features);
	for (size_t i = 0; i < p->count; i++) {
		long long row = p->is_network ? p->samples.row[i] : p->data.row[i];

		if (predictor_label(p, i) >= p->classes)
			return fault_set(fault,
				"row %lld has label %zu, but the model knows %zu "
				"classes",
				row, predictor_label(p, i), p->classes);
	}
	return 0;
}

static int open_linear(
	struct predictor *p, const struct predictor_paths *paths, struct fault *fault)
{
	if (linear_load(&p->linear, paths->model, fault) < 0 ||
		dataset_open(&p->data, paths->values, paths->labels, paths->rows, fault) < 0)
		return -1;
	p->classes = p->linear.classes;
	p->count = p->data.count;
	scorer_init(&p->scorer, &p->linear, PREDICTOR_ROWS);
	return check_fit(p, p->data.features, "images", p->linear.features, fault);
}

static int send_scaling(struct predictor *p, struct fault *fault)
{
	struct net *net = &p->net;
	size_t bytes = net->features * sizeof(float);
	float *values = array_new(2 * net->features, sizeof *values);

	scaling_linear(&p->scaling, values, values + net->features);
	p->scale = net->ops->alloc(net->device, bytes);
	p->shift = net->ops->alloc(net->device, bytes);
	net->ops->upload(net->device, p->scale, values, bytes);
	net->ops->upload(net->device, p->shift, values + net->features, bytes);
	free(values);
	return net_reserve(net, PREDICTOR_ROWS, 0, fault);
}

static int open_network(struct predictor *p, const struct predictor_paths *paths, unsigned threads,
	struct fault *fault)
{
	const struct samples_paths of_samples = {
		.values = paths->values, .targets = paths->labels, .rows = paths->rows
	};
	char loss[20];

	if (netfile_load(&p->net, &p->scaling, loss, &nn_cpu, threads, paths->model, fault) < 0)
		return -1;
	p->classes = p->net.design.outputs;
	p->is_sigmoid = strcmp(loss, "sigmoid") == 0 && p->classes == 1;
	if (p->is_sigmoid)
		p->classes = 2;
	else if (strcmp(loss, "softmax") != 0)
		return fault_set(fault,
			"'%s' was trained with the loss %s and %zu outputs: it names no classes",
			paths->model, loss, p->classes);
	if (samples_open(&p->samples, &of_samples, fault) < 0)
		return -1;
	if (p->samples.classes == 0)
		return fault_set(fault, "'%s' holds numbers, not classes", paths->labels);
	p->count = p->samples.count;
	if (check_fit(p, p->samples.features, "rows", p->net.features, fault) < 0)
		return -1;
	return send_scaling(p, fault);
}

/* 1: a network, by the tensors it has; -1: it cannot be read. */
static int is_network(const char *path, struct fault *fault)
{
	struct tensors file = { .count = 0 };
	int rc;

	if (tensors_read(&file, path, fault) < 0)
		return -1;
	rc = tensors_find(&file, "head.weight") != NULL;
	tensors_release(&file);
	return rc;
}

int predictor_open(struct predictor *p, const struct predictor_paths *paths, unsigned threads,
	struct fault *fault)
{
	struct predictor made = { .classes = 0 };

	made.is_network = is_network(paths->model, fault);
	if (made.is_network < 0)
		return -1;
	if ((made.is_network ? open_network(&made, paths, threads, fault)
			     : open_linear(&made, paths, fault)) < 0) {
		predictor_close(&made);
		return -1;
	}
	*p = made;
	p->scorer.model = &p->linear; /* it has moved */
	return 0;
}

void predictor_close(struct predictor *p)
{
	if (p->net.ops != NULL) {
		p->net.ops->release(p->net.device, p->scale);
		p->net.ops->release(p->net.device, p->shift);
	}
	net_release(&p->net);
	scaling_release(&p->scaling);
	samples_close(&p->samples);
	scorer_release(&p->scorer);
	linear_release(&p->linear);
	dataset_close(&p->data);
	*p = (struct predictor){ .classes = 0 };
}

static void run_network(struct predictor *p, size_t first, size_t count, float *scores)
{
	const struct net_mode mode = { .is_training = 0 };
	struct net *net = &p->net;
	size_t outputs = net->design.outputs;

	net->ops->gather(net->device, &(struct nn_gather){ .to = net->input,
					      .data = p->samples.values,
					      .is_bytes = p->samples.is_bytes,
					      .rows = p->samples.row + first,
					      .count = count,
					      .columns = net->features,
					      .scale = p->scale,
					      .shift = p->shift });
	net->ops->download(net->device, scores, net_forward(net, count, &mode),
		count * outputs * sizeof *scores);
	if (!p->is_sigmoid)
		return;
	/* sigmoid(s) is the softmax of 0 and s. */
	for (size_t i = count; i-- > 0;) {
		scores[2 * i + 1] = scores[i];
		scores[2 * i] = 0;
	}
}

void predictor_run(struct predictor *p, size_t first, size_t count, float *scores)
{
	const float *row;

	if (p->is_network) {
		run_network(p, first, count, scores);
		return;
	}
	row = scorer_run(&p->scorer, &p->data, p->data.row + first, count);
	for (size_t i = 0; i < count; i++, row += p->linear.lanes)
		memcpy(scores + i * p->classes, row, p->classes * sizeof *scores);
}

size_t predictor_label(const struct predictor *p, size_t row)
{
	if (p->is_network)
		return (size_t)p->samples.target[p->samples.row[row]];
	return dataset_label(&p->data, p->data.row[row]);
}
