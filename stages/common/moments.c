#include "common/moments.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 1024
#define LANES 4

/* Four numbers side by side. On any processor each is worked out alike, so that the sums are the same bits. */
#ifdef __SSE2__
struct four {
	__m128d low, high;
};

#define EACH(name, operation)                                                              \
	static inline struct four name(struct four a, struct four b)                       \
	{                                                                                  \
		return (struct four){ operation(a.low, b.low), operation(a.high, b.high) };   \
	}
EACH(sum, _mm_add_pd)
EACH(difference, _mm_sub_pd)
EACH(product, _mm_mul_pd)
EACH(less, _mm_min_pd)
EACH(more, _mm_max_pd)

static inline struct four four_at(const double *number)
{
	return (struct four){ _mm_loadu_pd(number), _mm_loadu_pd(number + 2) };
}

static inline void four_to(double number[LANES], struct four four)
{
	_mm_storeu_pd(number, four.low);
	_mm_storeu_pd(number + 2, four.high);
}
#else
struct four {
	double lane[LANES];
};

#define EACH(name, operation)                                                              \
	static inline struct four name(struct four a, struct four b)                       \
	{                                                                                  \
		for (int l = 0; l < LANES; l++)                                            \
			a.lane[l] = operation(a.lane[l], b.lane[l]);                       \
		return a;                                                                  \
	}
#define PLUS(x, y)  ((x) + (y))
#define MINUS(x, y) ((x) - (y))
#define TIMES(x, y) ((x) * (y))
#define LESS(x, y)  ((x) < (y) ? (x) : (y))
#define MORE(x, y)  ((x) > (y) ? (x) : (y))
EACH(sum, PLUS)
EACH(difference, MINUS)
EACH(product, TIMES)
EACH(less, LESS)
EACH(more, MORE)

static inline struct four four_at(const double *number)
{
	struct four four;

	memcpy(four.lane, number, sizeof four.lane);
	return four;
}

static inline void four_to(double number[LANES], struct four four)
{
	memcpy(number, four.lane, sizeof four.lane);
}
#endif

static inline double total_of(struct four four)
{
	double lane[LANES];

	four_to(lane, four);
	return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/* The usual block: everything is there and finite, unless the sum says otherwise. */
static int add_plain(struct moments *m, const double *numbers, size_t count)
{
	double lane[LANES] = { 0 }, total;
	struct four sums = four_at(lane), squares = sums, least, most, mean;

	for (size_t l = 0; l < LANES; l++)
		lane[l] = numbers[0];
	least = most = four_at(lane);

	for (size_t i = 0; i < count; i += LANES) {
		struct four x = four_at(numbers + i);

		sums = sum(sums, x);
		least = less(x, least);
		most = more(x, most);
	}
	total = total_of(sums);
	if (!isfinite(total))
		return 0;
	m->count = count;
	m->mean = total / (double)count;
	for (size_t l = 0; l < LANES; l++)
		lane[l] = m->mean;
	mean = four_at(lane);
	for (size_t i = 0; i < count; i += LANES) {
		struct four away = difference(four_at(numbers + i), mean);

		squares = sum(squares, product(away, away));
	}
	m->squares = total_of(squares);
	four_to(lane, least);
	for (size_t l = 0; l < LANES; l++)
		m->minimum = lane[l] < m->minimum ? lane[l] : m->minimum;
	four_to(lane, most);
	for (size_t l = 0; l < LANES; l++)
		m->maximum = lane[l] > m->maximum ? lane[l] : m->maximum;
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
