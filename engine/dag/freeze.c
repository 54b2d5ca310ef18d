#include "dag/freeze.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "dag/build.h"

#define UNSUMMED offsetof(struct graph_head, format)

/* No padding: equal graphs are equal bytes, and no byte of the block is undefined. */
_Static_assert(sizeof(struct retry) == 88, "padding in struct retry");
_Static_assert(sizeof(struct stage) == 184, "padding in struct stage");
_Static_assert(sizeof(struct node) == 92, "padding in struct node");
_Static_assert(sizeof(struct dep) == 28 && sizeof(struct out) == 28, "padding in deps and outs");
_Static_assert(sizeof(struct field) == 12, "padding in struct field");
_Static_assert(sizeof(struct graph_head) % 8 == 0, "stages are aligned to 8");

uint32_t graph_layout(void)
{
	const uint32_t sizes[] = { sizeof(struct graph_head), sizeof(struct stage),
		sizeof(struct node), sizeof(struct dep), sizeof(struct out), sizeof(struct field) };

	return (uint32_t)XXH3_64bits(sizes, sizeof sizes);
}

uint64_t graph_checksum(const struct graph_head *head)
{
	return XXH3_64bits((const char *)head + UNSUMMED, (size_t)head->size - UNSUMMED);
}

uint64_t graph_tables(struct graph *g, const struct graph_head *head)
{
	uint64_t stages = sizeof *head;
	uint64_t nodes = stages + (uint64_t)head->stages * sizeof(struct stage);
	uint64_t deps = nodes + (uint64_t)head->nodes * sizeof(struct node);
	uint64_t outs = deps + (uint64_t)head->deps * sizeof(struct dep);
	uint64_t fields = outs + (uint64_t)head->outs * sizeof(struct out);
	uint64_t params = fields + (uint64_t)head->fields * sizeof(struct field);
	uint64_t sources = params + (uint64_t)head->params * sizeof(struct field);
	uint64_t links = sources + (uint64_t)head->sources * sizeof(struct field);
	uint64_t words = links + (uint64_t)head->links * sizeof(uint32_t);
	uint64_t text = words + (uint64_t)head->words * sizeof(uint32_t);
	const char *block = (const char *)head;

	memset(g, 0, sizeof *g);
	g->head = head;
	g->stages = (const struct stage *)(const void *)(block + stages);
	g->nodes = (const struct node *)(const void *)(block + nodes);
	g->deps = (const struct dep *)(const void *)(block + deps);
	g->outs = (const struct out *)(const void *)(block + outs);
	g->fields = (const struct field *)(const void *)(block + fields);
	g->params = (const struct field *)(const void *)(block + params);
	g->sources = (const struct field *)(const void *)(block + sources);
	g->links = (const uint32_t *)(const void *)(block + links);
	g->words = (const uint32_t *)(const void *)(block + words);
	g->text = block + text;
	g->stage_count = head->stages;
	g->node_count = head->nodes;
	g->param_count = head->params;
	g->source_count = head->sources;
	return text + head->text;
}

static char *put(char *to, const void *items, size_t count, size_t size)
{
	if (count > 0)
		memcpy(to, items, count * size);
	return to + count * size;
}

void graph_freeze(struct graph *g, const struct build *b)
{
	struct graph_head head = { .format = GRAPH_FORMAT };
	struct graph_head *block;
	char *to;

	memcpy(head.magic, GRAPH_MAGIC, sizeof head.magic);
	head.layout = graph_layout();
	head.stages = (uint32_t)b->stages.count;
	head.nodes = (uint32_t)b->nodes.count;
	head.deps = (uint32_t)b->deps.count;
	head.outs = (uint32_t)b->outs.count;
	head.fields = (uint32_t)b->fields.count;
	head.params = (uint32_t)b->params.count;
	head.sources = (uint32_t)b->sources.count;
	head.links = (uint32_t)b->links.count;
	head.words = (uint32_t)b->words.count;
	head.text = (uint32_t)b->text.len;
	head.name = b->name;
	head.size = graph_tables(g, &head);
	block = mem_alloc((size_t)head.size);
	to = put((char *)block, &head, 1, sizeof head);
	to = put(to, b->stages.items, b->stages.count, sizeof *b->stages.items);
	to = put(to, b->nodes.items, b->nodes.count, sizeof *b->nodes.items);
	to = put(to, b->deps.items, b->deps.count, sizeof *b->deps.items);
	to = put(to, b->outs.items, b->outs.count, sizeof *b->outs.items);
	to = put(to, b->fields.items, b->fields.count, sizeof *b->fields.items);
	to = put(to, b->params.items, b->params.count, sizeof *b->params.items);
	to = put(to, b->sources.items, b->sources.count, sizeof *b->sources.items);
	to = put(to, b->links.items, b->links.count, sizeof *b->links.items);
	to = put(to, b->words.items, b->words.count, sizeof *b->words.items);
	put(to, b->text.data, b->text.len, 1);
	block->checksum = graph_checksum(block);
	(void)graph_tables(g, block);
	g->block = block;
	g->size = (size_t)head.size;
}
