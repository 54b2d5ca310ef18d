#include "evaluate/figures.h"

#include "common/jsonout.h"

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

void figures_set(struct figures *f, uint64_t hits)
{
	f->precision = ratio((double)hits, (double)f->predicted);
	f->recall = ratio((double)hits, (double)f->support);
	f->f1 = ratio(2 * (double)hits, (double)f->support + (double)f->predicted);
}

void figures_add(struct figures *mean, const struct figures *f, double share)
{
	mean->precision += share * f->precision;
	mean->recall += share * f->recall;
	mean->f1 += share * f->f1;
	mean->support += f->support;
	mean->predicted += f->predicted;
}

void figures_write(struct jsonout *json, const struct figures *f)
{
	jsonout_figure(json, "precision", f->precision);
	jsonout_figure(json, "recall", f->recall);
	jsonout_figure(json, "f1", f->f1);
	jsonout_key(json, "support");
	jsonout_integer(json, f->support);
}

void figures_write_as(struct jsonout *json, const char *key, const struct figures *f)
{
	jsonout_key(json, key);
	jsonout_open_flat(json, '{');
	figures_write(json, f);
	jsonout_close(json);
}
