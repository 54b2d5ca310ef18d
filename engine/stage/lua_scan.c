#include "stage/lua_scan.h"

#include <stdbool.h>
#include <string.h>

enum kind { END, NAME, STRING, OTHER };

/* A token. For NAME and STRING text and len are what it holds; a STRING with an escape in it has no plain text. */
struct token {
	enum kind kind;
	const char *text;
	size_t len;
	uint32_t line;
	bool is_plain;
};

struct scanner {
	const char *at, *end;
	uint32_t line;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool next_is(const struct scanner *s, size_t ahead, char c)
{
	return (size_t)(s->end - s->at) > ahead && s->at[ahead] == c;
}

static void advance(struct scanner *s)
{
	s->line += *s->at == '\n';
	s->at++;
}

/* At `[`, `=`* , `[`: how many `=`, or -1 when it is no long bracket. */
static int long_level(const struct scanner *s)
{
	size_t n = 1;

	while (next_is(s, n, '='))
		n++;
	return next_is(s, n, '[') ? (int)n - 1 : -1;
}

/* From the opening long bracket to behind the closing one; t gets what is between. */
static void long_text(struct scanner *s, int level, struct token *t)
{
	size_t width = (size_t)level + 2;

	s->at += width;
	if (next_is(s, 0, '\n'))
		advance(s);
	t->text = s->at;
	while (s->at < s->end) {
		size_t n = 1;

		if (*s->at == ']') {
			while (next_is(s, n, '='))
				n++;
			if (n == width - 1 && next_is(s, n, ']'))
				break;
		}
		advance(s);
	}
	t->len = (size_t)(s->at - t->text);
	s->at = (size_t)(s->end - s->at) > width ? s->at + width : s->end;
}

static void quoted_text(struct scanner *s, struct token *t)
{
	char quote = *s->at++;

	t->text = s->at;
	while (s->at < s->end && *s->at != quote && *s->at != '\n') {
		if (*s->at == '\\') {
			t->is_plain = false;
			advance(s);
			if (s->at == s->end)
				break;
		}
		advance(s);
	}
	t->len = (size_t)(s->at - t->text);
	s->at += next_is(s, 0, quote);
}

static void skip_comment(struct scanner *s)
{
	struct token ignored;
	int level;

	s->at += 2;
	level = next_is(s, 0, '[') ? long_level(s) : -1;
	if (level >= 0) {
		long_text(s, level, &ignored);
		return;
	}
	while (s->at < s->end && *s->at != '\n')
		s->at++;
}

static void skip_blank(struct scanner *s)
{
	while (s->at < s->end) {
		if (next_is(s, 0, '-') && next_is(s, 1, '-'))
			skip_comment(s);
		else if (*s->at == ' ' || (*s->at >= '\t' && *s->at <= '\r'))
			advance(s);
		else
			break;
	}
}

static struct token next_token(struct scanner *s)
{
	struct token t = { .is_plain = true };

	skip_blank(s);
	t.line = s->line;
	t.text = s->at;
	if (s->at == s->end) {
		t.kind = END;
	} else if (is_letter(*s->at)) {
		t.kind = NAME;
		while (s->at < s->end && (is_letter(*s->at) || is_digit(*s->at)))
			s->at++;
		t.len = (size_t)(s->at - t.text);
	} else if (*s->at == '"' || *s->at == '\'') {
		t.kind = STRING;
		quoted_text(s, &t);
	} else if (*s->at == '[' && long_level(s) >= 0) {
		t.kind = STRING;
		long_text(s, long_level(s), &t);
	} else {
		t.kind = OTHER;
		t.len = 1;
		/* a number is one token, so that its letters are no name */
		if (is_digit(*s->at)) {
			while (s->at < s->end &&
				(is_letter(*s->at) || is_digit(*s->at) || *s->at == '.'))
				s->at++;
		} else {
			advance(s);
		}
	}
	return t;
}

static bool is_other(const struct token *t, char c)
{
	return t->kind == OTHER && t->len == 1 && t->text[0] == c;
}

/* The token after `require`, and after `(`, and after the name: all looked at on a copy of the scanner. */
static bool literal_name(struct scanner look, struct token *name)
{
	struct token t = next_token(&look);

	if (t.kind == STRING) {
		*name = t;
		return t.is_plain;
	}
	if (!is_other(&t, '('))
		return false;
	*name = next_token(&look);
	t = next_token(&look);
	return name->kind == STRING && name->is_plain && is_other(&t, ')');
}

void lua_scan(const char *text, size_t len,
	void (*found)(void *user, const char *name, uint32_t line), void *user)
{
	struct scanner s = { .at = text, .end = text + len, .line = 1 };
	struct token t, name;
	bool is_member = false;

	if (next_is(&s, 0, '#')) {
		while (s.at < s.end && *s.at != '\n')
			s.at++;
	}
	while ((t = next_token(&s)).kind != END) {
		if (t.kind == NAME && t.len == 7 && memcmp(t.text, "require", 7) == 0 &&
			!is_member && literal_name(s, &name) && name.len > 0 &&
			name.len <= LUA_SCAN_NAME && memchr(name.text, '\0', name.len) == NULL) {
			char copy[LUA_SCAN_NAME + 1];

			memcpy(copy, name.text, name.len);
			copy[name.len] = '\0';
			found(user, copy, t.line);
		}
		is_member = is_other(&t, '.') || is_other(&t, ':');
	}
}
