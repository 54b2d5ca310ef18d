#include "plan/follow.h"

#include <string.h>

#include "plan/key.h"

/* How far two texts have been read. */
struct place {
	const char *was, *was_end;
	const char *is, *is_end;
	size_t since; /* bytes that were the same since the last replacement */
};

static void unquote(const char **text, size_t *len)
{
	if (*len < 2 || **text != '"')
		return;
	++*text;
	*len -= 2;
}

struct replaced replaced_of(const struct part_view *was, const struct part_view *is)
{
	struct replaced r = { was->value, was->value_len, is->value, is->value_len };

	unquote(&r.was, &r.was_len);
	unquote(&r.is, &r.is_len);
	return r;
}

/* Length of the value at the beginning of a text, as it is or in quotes of the shell; 0: it does not stand there. */
static size_t value_at(const char *at, const char *end, const char *value, size_t len)
{
	size_t left = (size_t)(end - at);

	if (len > 0 && left >= len && memcmp(at, value, len) == 0)
		return len;
	if (left >= len + 2 && at[0] == '\'' && memcmp(at + 1, value, len) == 0 &&
		at[len + 1] == '\'')
		return len + 2;
	return 0;
}

/* The texts differ here. Both values may begin with the same bytes, which were taken as the same: "0.01" and "0.1". */
static bool step_over(struct place *p, const struct replaced *r)
{
	size_t back;

	for (back = 0; back <= p->since; back++) {
		size_t was = value_at(p->was - back, p->was_end, r->was, r->was_len);
		size_t is = value_at(p->is - back, p->is_end, r->is, r->is_len);

		if (was == 0 || is == 0 || was < back || is < back || was + is == 2 * back)
			continue;
		p->was += was - back;
		p->is += is - back;
		p->since = 0;
		return true;
	}
	return false;
}

bool text_follows(const struct part_view *was, const struct part_view *is,
	const struct replaced *list, size_t count)
{
	struct place p = { was->value, was->value + was->value_len, is->value,
		is->value + is->value_len, 0 };
	size_t i;

	while (p.was < p.was_end || p.is < p.is_end) {
		if (p.was < p.was_end && p.is < p.is_end && *p.was == *p.is) {
			p.was++;
			p.is++;
			p.since++;
			continue;
		}
		for (i = 0; i < count && !step_over(&p, &list[i]); i++)
			;
		if (i == count)
			return false;
	}
	return count > 0;
}
