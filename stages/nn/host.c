#include "nn/host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/philox.h"
#include "common/text.h"

#define BORDER 64

void *host_alloc(struct nn_device *d, size_t bytes)
{
	/* Aligned memory from array_new(), so that there is one place where memory runs out: the
	 * address that it gave lies before ours. */
	char *given = array_new(bytes + BORDER + sizeof(void *), 1), *from = given + sizeof(void *);
	char *memory = from + (BORDER - (uintptr_t)from % BORDER) % BORDER;

	(void)d;
	memcpy(memory - sizeof given, &given, sizeof given);
	return memory;
}

void host_release(struct nn_device *d, void *memory)
{
	char *given;

	(void)d;
	if (memory == NULL)
		return;
	memcpy(&given, (char *)memory - sizeof given, sizeof given);
	free(given);
}

void host_copy(struct nn_device *d, void *to, const void *from, size_t bytes)
{
	(void)d;
	memcpy(to, from, bytes);
}

void host_sync(struct nn_device *d)
{
	(void)d;
}

void host_draw(uint32_t draw[4], uint64_t seed, const uint32_t stream[2], size_t group)
{
	const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
	const uint32_t counter[4] = { (uint32_t)group, stream[0], stream[1], PHILOX_DROPOUT };

	philox(draw, counter, key);
}

int host_kept(uint32_t draw, float keep)
{
	return (float)(draw >> 8) < keep * 16777216.0f;
}

size_t host_code(const struct nn_table *table, float x)
{
	size_t others = table->rows - 1, code;

	if (!(x >= 0 && x < (float)others))
		return others;
	code = (size_t)x;
	return x > (float)code ? others : code;
}

double host_loss(const struct nn_loss *l, size_t column, double score, double target, double *slope)
{
	double off = score - target, delta = (double)l->delta;
	double weight = l->weight != NULL && target > 0.5 ? (double)l->weight[column] : 1;

	switch (l->kind) {
	case NN_SIGMOID:
		*slope = weight * (1 / (1 + exp(-score)) - target);
		return weight * (fmax(score, 0) - score * target + log1p(exp(-fabs(score))));
	case NN_HUBER:
		*slope = fmax(-delta, fmin(delta, off));
		return fabs(off) <= delta ? 0.5 * off * off : delta * (fabs(off) - 0.5 * delta);
	case NN_QUANTILE:
		*slope = off > 0 ? 1 - delta : -delta;
		return off > 0 ? (1 - delta) * off : -delta * off;
	case NN_SOFTMAX:
	case NN_SQUARED: break;
	}
	*slope = 2 * off;
	return off * off;
}
