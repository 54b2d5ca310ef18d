/* The input is a metrics file. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "fuzz.h"
#include "run/telemetry.h"

static int take(void *user, const struct metric *m, struct err *e)
{
	(void)user;
	(void)e;
	FUZZ_CHECK(m->name[0] != '\0' && strlen(m->name) <= 128 && m->step == -1 && isfinite(m->value));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { .text = "" };
	int folder, rc;

	(void)fuzz_folder(&folder);
	fuzz_write("metrics.json", data, size);
	rc = metrics_of_file(folder, "metrics.json", take, NULL, &e);
	FUZZ_CHECK(rc == 0 || (rc == ERR_INPUT && e.text[0] != '\0'));
	return 0;
}
