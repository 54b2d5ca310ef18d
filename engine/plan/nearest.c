#include "plan/nearest.h"

#include <string.h>

#include "base/digest.h"
#include "plan/key.h"

bool part_is_unknown(const struct part_view *v)
{
	static const struct digest zero;

	return v != NULL && v->part == PART_INPUT && v->value_len == DIGEST_SIZE &&
	       memcmp(v->value, zero.bytes, DIGEST_SIZE) == 0;
}

/* One of the two lists that are read side by side. */
struct reading {
	const void *data;
	size_t len, at;
	struct part_view view;
	bool has;
};

static void advance(struct reading *r)
{
	r->has = parts_next(r->data, r->len, &r->at, &r->view);
}

/* Stored lists are sorted but for outs, which stand in dag.yaml's order: outs in another order count as different. */
uint32_t parts_distance(
	const void *then, size_t then_len, const void *now, size_t now_len, uint32_t most)
{
	struct reading a = { .data = then, .len = then_len }, b = { .data = now, .len = now_len };
	uint32_t differ = 0;

	advance(&a);
	advance(&b);
	while ((a.has || b.has) && differ < most) {
		int order = !a.has ? 1 : !b.has ? -1 : part_order(&a.view, &b.view);

		if (order != 0)
			differ++;
		else if (!part_is_unknown(&b.view) && !part_same_value(&a.view, &b.view))
			differ++;
		if (order <= 0)
			advance(&a);
		if (order >= 0)
			advance(&b);
	}
	return differ;
}
