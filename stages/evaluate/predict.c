#include "evaluate/predict.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/fitted.h"
#include "common/safetensors.h"
#include "common/text.h"
#include "evaluate/prepare.h"
#include "nn/feed.h"

static int check_width(
	size_t features, size_t wanted, const char *what, const char *rows, struct fault *fault)
{
	return features == wanted ? 0
				  : fault_set(fault, "the model takes %zu %s, but the %s have %zu",
					    wanted, what, rows, features);
}

static int check_labels(const struct predictor *p, struct fault *fault)
{
	for (size_t i = 0; i < p->count; i++)
		if (predictor_label(p, i) >= p->task.outputs)
			return fault_set(fault,
				"row %lld has label %zu, but the model knows %zu classes",
				(long long)p->data.row[i], predictor_label(p, i), p->task.outputs);
	return 0;
}

static int open_linear(
	struct predictor *p, const struct predictor_paths *paths, struct fault *fault)
{
	if (paths->table != NULL)
		return fault_set(fault, "'%s' is a softmax of images; it takes no table",
			paths->model);
	if (paths->values == NULL)
		return fault_set(fault, "'%s' needs a dep named 'images'", paths->model);
	if (linear_load(&p->linear, paths->model, fault) < 0 ||
		dataset_open(&p->data, paths->values, paths->labels, paths->rows, fault) < 0 ||
		task_of(&p->task, p->linear.classes, "softmax", paths->model, fault) < 0)
		return -1;
	p->count = p->data.count;
	scorer_init(&p->scorer, &p->linear, PREDICTOR_ROWS);
	return check_width(p->data.features, p->linear.features, "pixels", "images", fault) < 0
		       ? -1
		       : check_labels(p, fault);
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

static int open_table(struct predictor *p, const struct predictor_paths *paths, struct text *path,
	struct fault *fault)
{
	const char *learned = p->origin.target != NULL ? p->origin.target : "label";
	struct samples_paths of_samples = { .rows = paths->rows,
		.columns = { .inputs = p->origin.inputs.data,
			.target = paths->target != NULL ? paths->target : learned },
		.may_miss = p->kind == PREDICTOR_FOREST };

	text_add(path, paths->table, strlen(paths->table));
	if (prepare_table(path, &p->origin, paths->folder, fault) < 0)
		return -1;
	of_samples.table = path->data;
	if (samples_open(&p->samples, &of_samples, fault) < 0)
		return -1;
	if (codes_apply(&p->origin.codes, &p->samples.table, fault) < 0)
		return fault_context(fault, "'%s'", paths->table);
	return prepare_labels(&p->samples, &p->origin, paths->table, fault);
}

static int read_samples(
	struct predictor *p, const struct predictor_paths *paths, struct fault *fault)
{
	const struct samples_paths of_samples = { .values = paths->values,
		.targets = paths->labels,
		.rows = paths->rows,
		.may_miss = p->kind == PREDICTOR_FOREST };
	struct text path = { 0 };
	int rc;

	if (paths->texts != NULL)
		return fault_set(fault, "'%s' is no model of texts: it takes no dep named 'texts'",
			paths->model);
	if (paths->table == NULL)
		return samples_open(&p->samples, &of_samples, fault);
	rc = open_table(p, paths, &path, fault);
	text_release(&path);
	return rc;
}

/* The texts, by the column and the steps that the model was trained with. */
static int read_texts(
	struct predictor *p, const struct predictor_paths *paths, struct fault *fault)
{
	struct fitted_step step = { .size = 0 };
	struct samples_paths of_samples = {
		.texts = paths->texts, .targets = paths->labels, .rows = paths->rows, .step = &step
	};
	struct tensors file = { .count = 0 };
	int rc;

	if (paths->texts == NULL)
		return fault_set(fault, "'%s' is a model of texts: it needs a dep named 'texts'",
			paths->model);
	rc = tensors_read(&file, paths->model, fault);
	if (rc == 0 && (rc = bags_take(&step, &of_samples.column, &file, fault)) < 0)
		(void)fault_context(fault, "'%s'", paths->model);
	if (rc == 0 && step.size != p->net.design.channels)
		rc = fault_set(fault, "'%s' has tokens of %u cells, but weights for %zu",
			paths->model, step.size, p->net.design.channels);
	if (rc == 0)
		rc = samples_open(&p->samples, &of_samples, fault);
	free(step.weight);
	tensors_release(&file);
	return rc;
}

/* Are the rows such as the model wants, with `features` values? */
static int check_samples(struct predictor *p, const struct predictor_paths *paths, size_t features,
	struct fault *fault)
{
	p->count = p->samples.count;
	if (check_width(p->samples.features, features, "values", "rows", fault) < 0)
		return -1;
	return task_check(&p->task, &p->samples,
		paths->labels != NULL ? paths->labels : paths->table, fault);
}

static int read_quantile(double *quantile, const char *text)
{
	char *end;

	*quantile = strtod(text, &end);
	return end != text && *end == '\0' && *quantile > 0 && *quantile < 1 ? 0 : -1;
}

/* The model file says which one it is. */
static int take_quantile(struct predictor *p, const char *loss, const char *path, struct fault *fault)
{
	struct tensors file = { .count = 0 };
	const char *text;
	int rc = 0;

	if (strcmp(loss, "quantile") != 0)
		return 0;
	if (tensors_read(&file, path, fault) < 0)
		return -1;
	text = tensors_note(&file, "quantile");
	if (text != NULL && read_quantile(&p->task.quantile, text) < 0)
		rc = fault_set(fault, "'%s': '%.40s' is no quantile", path, text);
	tensors_release(&file);
	return rc;
}

static int open_network(struct predictor *p, const struct predictor_paths *paths, unsigned threads,
	struct fault *fault)
{
	char loss[20];

	if (origin_read(&p->origin, paths->model, fault) < 0 || read_samples(p, paths, fault) < 0)
		return -1;
	p->fetching = feed_threads(&p->samples, threads);
	threads = threads > p->fetching ? threads - p->fetching : 1;
	if (netfile_load(&p->net, &p->scaling, loss, &nn_cpu, threads, paths->model, fault) < 0 ||
		task_of(&p->task, p->net.design.outputs, loss, paths->model, fault) < 0 ||
		take_quantile(p, loss, paths->model, fault) < 0 ||
		check_samples(p, paths, p->net.features, fault) < 0)
		return -1;
	return send_scaling(p, fault);
}

static int open_text(struct predictor *p, const struct predictor_paths *paths, unsigned threads,
	struct fault *fault)
{
	char loss[20];

	if (netfile_load(&p->net, &p->scaling, loss, &nn_cpu, threads, paths->model, fault) < 0 ||
		task_of(&p->task, p->net.design.outputs, loss, paths->model, fault) < 0 ||
		take_quantile(p, loss, paths->model, fault) < 0 ||
		read_texts(p, paths, fault) < 0 ||
		check_samples(p, paths, p->net.features, fault) < 0)
		return -1;
	return net_reserve(&p->net, PREDICTOR_ROWS, 0, fault);
}

/* Of the table it learned from, if it was one. */
static int read_origin(struct predictor *p, const char *path, struct fault *fault)
{
	const char *text = forest_attribute(&p->forest, FOREST_TABLE);
	struct text table = { 0 };
	int rc;

	if (text == NULL)
		return 0;
	text_add(&table, text, strlen(text));
	rc = origin_parse(
		&p->origin, table.data, forest_attribute(&p->forest, FOREST_RECIPE), fault);
	text_release(&table);
	return rc < 0 ? fault_context(fault, "'%s': attribute " FOREST_TABLE, path) : 0;
}

static int open_forest(struct predictor *p, const struct predictor_paths *paths, unsigned threads,
	struct fault *fault)
{
	struct forest *forest = &p->forest;

	if (forest_load(forest, paths->model, threads, fault) < 0 ||
		task_of(&p->task, forest->outputs, forest->loss, paths->model, fault) < 0 ||
		read_origin(p, paths->model, fault) < 0 ||
		read_samples(p, paths, fault) < 0 ||
		check_samples(p, paths, forest->features, fault) < 0)
		return -1;
	p->values = array_new(PREDICTOR_ROWS * forest->features, sizeof *p->values);
	return 0;
}

static void begin_feed(struct predictor *p)
{
	const struct feed_shape shape = {
		.batch = PREDICTOR_ROWS, .ahead = 8, .threads = p->fetching
	};

	p->feed = feed_open(&p->samples, &shape);
	feed_begin(p->feed, p->samples.row, p->count, 0);
}

/* By how the file begins, and by what it has. -1: it cannot be read. */
static int kind_of(const char *path, struct fault *fault)
{
	struct tensors file = { .count = 0 };
	const char *model;
	int kind;

	if (forest_is(path))
		return PREDICTOR_FOREST;
	if (tensors_read(&file, path, fault) < 0)
		return -1;
	kind = tensors_find(&file, "head.weight") != NULL ? PREDICTOR_NETWORK : PREDICTOR_LINEAR;
	model = tensors_note(&file, "model");
	if (kind == PREDICTOR_NETWORK && model != NULL && strcmp(model, "text") == 0)
		kind = PREDICTOR_TEXT;
	tensors_release(&file);
	return kind;
}

int predictor_open(struct predictor *p, const struct predictor_paths *paths, unsigned threads,
	struct fault *fault)
{
	struct predictor made = { .count = 0 };
	int kind = kind_of(paths->model, fault), rc = -1;

	if (kind < 0)
		return -1;
	made.kind = (enum predictor_kind)kind;
	switch (made.kind) {
	case PREDICTOR_LINEAR: rc = open_linear(&made, paths, fault); break;
	case PREDICTOR_NETWORK: rc = open_network(&made, paths, threads, fault); break;
	case PREDICTOR_TEXT: rc = open_text(&made, paths, threads, fault); break;
	case PREDICTOR_FOREST: rc = open_forest(&made, paths, threads, fault); break;
	}
	if (rc < 0) {
		predictor_close(&made);
		return -1;
	}
	*p = made;
	/* They have moved. */
	p->scorer.model = &p->linear;
	if (p->kind == PREDICTOR_NETWORK)
		begin_feed(p);
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
	forest_release(&p->forest);
	free(p->values);
	feed_close(p->feed);
	samples_close(&p->samples);
	origin_release(&p->origin);
	bags_release_batch(&p->bag);
	scorer_release(&p->scorer);
	linear_release(&p->linear);
	dataset_close(&p->data);
	*p = (struct predictor){ .count = 0 };
}

/* Rows at the entrance of the net. */
static void enter(struct predictor *p, const int64_t *rows, size_t count)
{
	struct net *net = &p->net;
	struct feed_batch batch;

	if (p->kind == PREDICTOR_TEXT) {
		bags_batch(&p->bag, &p->samples.bags, rows, count);
		net->bag = &p->bag;
		return;
	}
	feed_take(p->feed, rows, count, &batch);
	net->ops->gather(net->device, &(struct nn_gather){ .to = net->input,
					      .data = batch.values,
					      .is_bytes = p->samples.is_bytes,
					      .rows = batch.rows,
					      .count = count,
					      .columns = net->features,
					      .scale = p->scale,
					      .shift = p->shift });
}

static void run_network(struct predictor *p, size_t first, size_t count, float *scores)
{
	const struct net_mode mode = { .is_training = 0 };
	struct net *net = &p->net;
	size_t outputs = net->design.outputs;

	enter(p, p->samples.row + first, count);
	net->ops->download(net->device, scores, net_forward(net, count, &mode),
		count * outputs * sizeof *scores);
}

static int run_forest(
	struct predictor *p, size_t first, size_t count, float *scores, struct fault *fault)
{
	if (columns_gather(&p->forest.columns, &p->samples, p->samples.row + first, count,
		    p->values, fault) < 0)
		return -1;
	return forest_score(&p->forest, p->values, count, scores, fault);
}

static void run_linear(struct predictor *p, size_t first, size_t count, float *scores)
{
	const float *row = scorer_run(&p->scorer, &p->data, p->data.row + first, count);

	for (size_t i = 0; i < count; i++, row += p->linear.lanes)
		memcpy(scores + i * p->task.outputs, row, p->task.outputs * sizeof *scores);
}

int predictor_run(
	struct predictor *p, size_t first, size_t count, float *scores, struct fault *fault)
{
	int rc = 0;

	switch (p->kind) {
	case PREDICTOR_LINEAR: run_linear(p, first, count, scores); break;
	case PREDICTOR_NETWORK:
	case PREDICTOR_TEXT: run_network(p, first, count, scores); break;
	case PREDICTOR_FOREST: rc = run_forest(p, first, count, scores, fault); break;
	}
	/* sigmoid(s) is the softmax of 0 and s. */
	for (size_t i = rc == 0 && p->task.is_one_score ? count : 0; i-- > 0;) {
		scores[2 * i + 1] = scores[i];
		scores[2 * i] = 0;
	}
	return rc;
}

size_t predictor_label(const struct predictor *p, size_t row)
{
	if (p->kind != PREDICTOR_LINEAR)
		return (size_t)p->samples.target[p->samples.row[row]];
	return dataset_label(&p->data, p->data.row[row]);
}

const float *predictor_truth(const struct predictor *p, size_t row)
{
	return p->samples.target + (size_t)p->samples.row[row] * p->samples.targets;
}
