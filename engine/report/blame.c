#include "report/blame.h"

#include <math.h>

#include "base/vec.h"

/* A stretch of the path that is still to be looked at. */
struct stretch {
	size_t from, to;
	double was, is;
};

struct stretches {
	struct stretch *items;
	size_t count, cap;
};

bool blame_same(double a, double b)
{
	return (isnan(a) && isnan(b)) || !(a < b || a > b || isnan(a) || isnan(b));
}

/* The i-th point of a stretch to be tried: the middle first, then outwards. 0: there is none left. */
static size_t candidate(const struct stretch *s, size_t i)
{
	size_t middle = s->from + (s->to - s->from) / 2, step = (i + 1) / 2;

	if (i % 2 == 0)
		return middle + step < s->to ? middle + step : 0;
	return middle > s->from + step ? middle - step : 0;
}

/* 1: *at and *value are a point inside; 0: none can be run. */
static int find_point(struct blame *b, const struct stretch *s, blame_run *run, void *user,
	size_t *at, double *value, struct err *e)
{
	size_t i;

	for (i = 0; i < 2 * (s->to - s->from); i++) {
		int rc;

		*at = candidate(s, i);
		if (*at == 0)
			continue;
		b->tried++;
		rc = run(user, *at, value, e);
		if (rc != 0)
			return rc;
		b->failed++;
	}
	return 0;
}

static void add_part(struct blame *b, const struct stretch *s, bool stuck)
{
	struct blame_part part = { s->from, s->to - s->from, s->was, s->is, stuck };

	vec_push(&b->parts, part);
}

static int look_at(
	struct blame *b, struct stretches *left, blame_run *run, void *user, struct err *e)
{
	struct stretch s = left->items[--left->count], half;
	double value;
	size_t at;
	int rc;

	if (s.to - s.from == 1 || (!b->all && blame_same(s.was, s.is))) {
		add_part(b, &s, false);
		return 0;
	}
	rc = find_point(b, &s, run, user, &at, &value, e);
	if (rc <= 0) {
		add_part(b, &s, true);
		return rc;
	}
	half = (struct stretch){ at, s.to, value, s.is };
	vec_push(left, half);
	half = (struct stretch){ s.from, at, s.was, value };
	vec_push(left, half);
	return 0;
}

int blame_bisect(struct blame *b, blame_run *run, void *user, struct err *e)
{
	struct stretches left = { 0 };
	struct stretch whole = { 0, b->changes, b->was, b->is };
	int rc = 0;

	if (b->changes > 0)
		vec_push(&left, whole);
	while (rc == 0 && left.count > 0)
		rc = look_at(b, &left, run, user, e);
	vec_release(&left);
	return rc;
}

void blame_release(struct blame *b)
{
	vec_release(&b->parts);
}
