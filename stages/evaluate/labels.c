#include "evaluate/labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonout.h"
#include "common/text.h"

void labels_init(struct labels *l, size_t labels, size_t rows, double threshold)
{
	*l = (struct labels){ .labels = labels, .room = rows, .threshold = threshold };
	l->probability = array_new(rows * labels, sizeof *l->probability);
	l->truth = array_new(rows * labels, sizeof *l->truth);
	l->label = array_new(labels, sizeof *l->label);
}

void labels_release(struct labels *l)
{
	free(l->probability);
	free(l->truth);
	free(l->label);
	*l = (struct labels){ .labels = 0 };
}

void labels_add(struct labels *l, const float *truth, const float *probability, double loss)
{
	uint64_t is_exact = 1;

	for (size_t j = 0; j < l->labels; j++) {
		struct label *label = &l->label[j];
		uint64_t has = truth[j] > 0.5f, is_found = (double)probability[j] >= l->threshold;

		l->truth[j * l->room + l->rows] = (uint8_t)has;
		label->hits += has & is_found;
		label->figures.support += has;
		label->figures.predicted += is_found;
		is_exact &= has == is_found;
	}
	memcpy(l->probability + l->rows * l->labels, probability, l->labels * sizeof *probability);
	l->exact += is_exact;
	l->loss += loss;
	l->rows++;
}

static double mean_of(double sum, double count)
{
	return count > 0 ? sum / count : (double)NAN;
}

/* Of the labels that have them. */
static void average_curves(struct labels *l)
{
	double areas = 0, precisions = 0;
	double with_area = 0, with_precision = 0;

	for (size_t j = 0; j < l->labels; j++) {
		const struct curve *c = &l->label[j].curve;

		areas += isnan(c->roc_auc) ? 0 : c->roc_auc;
		with_area += !isnan(c->roc_auc);
		precisions += isnan(c->average_precision) ? 0 : c->average_precision;
		with_precision += !isnan(c->average_precision);
	}
	l->roc_auc = mean_of(areas, with_area);
	l->average_precision = mean_of(precisions, with_precision);
}

void labels_finish(struct labels *l)
{
	double cells = (double)l->rows * (double)l->labels;
	uint64_t hits = 0;

	for (size_t j = 0; j < l->labels; j++) {
		struct label *label = &l->label[j];

		figures_set(&label->figures, label->hits);
		curve_measure(&label->curve, l->probability + j, l->labels,
			l->truth + j * l->room, l->rows);
		hits += label->hits;
		figures_add(&l->macro, &label->figures, 1 / (double)l->labels);
	}
	l->micro.support = l->macro.support;
	l->micro.predicted = l->macro.predicted;
	figures_set(&l->micro, hits);
	for (size_t j = 0; j < l->labels && l->micro.support > 0; j++)
		figures_add(&l->weighted, &l->label[j].figures,
			(double)l->label[j].figures.support / (double)l->micro.support);
	l->weighted.support = l->micro.support;
	l->subset_accuracy = (double)l->exact / (double)l->rows;
	l->hamming_loss = (double)(l->micro.support + l->micro.predicted - 2 * hits) / cells;
	l->loss /= cells;
	average_curves(l);
}

static void write_label(struct jsonout *json, const struct label *label, size_t number,
	const char *const *names)
{
	jsonout_open_flat(json, '{');
	jsonout_key(json, "label");
	jsonout_integer(json, number);
	if (names != NULL)
		jsonout_text(json, "name", names[number]);
	figures_write(json, &label->figures);
	jsonout_figure(json, "roc_auc", label->curve.roc_auc);
	jsonout_figure(json, "average_precision", label->curve.average_precision);
	jsonout_close(json);
}

int labels_write(const struct labels *l, const char *const *names, const char *path,
	struct fault *fault)
{
	struct text text = { 0 };
	struct jsonout json = { .out = &text };

	jsonout_open(&json, '{');
	jsonout_key(&json, "n");
	jsonout_integer(&json, l->rows);
	jsonout_figure(&json, "threshold", l->threshold);
	jsonout_figure(&json, "subset_accuracy", l->subset_accuracy);
	jsonout_figure(&json, "hamming_loss", l->hamming_loss);
	jsonout_figure(&json, "log_loss", l->loss);
	jsonout_figure(&json, "roc_auc", l->roc_auc);
	jsonout_figure(&json, "average_precision", l->average_precision);
	figures_write_as(&json, "micro", &l->micro);
	figures_write_as(&json, "macro", &l->macro);
	figures_write_as(&json, "weighted", &l->weighted);
	jsonout_key(&json, "labels");
	jsonout_open_tall(&json, '[');
	for (size_t j = 0; j < l->labels; j++)
		write_label(&json, &l->label[j], j, names);
	jsonout_close(&json);
	jsonout_close(&json);
	return jsonout_save(&json, path, fault);
}
