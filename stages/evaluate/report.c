#include "evaluate/report.h"

#include <stdlib.h>

#include "common/file.h"
#include "common/jsonout.h"
#include "common/text.h"

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
	double hits = (double)report->confusion[label * report->classes + label];

	for (size_t i = 0; i < report->classes; i++) {
		f->support += report->confusion[label * report->classes + i];
		f->predicted += report->confusion[i * report->classes + label];
	}
	f->precision = ratio(hits, (double)f->predicted);
	f->recall = ratio(hits, (double)f->support);
	f->f1 = ratio(2 * hits, (double)f->support + (double)f->predicted);
}

static void add_share(struct figures *mean, const struct figures *f, double share)
{
	mean->precision += share * f->precision;
	mean->recall += share * f->recall;
	mean->f1 += share * f->f1;
	mean->support += f->support;
	mean->predicted += f->predicted;
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
			add_share(&report->macro, f, 1 / (double)present);
		add_share(&report->weighted, f, ratio((double)f->support, (double)report->rows));
	}
}

static void write_figures(struct jsonout *json, const struct figures *f)
{
	jsonout_key(json, "precision");
	jsonout_number(json, f->precision);
	jsonout_key(json, "recall");
	jsonout_number(json, f->recall);
	jsonout_key(json, "f1");
	jsonout_number(json, f->f1);
	jsonout_key(json, "support");
	jsonout_integer(json, f->support);
}

static void write_average(struct jsonout *json, const char *key, const struct figures *f)
{
	jsonout_key(json, key);
	jsonout_open_flat(json, '{');
	write_figures(json, f);
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
		if (names != NULL) {
			jsonout_key(json, "name");
			jsonout_string(json, names[label]);
		}
		write_figures(json, &report->of_class[label]);
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
	int rc;

	jsonout_open(&json, '{');
	jsonout_key(&json, "n");
	jsonout_integer(&json, report->rows);
	jsonout_key(&json, "accuracy");
	jsonout_number(&json, report->accuracy);
	jsonout_key(&json, "log_loss");
	jsonout_number(&json, report->loss);
	write_average(&json, "macro", &report->macro);
	write_average(&json, "weighted", &report->weighted);
	write_classes(&json, report, names);
	jsonout_key(&json, "confusion_rows");
	jsonout_string(&json, "truth; columns are predictions");
	write_confusion(&json, report);
	jsonout_key(&json, "zero_division");
	jsonout_string(&json,
		"precision of a class never predicted, recall of a class that never occurs, and "
		"F1 where both are 0, are given as 0");
	jsonout_close(&json);
	text_add(&text, "\n", 1);
	rc = output_file(path, text.data, text.length, fault);
	text_release(&text);
	return rc;
}
