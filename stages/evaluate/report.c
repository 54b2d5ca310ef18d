#include "evaluate/report.h"

#include <stdlib.h>

#include "common/jsonout.h"
#include "common/text.h"
#include "evaluate/binary.h"

void report_init(struct report *report, size_t classes)
{
	*report = (struct report){ .classes = classes };
	report->confusion = array_new(classes * classes, sizeof *report->confusion);
	report->of_class = array_new(classes, sizeof *report->of_class);
}

void report_release(struct report *report)
{
	free(report->confusion);
	free(report->of_class);
	*report = (struct report){ 0 };
}

void report_add(struct report *report, size_t truth, size_t predicted, double loss)
{
	report->confusion[truth * report->classes + predicted]++;
	report->rows++;
	report->loss += loss;
}

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static void figure_class(struct report *report, size_t label)
{
	struct figures *f = &report->of_class[label];

	for (size_t i = 0; i < report->classes; i++) {
		f->support += report->confusion[label * report->classes + i];
		f->predicted += report->confusion[i * report->classes + label];
	}
	figures_set(f, report->confusion[label * report->classes + label]);
}

void report_finish(struct report *report)
{
	uint64_t hits = 0, present = 0;

	for (size_t label = 0; label < report->classes; label++) {
		figure_class(report, label);
		hits += report->confusion[label * report->classes + label];
		present += report->of_class[label].support + report->of_class[label].predicted != 0;
	}
	report->accuracy = ratio((double)hits, (double)report->rows);
	report->loss = ratio(report->loss, (double)report->rows);
	for (size_t label = 0; label < report->classes; label++) {
		const struct figures *f = &report->of_class[label];

		if (f->support + f->predicted != 0)
			figures_add(&report->macro, f, 1 / (double)present);
		figures_add(&report->weighted, f, ratio((double)f->support, (double)report->rows));
	}
}

/* What is special about two classes. */
static void write_positive(
	struct jsonout *json, const struct report *report, const char *const *names)
{
	const struct binary *b = report->binary;

	jsonout_key(json, "positive");
	jsonout_open(json, '{');
	jsonout_key(json, "class");
	jsonout_integer(json, b->positive);
	if (names != NULL)
		jsonout_text(json, "name", names[b->positive]);
	jsonout_figure(json, "threshold", b->threshold);
	figures_write(json, &report->of_class[b->positive]);
	jsonout_figure(json, "roc_auc", b->curve.roc_auc);
	jsonout_figure(json, "average_precision", b->curve.average_precision);
	jsonout_figure(json, "brier", b->brier);
	jsonout_figure(json, "ece", b->ece);
	jsonout_figure(json, "best_f1", b->curve.best_f1);
	jsonout_figure(json, "best_threshold", b->curve.best_threshold);
	jsonout_close(json);
}

static void write_classes(
	struct jsonout *json, const struct report *report, const char *const *names)
{
	jsonout_key(json, "classes");
	jsonout_open_tall(json, '[');
	for (size_t label = 0; label < report->classes; label++) {
		jsonout_open_flat(json, '{');
		jsonout_key(json, "class");
		jsonout_integer(json, label);
		if (names != NULL)
			jsonout_text(json, "name", names[label]);
		figures_write(json, &report->of_class[label]);
		jsonout_close(json);
	}
	jsonout_close(json);
}

static void write_confusion(struct jsonout *json, const struct report *report)
{
	jsonout_key(json, "confusion");
	jsonout_open_tall(json, '[');
	for (size_t truth = 0; truth < report->classes; truth++) {
		jsonout_open(json, '[');
		for (size_t i = 0; i < report->classes; i++)
			jsonout_integer(json, report->confusion[truth * report->classes + i]);
		jsonout_close(json);
	}
	jsonout_close(json);
}

int report_write(const struct report *report, const char *const *names, const char *path,
	struct fault *fault)
{
	struct text text = { 0 };
	struct jsonout json = { .out = &text };

	jsonout_open(&json, '{');
	jsonout_key(&json, "n");
	jsonout_integer(&json, report->rows);
	jsonout_figure(&json, "accuracy", report->accuracy);
	jsonout_figure(&json, "log_loss", report->loss);
	if (report->binary != NULL)
		write_positive(&json, report, names);
	figures_write_as(&json, "macro", &report->macro);
	figures_write_as(&json, "weighted", &report->weighted);
	write_classes(&json, report, names);
	jsonout_key(&json, "confusion_rows");
	jsonout_string(&json, "truth; columns are predictions");
	write_confusion(&json, report);
	jsonout_key(&json, "zero_division");
	jsonout_string(&json,
		"precision of a class never predicted, recall of a class that never occurs, and "
		"F1 where both are 0, are given as 0");
	jsonout_close(&json);
	return jsonout_save(&json, path, fault);
}
