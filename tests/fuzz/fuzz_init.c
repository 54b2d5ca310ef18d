/*
 * The input is what happens to a file of weights before a training begins with them. Its first byte says which network's it is, and which
 * network begins with it; the rest how it changes (tensorfile.h). What the network has afterwards are numbers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "fuzz.h"
#include "mapped.h"
#include "nn/bags.h"
#include "nn/netfile.h"
#include "tensorfile.h"
#include "train/init.h"
#include "train/recipe.h"

#define NETS 4

static const struct recipe recipes[NETS] = {
	{ .design = { .kind = NET_MLP, .height = 1, .width = 1, .channels = 4, .outputs = 3, .hidden = { 5 }, .hidden_count = 1,
		  .norm = NET_NORM_BATCH, .residual = 1 }, .standardize = 1 },
	{ .design = { .kind = NET_CNN, .height = 6, .width = 4, .channels = 1, .outputs = 2, .stages = { 2 }, .stage_count = 1,
		  .activation = NN_GELU }, .standardize = 1 },
	{ .design = { .kind = NET_MLP, .height = 1, .width = 1, .channels = 3, .outputs = 2, .category = { { 0, 4, 2 } },
		  .category_count = 1 } },
	{ .design = { .kind = NET_TEXT, .height = 1, .width = 1, .channels = 8, .outputs = 2, .embedding = 3 } },
};

static struct begun {
	struct recipe recipe;
	struct net net;
	struct scaling scaling;
	struct pattern skipped;
	struct tensorfile file;
} nets[NETS];

static void save(struct begun *b)
{
	struct tensors notes = { .count = 0 };
	struct fault fault;
	char path[300];

	(void)snprintf(path, sizeof path, "%s/model", fuzz_folder(NULL));
	tensors_describe(&notes, "loss", "softmax");
	if (b->recipe.design.kind == NET_TEXT)
		bags_describe(&b->recipe.tokens, "note", &notes);
	FUZZ_CHECK(netfile_save(&b->net, NULL, &b->scaling, &notes, path, &fault) == 0);
	tensors_release(&notes);
	tensorfile_keep(&b->file, path);
}

static void make(struct begun *b, size_t which)
{
	struct fault fault;

	b->recipe = recipes[which];
	if (b->recipe.design.kind == NET_TEXT)
		FUZZ_CHECK(bags_read_step(&b->recipe.tokens, "words 8 1 2", &fault) == 0);
	FUZZ_CHECK(net_init(&b->net, &b->recipe.design, &nn_ref, 1, &fault) == 0);
	net_draw(&b->net, which);
	scaling_init(&b->scaling, b->net.features, 1);
	save(b);
	(void)strcpy(b->skipped.text, "head.*");
}

static void release(void)
{
	for (size_t i = 0; i < NETS; i++) {
		net_release(&nets[i].net);
		scaling_release(&nets[i].scaling);
		tensorfile_release(&nets[i].file);
	}
}

static void check_taken(const struct begun *b, const char *line)
{
	FUZZ_CHECK(strncmp(line, "begins with ", 12) == 0);
	for (size_t i = 0; i < b->net.weight_count; i++)
		FUZZ_CHECK(isfinite(b->net.weight[i]));
	for (size_t i = 0; i < b->net.running_count; i++)
		FUZZ_CHECK(isfinite(b->net.running[i]));
	for (size_t i = 0; i < b->scaling.features; i++)
		FUZZ_CHECK(isfinite(b->scaling.mean[i]) && b->scaling.deviation[i] > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct begun *b;
	struct fault fault = { "" };
	struct tensorfile changed;
	uint64_t digest;
	char line[200];

	if (nets[0].net.layer == NULL) {
		for (size_t i = 0; i < NETS; i++)
			make(&nets[i], i);
		FUZZ_CHECK(atexit(release) == 0);
	}
	if (size == 0)
		return 0;
	b = &nets[data[0] % NETS];
	b->recipe.groups.skipped = data[0] & 64 ? (struct patterns){ &b->skipped, 1 } : (struct patterns){ NULL, 0 };
	b->skipped.is_used = 0;
	for (size_t i = 0; i < b->scaling.features; i++) {
		b->scaling.mean[i] = 0;
		b->scaling.deviation[i] = 1;
	}
	tensorfile_change(&changed, &nets[data[0] / NETS % NETS].file, data + 1, size - 1);
	if (init_take(&b->net, &b->scaling, &b->recipe, mapped_file(changed.data, changed.size), &digest, line, &fault) == 0)
		check_taken(b, line);
	else
		FUZZ_CHECK(fault.text[0] != '\0');
	tensorfile_release(&changed);
	return 0;
}
