#include "train/schedule.h"

#include <math.h>

#include "train/recipe.h"

/* one_cycle, after L. N. Smith, "Super-Convergence" (2018), with the usual proportions. */
#define CYCLE_RISE  0.3
#define CYCLE_START 25.0
#define CYCLE_END   1e4

static double wave(double from, double to, double share)
{
	const double pi = 3.14159265358979323846;

	return to + (from - to) * 0.5 * (1 + cos(pi * share));
}

static double one_cycle(double rate, double share)
{
	if (share < CYCLE_RISE)
		return wave(rate / CYCLE_START, rate, share / CYCLE_RISE);
	return wave(rate, rate / CYCLE_END, (share - CYCLE_RISE) / (1 - CYCLE_RISE));
}

double schedule_rate(const struct recipe *r, double rate, double done, long cuts)
{
	double rest = (double)r->epochs - r->warmup;
	double share = rest > 0 ? (done - r->warmup) / rest : 1;

	if (done < r->warmup)
		return rate * (done + 1e-3) / (r->warmup + 1e-3);
	switch (r->schedule) {
	case SCHEDULE_STEP: return rate * pow(r->factor, floor((done - r->warmup) / r->step_every));
	case SCHEDULE_COSINE: return wave(rate, 0, share);
	case SCHEDULE_ONE_CYCLE: return one_cycle(rate, share);
	case SCHEDULE_PLATEAU: return rate * pow(r->factor, (double)cuts);
	case SCHEDULE_CONSTANT: break;
	}
	return rate;
}
