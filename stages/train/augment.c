#include "train/augment.h"

#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/option.h"
#include "common/philox.h"
#include "nn/ops.h"

static int take_flip(struct augment *a, struct jsonin *in, struct fault *fault)
{
	char word[32];

	if (jsonin_string(in, word, sizeof word, fault) < 0)
		return -1;
	a->mirrors = strcmp(word, "horizontal") == 0;
	return a->mirrors || strcmp(word, "none") == 0
		       ? 0
		       : fault_set(fault, "'%s' is not known; known are: horizontal, none", word);
}

static int take_shift(struct augment *a, struct jsonin *in, struct fault *fault)
{
	uint64_t pixels;

	if (jsonin_integer(in, &pixels, fault) < 0)
		return -1;
	if (pixels > 1000)
		return fault_set(fault, "%llu pixels; up to 1000 are possible",
			(unsigned long long)pixels);
	a->shift = (size_t)pixels;
	return 0;
}

static int take_crop(struct augment *a, struct jsonin *in, struct fault *fault)
{
	if (jsonin_number(in, &a->crop, fault) < 0)
		return -1;
	return a->crop >= 0.1 && a->crop <= 1
		       ? 0
		       : fault_set(fault, "%g; from 0.1 to 1 of each side are possible", a->crop);
}

static int take_key(struct augment *a, const char *key, struct jsonin *in, struct fault *fault)
{
	if (strcmp(key, "flip") == 0)
		return take_flip(a, in, fault);
	if (strcmp(key, "shift") == 0)
		return take_shift(a, in, fault);
	if (strcmp(key, "crop") == 0)
		return take_crop(a, in, fault);
	return fault_set(fault, "it is not known; known are: flip, shift, crop");
}

int augment_read(struct augment *a, const char *json, struct fault *fault)
{
	struct jsonin in;
	char key[32];
	int more;

	*a = (struct augment){ .crop = 1 };
	jsonin_open(&in, json, '{');
	while ((more = jsonin_key(&in, key, sizeof key, fault)) == 1)
		if (take_key(a, key, &in, fault) < 0)
			return fault_context(fault, "with.augment.%s", key);
	return option_read("augment", more, fault);
}

int augment_is_on(const struct augment *a)
{
	return a->mirrors || a->shift != 0 || a->crop < 1;
}

int augment_check(const struct augment *a, size_t height, size_t width, struct fault *fault)
{
	if (a->shift >= height || a->shift >= width)
		return fault_set(fault,
			"with.augment.shift: %zu pixels, but the images are %zu x %zu", a->shift,
			height, width);
	return 0;
}

/* One of -most to most, all alike; draw has 16 bits. */
static float step_of(uint64_t draw, size_t most)
{
	return (float)((draw & 0xffff) * (2 * most + 1) >> 16) - (float)most;
}

/* From 0 to below 1, by the upper 24 bits of 32. */
static float share_of(uint64_t draw)
{
	return (float)((uint32_t)draw >> 8) / 16777216.0f;
}

void augment_views(const struct augment *a, struct nn_view *view, const int64_t *rows, size_t count,
	size_t height, size_t width, uint64_t seed, uint32_t epoch)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t row = 2 * (uint64_t)rows[i];
		uint64_t first = philox_row(seed, PHILOX_AUGMENT, epoch, row);
		uint64_t second = philox_row(seed, PHILOX_AUGMENT, epoch, row + 1);
		float side = (float)(a->crop + (1 - a->crop) * (double)share_of(first));

		view[i].is_mirrored = a->mirrors && (first & 1);
		view[i].height = side * (float)height;
		view[i].width = side * (float)width;
		view[i].top = share_of(second) * ((float)height - view[i].height) +
			      step_of(first >> 32, a->shift);
		view[i].left = share_of(second >> 32) * ((float)width - view[i].width) +
			       step_of(first >> 48, a->shift);
	}
}
