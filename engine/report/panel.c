#include "report/panel.h"

#include <assert.h>
#include <math.h>

/* Ends of what is to be shown. */
struct extent {
	bool has_step, has_value;
	double least, most;
};

static void widen(struct panel *p, struct extent *extent, const struct point *point)
{
	if (!extent->has_step || point->step < p->first)
		p->first = point->step;
	if (!extent->has_step || point->step > p->last)
		p->last = point->step;
	extent->has_step = true;
	if (!isfinite(point->value))
		return;
	if (!extent->has_value || point->value < extent->least)
		extent->least = point->value;
	if (!extent->has_value || point->value > extent->most)
		extent->most = point->value;
	extent->has_value = true;
}

void panel_axes(struct panel *p, unsigned ticks)
{
	struct extent extent = { .least = p->log ? 1 : 0, .most = p->log ? 10 : 1 };
	size_t i, k;

	assert(p->count <= PANEL_CURVES_MAX);
	p->first = p->last = 0;
	for (i = 0; i < p->count; i++)
		for (k = 0; k < p->curves[i].count; k++)
			widen(p, &extent, &p->curves[i].points[k]);
	axis_steps(&p->x, p->first, p->last, ticks);
	axis_make(&p->y, p->log ? AXIS_LOG : AXIS_LINEAR, extent.least, extent.most, ticks);
}

const struct point *panel_end(const struct panel_curve *curve)
{
	size_t n = curve->count;

	while (n > 0 && !isfinite(curve->points[n - 1].value))
		n--;
	return n > 0 ? &curve->points[n - 1] : NULL;
}
