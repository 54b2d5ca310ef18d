#include "train/gbdt_recipe.h"

#include "common/fault.h"
#include "common/text.h"
#include "nn/samples.h"

#define SCORES_MAX ((size_t)1 << 31) /* rows times outputs */

int gbdt_recipe_read(
	struct gbdt_recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	*r = (struct gbdt_recipe){ .rounds = 0 };
	if (host->dep(ctx, "init_from") != NULL)
		return fault_set(fault, "init_from is for networks: trees do not begin with others");
	if (recipe_read_rules(&r->rules, host, ctx, fault) < 0 ||
		categories_read(&r->categories, host, ctx, fault) < 0)
		return -1;
	if (r->rules.loss == NN_QUANTILE)
		return fault_set(fault,
			"with.loss: gbdt has no quantile; it has: softmax, sigmoid, mse, huber");
	r->rounds = host->integer(ctx, "rounds", 200, 1, 100000);
	r->depth = host->integer(ctx, "depth", 6, 1, 16);
	r->bins = host->integer(ctx, "bins", 256, 2, 65536);
	r->rate = host->number(ctx, "lr", 0.1, 1e-6, 1);
	r->row_sample = host->number(ctx, "subsample", 1, 1e-6, 1);
	r->column_sample = host->number(ctx, "column_sample", 1, 1e-6, 1);
	r->child_weight = host->number(ctx, "min_child_weight", 1, 0, 1e12);
	r->gain = host->number(ctx, "min_gain", 0, 0, 1e12);
	r->l1 = host->number(ctx, "l1", 0, 0, 1e12);
	r->l2 = host->number(ctx, "l2", 1, 0, 1e12);
	r->rules.patience = host->integer(ctx, "patience", 20, 0, 1000000);
	if (r->rules.fast_dev_run)
		r->rounds = 1;
	return host->failed(ctx) ? -1 : 0;
}

/* What a table says are categories. */
static void mark_table(struct columns *columns, const struct samples *s)
{
	for (size_t j = 0; s->is_table && j < s->features; j++) {
		size_t cell;

		if (table_input_of(&s->table, j, &cell)->type == COLUMN_CATEGORY)
			columns_mark(columns, j);
	}
}

/* As many as the training rows have, or as are declared. */
static int find_categories(struct gbdt_recipe *r, const struct samples *s, struct fault *fault)
{
	struct categories *list = &r->categories;

	if (categories_find(list, s, fault) < 0)
		return -1;
	columns_init(&r->columns, s->features);
	mark_table(&r->columns, s);
	for (size_t i = 0; i < list->count; i++) {
		if (list->item[i].column >= s->features)
			return fault_set(fault,
				"with.categories names column %zu, but there are columns 0 to %zu",
				list->item[i].column, s->features - 1);
		columns_mark(&r->columns, list->item[i].column);
	}
	if (columns_count(&r->columns, s, fault) < 0)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		float *found = &r->columns.categories[list->item[i].column];
		size_t declared = list->item[i].codes;

		if (declared != 0 && (double)*found > (double)declared)
			return fault_set(fault,
				"with.categories: column %zu has category %.0f; from 0 to %zu are "
				"declared",
				list->item[i].column, (double)*found - 1, declared - 1);
		if (declared != 0)
			*found = (float)declared;
	}
	return 0;
}

int gbdt_recipe_fit(struct gbdt_recipe *r, const struct samples *s, struct fault *fault)
{
	if (s->targets != 1)
		return fault_set(
			fault, "gbdt learns one number a row, but the labels have %zu", s->targets);
	if (recipe_fit(&r->rules, s, fault) < 0)
		return -1;
	/* One score tells two classes apart. */
	r->outputs = r->rules.loss == NN_SOFTMAX && s->classes > 2 ? s->classes : 1;
	if (s->count > SCORES_MAX / r->outputs || s->valid_count > SCORES_MAX / r->outputs)
		return fault_set(fault, "%zu rows of %zu classes are too many for gbdt", s->count,
			r->outputs);
	r->columns_a_round = (size_t)(r->column_sample * (double)s->features);
	if (r->columns_a_round == 0)
		r->columns_a_round = 1;
	return find_categories(r, s, fault);
}

void gbdt_recipe_text(const struct gbdt_recipe *r, const struct samples *s, struct text *text)
{
	const struct recipe *rules = &r->rules;

	text_format(text, "data %016llx rows %zu/%zu/%zu columns %zu outputs %zu seed %llu; ",
		(unsigned long long)s->digest, s->rows, s->count, s->valid_count, s->features,
		r->outputs, (unsigned long long)rules->seed);
	text_format(text,
		"gbdt rounds %ld depth %ld bins %ld lr %.17g subsample %.17g columns %zu; ",
		r->rounds, r->depth, r->bins, r->rate, r->row_sample, r->columns_a_round);
	text_format(text, "min_child_weight %.17g min_gain %.17g l1 %.17g l2 %.17g patience %ld; ",
		r->child_weight, r->gain, r->l1, r->l2, rules->patience);
	text_format(text, "loss %s %.17g weights %d", recipe_loss_name(rules->loss), rules->delta,
		(int)rules->class_weights);
	for (size_t i = 0; rules->weight != NULL && i < rules->design.outputs; i++)
		text_format(text, " %.9g", (double)rules->weight[i]);
	text_format(text, "; categories ");
	columns_text(&r->columns, text);
}

void gbdt_recipe_release(struct gbdt_recipe *r)
{
	recipe_release(&r->rules);
	categories_release(&r->categories);
	columns_release(&r->columns);
}
