/* The input is two component trees of keys; its first two bytes say how long the first one is. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plan/key.h"

struct area {
	const char *data;
	size_t len;
};

struct areas {
	struct area then, now;
	size_t found;
};

static void check_view(const struct area *area, const struct part_view *v)
{
	FUZZ_CHECK(v->name >= area->data && v->name + v->name_len == v->value);
	FUZZ_CHECK(v->value + v->value_len <= area->data + area->len);
}

static void found(void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	struct areas *areas = user;

	areas->found++;
	FUZZ_CHECK((was == NULL) == (change == CHANGE_ADDED) && (is == NULL) == (change == CHANGE_REMOVED));
	if (was != NULL)
		check_view(&areas->then, was);
	if (is != NULL)
		check_view(&areas->now, is);
}

static void walk(const struct area *area)
{
	struct part_view view;
	size_t at = 0, before = 0;

	while (parts_next(area->data, area->len, &at, &view)) {
		FUZZ_CHECK(at > before && at <= area->len);
		before = at;
		check_view(area, &view);
	}
	FUZZ_CHECK(at == area->len || at == area->len + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size < 2 ? 0 : ((size_t)data[0] | (size_t)data[1] << 8) % (size - 1);
	char *then = fuzz_text(data + (size < 2 ? 0 : 2), len);
	char *now = fuzz_text(data + (size < 2 ? 0 : 2 + len), size < 2 ? 0 : size - 2 - len);
	struct areas areas = { { then, len }, { now, size < 2 ? 0 : size - 2 - len }, 0 };

	walk(&areas.then);
	walk(&areas.now);
	parts_diff(then, areas.then.len, now, areas.now.len, found, &areas);
	areas.now = areas.then;
	areas.found = 0;
	parts_diff(then, areas.then.len, then, areas.then.len, found, &areas);
	FUZZ_CHECK(areas.found == 0);
	free(then);
	free(now);
	return 0;
}
