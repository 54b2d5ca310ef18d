/*
 * The input says which bytes of a compiled graph to change (fuzz_patch). The magic, size and checksum are made right again:
 * what they guard is looked at, not they themselves, which tests/unit/test_graph_cache.c does.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"
#include "dag/diag.h"
#include "dag/freeze.h"
#include "dag/graph.h"
#include "fuzz.h"
#include "store/graph_cache.h"
#include "world.h"

static const char dag[] = "name: n\n"
			  "params: {include: [params.yaml], p: 1, l: [1, 2]}\n"
			  "env: {SEED: '${env.SEED}', UNSET: }\n"
			  "stages:\n"
			  "  a: {cmd: 'a ${params.p} | b', deps: [raw], outs: [x], params: [lr]}\n"
			  "  b: {foreach: '${params.l}', cmd: [b, '${item}'], deps: {in: x}, outs: ['y/${item}']}\n"
			  "  c: {uses: ./c.so, with: {k: [1]}, deps: [y], outs: {m: z}, metrics: [m.json], cwd: sub}\n"
			  "  d: {lua: 'return {}', needs: [c], retry: {limit: 1, on: [timeout]}, timeout: 1s}\n";

static struct graph whole;
static struct dag_input input;
static int folder;

static void start(void)
{
	struct arena arena = { 0 };
	struct diags diags = { .arena = &arena };
	struct err e;

	input = fuzz_input(dag, sizeof dag - 1);
	FUZZ_CHECK(dag_load(&whole, &input, &diags, &e) == 0);
	(void)fuzz_folder(&folder);
	arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct graph changed, found;
	struct graph_head *head;

	if (whole.block == NULL)
		start();
	changed = whole;
	changed.block = mem_alloc(whole.size);
	memcpy(changed.block, whole.block, whole.size);
	fuzz_patch(changed.block, whole.size, data, size);
	head = changed.block;
	memcpy(head->magic, GRAPH_MAGIC, sizeof head->magic);
	head->size = whole.size;
	head->format = GRAPH_FORMAT;
	head->layout = graph_layout();
	head->checksum = graph_checksum(head);
	graph_cache_save(&changed, folder, &input);
	free(changed.block);
	if (graph_cache_load(&found, folder, &input) == 1) {
		fuzz_read_graph(&found);
		graph_release(&found);
	}
	return 0;
}
