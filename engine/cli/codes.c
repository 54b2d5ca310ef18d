#include "cli/codes.h"

#include <string.h>
#include <strings.h>

/* E0100 comes before the codes of dag.yaml, all others after. */
static const struct code_info more[] = {
#define CODE(id, title, text) { #id, title, text },
#include "cli/codes.def"
#undef CODE
};

#define MORE (sizeof more / sizeof *more)

size_t codes_count(void)
{
	return code_count + MORE;
}

const struct code_info *codes_at(size_t i)
{
	if (i == 0)
		return &more[0];
	return i <= code_count ? &code_table[i - 1] : &more[i - code_count];
}

const struct code_info *codes_find(const char *id)
{
	size_t i;

	for (i = 0; i < MORE; i++)
		if (strcasecmp(more[i].id, id) == 0)
			return &more[i];
	return code_find(id);
}

bool codes_is_id(const char *text)
{
	return (text[0] == 'E' || text[0] == 'e') && strlen(text) == 5 &&
	       strspn(text + 1, "0123456789") == 4;
}
