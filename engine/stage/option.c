#include "stage/option.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"

#define INTEGER_MAX 9007199254740992.0 /* 2^53: a real may stand for an integer up to here */

const char *option_type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT: return "a map";
	case JSON_ARRAY: return "a list";
	case JSON_STRING: return "text";
	case JSON_INTEGER: return "an integer";
	case JSON_REAL: return "a number";
	case JSON_TRUE:
	case JSON_FALSE: return "a boolean";
	case JSON_NULL: break;
	}
	return "null";
}

static bool is_whole(const json_t *value)
{
	double x = json_real_value(value);

	return json_is_integer(value) ||
	       (json_is_real(value) && x == floor(x) && fabs(x) <= INTEGER_MAX);
}

bool option_type_fits(const json_t *value, const char *type)
{
	if (strcmp(type, "number") == 0)
		return json_is_number(value);
	if (strcmp(type, "integer") == 0)
		return is_whole(value);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(value);
	if (strcmp(type, "text") == 0 || strcmp(type, "string") == 0)
		return json_is_string(value);
	if (strcmp(type, "list") == 0)
		return json_is_array(value);
	if (strcmp(type, "map") == 0)
		return json_is_object(value);
	return true;
}

void option_read(struct option *o, const char *key, const char *text)
{
	const char *bounds = strchr(text, ' '), *dots = bounds != NULL ? strstr(bounds, "..") : NULL;

	*o = (struct option){ .key = key, .min = -HUGE_VAL, .max = HUGE_VAL };
	(void)snprintf(o->type, sizeof o->type, "%.*s", (int)strcspn(text, " "), text);
	if (dots == NULL)
		return;
	if (dots > bounds + 1)
		o->min = strtod(bounds, NULL);
	if (dots[2] != '\0')
		o->max = strtod(dots + 2, NULL);
}

const char *option_fault(const struct option *o, const json_t *value, struct arena *a)
{
	double x = json_number_value(value);

	if (!option_type_fits(value, o->type))
		return arena_printf(a, "`with.%s` must be of type %s, it is %s", o->key, o->type,
			option_type_name(value));
	if (!json_is_number(value) || (x >= o->min && x <= o->max))
		return NULL;
	if (isinf(o->max))
		return arena_printf(a, "`with.%s` is %.12g, it must be at least %.12g", o->key, x,
			o->min);
	if (isinf(o->min))
		return arena_printf(
			a, "`with.%s` is %.12g, it must be at most %.12g", o->key, x, o->max);
	return arena_printf(a, "`with.%s` is %.12g, it must be from %.12g to %.12g", o->key, x,
		o->min, o->max);
}

const char *option_unknown(const char *key, const char *near, struct arena *a)
{
	return near == NULL ? arena_printf(a, "unknown key `%s` under `with:`", key)
			    : arena_printf(a, "unknown key `%s` under `with:`, did you mean `%s`?",
				      key, near);
}

const char *option_missing(const char *key, const char *help, struct arena *a)
{
	return arena_printf(a, "`with.%s` is missing: %s", key,
		help != NULL ? help : "it has no default");
}
