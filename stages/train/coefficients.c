#include "train/coefficients.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "common/text.h"
#include "nn/netfile.h"
#include "nn/samples.h"
#include "train/importance.h"
#include "train/recipe.h"

/* The weights of the one layer, [outputs][columns]: numbers first, then the embeddings. */
struct head {
	size_t outputs, columns;
	float *weight;
};

static float *floats_of(
	const struct tensors *file, const char *name, size_t count, struct fault *fault)
{
	const struct tensor *tensor = tensors_find(file, name);
	float *copy;

	if (tensor == NULL || tensor->type != TENSOR_F32 || tensor->size != count * sizeof *copy) {
		(void)fault_set(fault, "tensor '%s' is not of %zu numbers", name, count);
		return NULL;
	}
	copy = array_new(count, sizeof *copy);
	return memcpy(copy, tensor->data, tensor->size);
}

/* The same added to all classes changes nothing. */
static void centre(struct head *head)
{
	for (size_t j = 0; j < head->columns; j++) {
		float mean = 0;

		for (size_t o = 0; o < head->outputs; o++)
			mean += head->weight[o * head->columns + j] / (float)head->outputs;
		for (size_t o = 0; o < head->outputs; o++)
			head->weight[o * head->columns + j] -= mean;
	}
}

/* Of values that come one after the other. */
struct spread {
	double rows, mean, squares;
};

static void add(struct spread *s, double value)
{
	double off = value - s->mean;

	s->rows++;
	s->mean += off / s->rows;
	s->squares += off * (value - s->mean);
}

static double deviation(const struct spread *s)
{
	return sqrt(s->squares / s->rows);
}

/* A number, which is column `at` of the layer. */
static double of_number(const struct head *head, size_t at, const struct samples *s, size_t feature,
	const struct scaling *scaling)
{
	struct spread spread = { 0, 0, 0 };
	double sum = 0;

	for (size_t i = 0; i < s->count; i++)
		add(&spread, samples_value(s, (size_t)s->row[i], feature));
	for (size_t o = 0; o < head->outputs; o++)
		sum += fabs((double)head->weight[o * head->columns + at]);
	return sum / (double)head->outputs * deviation(&spread) * (double)scaling->unit /
	       (double)scaling->deviation[feature];
}

/* A category, whose vector begins at column `at` of the layer. table: [codes + 1][width]. */
static double of_category(const struct head *head, size_t at, const struct samples *s,
	const struct net_category *c, const float *table)
{
	double *part = array_new(c->codes + 1, sizeof *part), sum = 0;

	for (size_t o = 0; o < head->outputs; o++) {
		const float *weight = head->weight + o * head->columns + at;
		struct spread spread = { 0, 0, 0 };

		memset(part, 0, (c->codes + 1) * sizeof *part);
		for (size_t k = 0; k < (c->codes + 1) * c->width; k++)
			part[k / c->width] += (double)weight[k % c->width] * (double)table[k];
		for (size_t i = 0; i < s->count; i++)
			add(&spread, part[(size_t)samples_value(s, (size_t)s->row[i], c->column)]);
		sum += deviation(&spread);
	}
	free(part);
	return sum / (double)head->outputs;
}

static int measure(struct importance *importance, const struct head *head,
	const struct net_design *design, const struct scaling *scaling, const struct tensors *file,
	struct fault *fault)
{
	const struct samples *s = importance->samples;
	size_t number = 0, vector = s->features - design->category_count, category = 0;

	for (size_t j = 0; j < s->features; j++) {
		const struct net_category *c = &design->category[category];
		char name[60];
		float *table;

		if (category == design->category_count || c->column != j) {
			importance->value[j] = of_number(head, number++, s, j, scaling);
			continue;
		}
		(void)snprintf(name, sizeof name, "embedding.%zu.weight", category++);
		table = floats_of(file, name, (c->codes + 1) * c->width, fault);
		if (table == NULL)
			return -1;
		importance->value[j] = of_category(head, vector, s, c, table);
		vector += c->width;
		free(table);
	}
	return 0;
}

int coefficients_write(const struct recipe *recipe, const struct samples *samples,
	const struct scaling *scaling, const char *model, const char *path, struct fault *fault)
{
	const struct net_design *design = &recipe->design;
	struct head head = { .outputs = design->outputs };
	struct tensors file = { .count = 0 };
	struct importance importance;
	int rc = -1;

	if (tensors_read(&file, model, fault) < 0)
		return -1;
	importance_init(&importance, samples, "coefficient");
	head.columns = samples->features - design->category_count;
	for (size_t i = 0; i < design->category_count; i++)
		head.columns += design->category[i].width;
	head.weight = floats_of(&file, "head.weight", head.outputs * head.columns, fault);
	if (head.weight == NULL)
		goto out;
	if (recipe->loss == NN_SOFTMAX)
		centre(&head);
	rc = measure(&importance, &head, design, scaling, &file, fault);
	if (rc == 0)
		rc = importance_write(&importance, path, fault);
out:
	free(head.weight);
	importance_release(&importance);
	tensors_release(&file);
	return rc;
}
