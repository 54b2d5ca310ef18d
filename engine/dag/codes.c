#include "dag/codes.h"

#include <strings.h>

const struct code_info code_table[] = {
#define CODE(id, title, text) { #id, title, text },
#include "dag/codes.def"
#undef CODE
};

const size_t code_count = sizeof code_table / sizeof code_table[0];

const struct code_info *code_find(const char *id)
{
	size_t i;

	for (i = 0; i < code_count; i++)
		if (strcasecmp(code_table[i].id, id) == 0)
			return &code_table[i];
	return NULL;
}
