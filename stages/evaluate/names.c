#include "evaluate/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/text.h"

void names_release(struct names *names)
{
	free(names->text);
	free(names->list);
	*names = (struct names){ 0 };
}

int names_read(struct names *names, const char *json, size_t count, const char *what,
	struct fault *fault)
{
	struct jsonin in;
	size_t given = 0;
	int more;

	if (json == NULL)
		return 0;
	names->text = array_new(count, sizeof *names->text);
	names->list = array_new(count, sizeof *names->list);
	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1) {
		if (given == count)
			return fault_set(
				fault, "more names than the %zu %s of the model", count, what);
		if (jsonin_string(&in, names->text[given], NAME_ROOM, fault) < 0)
			return -1;
		names->list[given] = names->text[given];
		given++;
	}
	if (more == 0 && given == 0)
		names_release(names);
	else if (more == 0 && given != count)
		return fault_set(
			fault, "%zu names for the %zu %s of the model", given, count, what);
	return more;
}

int names_positive(
	size_t *positive, const char *const *list, const char *json, struct fault *fault)
{
	char given[NAME_ROOM];
	struct jsonin in;
	uint64_t number;

	*positive = 1;
	if (json == NULL)
		return 0;
	jsonin_begin(&in, json, strlen(json));
	if (jsonin_peek(&in) != '"') {
		if (jsonin_integer(&in, &number, fault) < 0 || number > 1)
			return fault_set(fault, "'%.40s' is neither 0 nor 1", json);
		*positive = (size_t)number;
		return 0;
	}
	if (jsonin_string(&in, given, sizeof given, fault) < 0)
		return -1;
	for (size_t i = 0; list != NULL && i < 2; i++)
		if (strcmp(given, list[i]) == 0) {
			*positive = i;
			return 0;
		}
	return list != NULL ? fault_set(fault, "'%s' is no class; the classes are: %s, %s", given,
				      list[0], list[1])
			    : fault_set(fault, "'%s': the classes have no names; 0 and 1 are possible",
				      given);
}
