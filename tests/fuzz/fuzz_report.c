/* The input is what an attempt writes to FLOW_METRICS, in two pieces: its first two bytes say how long the first one is. */
#include <string.h>

#include "base/err.h"
#include "fuzz.h"
#include "run/telemetry.h"

static int take(void *user, const struct metric *m, struct err *e)
{
	size_t *count = user;

	(void)e;
	FUZZ_CHECK(m->name[0] != '\0' && strlen(m->name) <= 128 && m->step >= -1);
	(*count)++;
	return 0;
}

static void read_on(struct telemetry *t, int folder, size_t *count)
{
	struct err e;

	FUZZ_CHECK(telemetry_read(t, folder, "report", take, count, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first = size < 2 ? 0 : ((size_t)data[0] | (size_t)data[1] << 8) % (size - 1), pieces = 0, together = 0;
	const uint8_t *text = data + (size < 2 ? 0 : 2);
	size_t len = size < 2 ? 0 : size - 2;
	struct telemetry twice = { 0 }, once = { 0 };
	int folder;

	(void)fuzz_folder(&folder);
	fuzz_write("report", text, first);
	read_on(&twice, folder, &pieces);
	fuzz_append("report", text + first, len - first);
	read_on(&twice, folder, &pieces);
	read_on(&once, folder, &together);
	FUZZ_CHECK(pieces == together && once.bad_lines == twice.bad_lines && once.ended == twice.ended);
	FUZZ_CHECK(strcmp(buf_text(&once.fail), buf_text(&twice.fail)) == 0);
	telemetry_release(&once);
	telemetry_release(&twice);
	return 0;
}
