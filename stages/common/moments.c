#include "common/moments.h"

#define BLOCK 1024
#define LANES 4

/* The usual block: everything is there and finite, unless the sum says otherwise. */
static int add_plain(struct moments *m, const double *numbers, size_t count)
{
	double sum[LANES] = { 0 }, squares[LANES] = { 0 }, least[LANES], most[LANES];
	double total;

	for (size_t l = 0; l < LANES; l++)
		least[l] = most[l] = numbers[0];
	for (size_t i = 0; i + LANES <= count; i += LANES) {
		for (size_t l = 0; l < LANES; l++) {
			double x = numbers[i + l];

			sum[l] += x;
			least[l] = x < least[l] ? x : least[l];
			most[l] = x > most[l] ? x : most[l];
		}
	}
	total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
	if (!isfinite(total))
		return 0;
	m->count = count;
	m->mean = total / (double)count;
	for (size_t i = 0; i + LANES <= count; i += LANES)
		for (size_t l = 0; l < LANES; l++)
			squares[l] += (numbers[i + l] - m->mean) * (numbers[i + l] - m->mean);
	m->squares = (squares[0] + squares[1]) + (squares[2] + squares[3]);
	for (size_t l = 0; l < LANES; l++) {
		m->minimum = least[l] < m->minimum ? least[l] : m->minimum;
		m->maximum = most[l] > m->maximum ? most[l] : m->maximum;
	}
	return 1;
}

static void add_one(struct moments *m, double number)
{
	double delta = number - m->mean;

	m->count++;
	m->mean += delta / (double)m->count;
	m->squares += delta * (number - m->mean);
	m->minimum = number < m->minimum ? number : m->minimum;
	m->maximum = number > m->maximum ? number : m->maximum;
}

static void add_block(
	struct moments *m, const double *numbers, const uint8_t *present, size_t count)
{
	struct moments block = MOMENTS_NONE;

	if (present == NULL && count % LANES == 0 && add_plain(&block, numbers, count)) {
		moments_merge(m, &block);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if ((present != NULL && !present[i]) || isnan(numbers[i]))
			block.missing++;
		else if (isinf(numbers[i]))
			block.infinite++;
		else
			add_one(&block, numbers[i]);
	}
	moments_merge(m, &block);
}

void moments_add(struct moments *m, const double *numbers, const uint8_t *present, size_t count)
{
	for (size_t i = 0; i < count; i += BLOCK)
		add_block(m, numbers + i, present != NULL ? present + i : NULL,
			count - i < BLOCK ? count - i : BLOCK);
}

void moments_merge(struct moments *m, const struct moments *other)
{
	double both = (double)(m->count + other->count), delta = other->mean - m->mean;

	m->missing += other->missing;
	m->infinite += other->infinite;
	if (other->count == 0)
		return;
	m->squares +=
		other->squares + delta * delta * ((double)m->count * (double)other->count / both);
	m->mean += delta * ((double)other->count / both);
	m->count += other->count;
	m->minimum = other->minimum < m->minimum ? other->minimum : m->minimum;
	m->maximum = other->maximum > m->maximum ? other->maximum : m->maximum;
}

double moments_deviation(const struct moments *m)
{
	return m->count == 0 ? 0 : sqrt(m->squares / (double)m->count);
}
