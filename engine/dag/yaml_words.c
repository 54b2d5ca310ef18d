#include "dag/yaml_words.h"

#include <stdbool.h>
#include <string.h>

#include <yaml.h>

#include "dag/diag.h"
#include "dag/yaml.h"

struct words {
	const char *context, *problem; /* parts of libyaml's texts; "" fits any */
	const char *message, *label;
	bool at_start; /* shown where the thing began, not where it was found to be wrong */
};

static const struct words table[] = {
	{ "quoted scalar", "unexpected end of stream", "a quote is opened and never closed",
		"opened here", true },
	{ "quoted scalar", "unexpected document indicator", "a quote is opened and never closed",
		"opened here", true },
	{ "", "tab character", "a tab cannot indent YAML", "use spaces", false },
	{ "", "unknown escape character", "this is not an escape of \"...\" text",
		"write `\\\\` for a backslash, or use '...'", false },
	{ "", "expected hexdecimal number", "an escape like \\x or \\u needs hexadecimal digits",
		"", false },
	{ "", "invalid Unicode character escape code", "this escape is not a Unicode character", "",
		false },
	{ "", "mapping values are not allowed", "a `key: value` cannot begin here",
		"quote the text if its `: ` is meant, or look at the indentation", false },
	{ "flow sequence", "did not find expected ',' or ']'", "a list misses a `,` or its `]`",
		"the list begins here", true },
	{ "flow mapping", "did not find expected ',' or '}'", "a map misses a `,` or its `}`",
		"the map begins here", true },
	{ "", "could not find expected ':'", "a key is not followed by `:`", "", true },
	{ "block mapping", "did not find expected key",
		"this fits neither the map above nor one inside it",
		"look at the indentation, and at quotes in the line above", false },
	{ "block collection", "did not find expected '-' indicator",
		"this fits neither the list above nor one inside it", "look at the indentation",
		false },
	{ "", "block sequence entries are not allowed", "a `- ` item cannot begin here",
		"put the list on lines of its own", false },
	{ "", "mapping keys are not allowed", "a `? ` key cannot begin here", "", false },
	{ "", "did not find expected <document start>", "text follows the end of the document", "",
		false },
	{ "", "found incompatible YAML document", "the %YAML line names an unknown version",
		"take the line away", false },
	{ "", "did not find expected node content", "a value is missing here", "", false },
	{ "", "did not find expected alphabetic or numeric character",
		"an anchor or alias needs a name of letters and digits",
		"quote the text if its `*` or `&` is meant", true },
	{ "", "found undefined tag handle", "YAML tags are not used here", "take the `!` part away",
		true },
	{ "tag", "", "YAML tags are not used here", "quote the text if its `!` is meant", true },
	{ "block scalar", "", "this is not how a `|` or `>` text begins", "", false },
};

static bool has(const char *text, const char *part)
{
	return part[0] == '\0' || (text != NULL && strstr(text, part) != NULL);
}

static struct place place_of(const struct yaml_file *file, const yaml_mark_t *mark)
{
	return (struct place){ .file = file->name,
		.line = (uint32_t)mark->line + 1,
		.col = (uint32_t)mark->column + 1,
		.width = 1 };
}

/* The character at a mark, or 0. */
static char char_at(const struct yaml_file *file, const yaml_mark_t *mark)
{
	const char *p = file->text, *end = p + file->len;
	size_t line;

	for (line = 0; line < mark->line; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			return '\0';
		p++;
	}
	return mark->column < (size_t)(end - p) ? p[mark->column] : '\0';
}

static void cannot_start(struct diags *d, const struct yaml_file *file, const yaml_mark_t *mark)
{
	char c = char_at(file, mark);
	struct diag *diag;

	if (c == '\t') {
		diag = diag_add(d, "E0101", place_of(file, mark), "a tab cannot indent YAML");
		diag_label(d, diag, "use spaces");
		return;
	}
	diag = diag_add(d, "E0101", place_of(file, mark), "plain text cannot begin with `%c`",
		c > ' ' && c < 0x7f ? c : '?');
	diag_label(d, diag, "put it in quotes");
}

/* The text ended inside `[...]` or `{...}`. */
static bool add_unclosed(struct diags *d, const struct yaml_file *file, const yaml_parser_t *parser,
	const struct yaml *open)
{
	struct diag *diag;

	if (open == NULL || parser->context == NULL ||
		strstr(parser->context, "flow node") == NULL ||
		char_at(file, &parser->problem_mark) != '\0')
		return false;
	diag = diag_add(d, "E0101", yaml_place(open),
		open->type == YAML_LIST ? "a list misses its `]`" : "a map misses its `}`");
	diag_label(d, diag, "opened here");
	return true;
}

void yaml_words_add(struct diags *d, const struct yaml_file *file, const yaml_parser_t *parser,
	const struct yaml *open)
{
	const char *problem = parser->problem != NULL ? parser->problem : "cannot be read as YAML";
	const struct words *w = table, *end = table + sizeof table / sizeof table[0];
	bool has_context = parser->context != NULL;
	struct diag *diag;

	if (parser->error == YAML_READER_ERROR) {
		diag_add(d, "E0102", (struct place){ .file = file->name }, "%s", problem);
		return;
	}
	if (strstr(problem, "cannot start any token") != NULL) {
		cannot_start(d, file, &parser->problem_mark);
		return;
	}
	if (add_unclosed(d, file, parser, open))
		return;
	while (w < end && !(has(parser->context, w->context) && has(problem, w->problem)))
		w++;
	if (w == end) {
		diag_add(d, "E0101", place_of(file, &parser->problem_mark), "%s", problem);
		return;
	}
	diag = diag_add(d, "E0101",
		place_of(file,
			w->at_start && has_context ? &parser->context_mark : &parser->problem_mark),
		"%s", w->message);
	diag_label(d, diag, "%s", w->label);
}
