#include "train/importance.h"

#include <stdlib.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/jsonout.h"
#include "common/text.h"
#include "nn/samples.h"

int importance_check(int is_possible, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	if (is_possible || host->out(ctx, "importance") == NULL)
		return 0;
	return fault_set(fault,
		"an out named 'importance' is for gbdt, and for a mlp with hidden: [], which is "
		"linear");
}

void importance_init(struct importance *i, const struct samples *samples, const char *measure)
{
	*i = (struct importance){ .samples = samples, .measure = measure };
	i->value = array_new(samples->features, sizeof *i->value);
}

void importance_release(struct importance *i)
{
	free(i->value);
	free(i->total);
	free(i->splits);
	*i = (struct importance){ .samples = NULL };
}

struct place {
	double value;
	size_t feature;
};

/* Falling values, rising features. */
static int compare(const void *first, const void *second)
{
	const struct place *a = first, *b = second;

	if (a->value > b->value || a->value < b->value)
		return a->value < b->value ? 1 : -1;
	return (a->feature > b->feature) - (a->feature < b->feature);
}

static void write_name(struct jsonout *json, const struct samples *s, size_t feature)
{
	const struct table_input *in;
	struct text name = { 0 };
	size_t cell;

	if (!s->is_table) {
		jsonout_integer(json, feature);
		return;
	}
	in = table_input_of(&s->table, feature, &cell);
	text_format(&name, "%s", s->table.shard.column[in->column].name);
	if (in->width > 1)
		text_format(&name, "[%zu]", cell);
	jsonout_string(json, name.data);
	text_release(&name);
}

static void write_place(
	struct jsonout *json, const struct importance *i, const struct place *place, double sum)
{
	jsonout_open_flat(json, '{');
	jsonout_key(json, "column");
	write_name(json, i->samples, place->feature);
	jsonout_figure(json, "share", sum > 0 ? place->value / sum : 0);
	jsonout_figure(json, i->measure, place->value);
	if (i->total != NULL)
		jsonout_figure(json, "total_gain", i->total[place->feature]);
	if (i->splits != NULL)
		jsonout_figure(json, "splits", i->splits[place->feature]);
	jsonout_close(json);
}

int importance_write(const struct importance *i, const char *path, struct fault *fault)
{
	size_t features = i->samples->features;
	struct place *place = array_new(features, sizeof *place);
	struct text text = { 0 };
	struct jsonout json = { .out = &text };
	double sum = 0;
	int rc;

	for (size_t j = 0; j < features; j++) {
		place[j] = (struct place){ i->value[j], j };
		sum += i->value[j];
	}
	qsort(place, features, sizeof *place, compare);
	jsonout_open(&json, '{');
	jsonout_text(&json, "measure", i->measure);
	jsonout_key(&json, "columns");
	jsonout_open_tall(&json, '[');
	for (size_t j = 0; j < features; j++)
		write_place(&json, i, &place[j], sum);
	jsonout_close(&json);
	jsonout_close(&json);
	rc = jsonout_save(&json, path, fault);
	free(place);
	return rc;
}
