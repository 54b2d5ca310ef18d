#include "dag/shell.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/path.h"

bool shell_is_bare(const char *value)
{
	return value[0] != '\0' && value[name_span(value, "_./:@%+=,-")] == '\0';
}

static void put_single(struct buf *out, const char *value)
{
	buf_char(out, '\'');
	for (; *value != '\0'; value++) {
		if (*value == '\'')
			buf_str(out, "'\\''");
		else
			buf_char(out, *value);
	}
	buf_char(out, '\'');
}

void shell_quote(struct buf *out, const char *value)
{
	if (shell_is_bare(value))
		buf_str(out, value);
	else
		put_single(out, value);
}

static void unsure(struct shell *s, const char *why)
{
	s->place = SHELL_UNSURE;
	s->why = why;
}

static void step_plain(struct shell *s, char c)
{
	char last = s->last;

	s->last = c;
	if (s->is_escaped) {
		s->is_escaped = false;
		s->in_word = true;
		s->last = '\0';
		return;
	}
	if (c == '\'' && last == '$')
		unsure(s, "$'...'");
	else if (c == '\'')
		s->place = SHELL_SINGLE;
	else if (c == '"')
		s->place = SHELL_DOUBLE;
	else if (c == '`')
		unsure(s, "backquotes");
	else if (c == '<' && last == '<')
		unsure(s, "a here-document");
	else if (c == '(' && last == '(')
		unsure(s, "arithmetic");
	else if (c == '{' && last == '$')
		unsure(s, "${...} of the shell");
	else if (c == '#' && !s->in_word)
		s->place = SHELL_COMMENT;
	s->is_escaped = c == '\\';
	s->in_word = strchr(" \t\n|&;<>()", c) == NULL;
}

static void step_double(struct shell *s, char c)
{
	char last = s->last;

	s->last = c;
	if (s->is_escaped) {
		s->is_escaped = false;
		s->last = '\0';
		return;
	}
	if (c == '"')
		s->place = SHELL_PLAIN;
	else if (c == '`')
		unsure(s, "backquotes");
	else if (last == '$' && c == '(')
		unsure(s, "\"$(...)\"");
	else if (last == '$' && c == '{')
		unsure(s, "${...} of the shell");
	s->is_escaped = c == '\\';
}

static void step(struct shell *s, char c)
{
	switch (s->place) {
	case SHELL_PLAIN: step_plain(s, c); break;
	case SHELL_DOUBLE: step_double(s, c); break;
	case SHELL_SINGLE:
		if (c == '\'')
			s->place = SHELL_PLAIN;
		s->last = c;
		s->in_word = true;
		break;
	case SHELL_COMMENT:
		if (c == '\n')
			s->place = SHELL_PLAIN;
		s->last = c;
		s->in_word = false;
		break;
	case SHELL_UNSURE: break;
	}
}

void shell_text(struct shell *s, struct buf *out, const char *text, size_t len)
{
	size_t i;

	buf_add(out, text, len);
	for (i = 0; i < len; i++)
		step(s, text[i]);
}

int shell_value(struct shell *s, struct buf *out, const char *value)
{
	bool is_bare = shell_is_bare(value);

	if (s->place != SHELL_UNSURE)
		s->why = s->is_escaped               ? "a backslash"
			 : s->last == '$'            ? "`$`"
			 : s->place == SHELL_COMMENT ? "`#`"
						     : NULL;
	if (!is_bare && s->why != NULL)
		return -1;
	if (is_bare) {
		buf_str(out, value);
	} else {
		const char *quote = s->place == SHELL_DOUBLE ? "\"" : "";

		/* "a ${x} b" becomes "a "'value'" b". */
		if (s->place == SHELL_SINGLE)
			quote = "'";
		buf_str(out, quote);
		put_single(out, value);
		buf_str(out, quote);
	}
	s->is_escaped = false;
	s->last = '\0';
	s->in_word = true;
	return 0;
}

/* First words that only a shell can run, or that it runs differently from the program of that
 * name. */
static bool is_of_shell(const char *word)
{
	static const char *const words[] = { ".", ":", "alias", "bg", "bind", "break", "builtin",
		"caller", "case", "cd", "command", "compgen", "complete", "continue", "coproc",
		"declare", "dirs", "disown", "do", "done", "echo", "elif", "else", "enable", "esac",
		"eval", "exec", "exit", "export", "fc", "fg", "fi", "for", "function", "getopts",
		"hash", "help", "history", "if", "in", "jobs", "kill", "let", "local", "logout",
		"mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly",
		"return", "select", "set", "shift", "shopt", "source", "suspend", "test", "then",
		"time", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset",
		"until", "wait", "while" };
	size_t low = 0, high = sizeof words / sizeof words[0];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(word, words[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Copy one word from *p to *to, quotes undone. false: it needs a shell. */
static bool copy_word(const char **p, char **to, bool is_first)
{
	const char *s = *p;
	char *out = *to;

	while (*s != '\0' && *s != ' ' && *s != '\t') {
		if (*s == '\'' || *s == '"') {
			char quote = *s++;

			while (*s != '\0' && *s != quote) {
				if (quote == '"' && strchr("$`\\!", *s) != NULL)
					return false;
				*out++ = *s++;
			}
			if (*s++ == '\0')
				return false;
		} else if (strchr("|&;<>()$`\\*?[]#~!{}\n\r", *s) != NULL ||
			   (is_first && (*s == '=' || *s == '%'))) {
			return false;
		} else {
			*out++ = *s++;
		}
	}
	*out++ = '\0';
	*p = s;
	*to = out;
	return true;
}

/* No fewer than there are words. */
static size_t count_words(const char *command)
{
	size_t count = 1;

	for (; *command != '\0'; command++)
		count += *command == ' ' || *command == '\t';
	return count;
}

size_t shell_words(struct arena *a, const char *command, const char ***words)
{
	size_t len = strlen(command), count = 0;
	char *to = arena_alloc(a, len + 2);
	const char *p = command + strspn(command, " \t");

	*words = arena_alloc(a, count_words(command) * sizeof **words);
	while (*p != '\0') {
		(*words)[count] = to;
		if (!copy_word(&p, &to, count == 0))
			return 0;
		if (count == 0 && (is_of_shell((*words)[0]) || (*words)[0][0] == '\0'))
			return 0;
		count++;
		p += strspn(p, " \t");
	}
	return count;
}
