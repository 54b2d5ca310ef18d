#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "stage/lua_state.h"

#define FRAMES_MAX 20
#define LEVELS_MAX 500 /* looked at: each look walks the stack from its top */

/* Where something happened, in terms that the user knows. */
struct place {
	const char *name; /* chunk */
	int line;
};

const char *lua_error_short(const char *name, char text[LUA_IDSIZE])
{
	size_t len = strlen(name);

	if (len < LUA_IDSIZE)
		(void)snprintf(text, LUA_IDSIZE, "%s", name);
	else
		(void)snprintf(text, LUA_IDSIZE, "...%s", name + len - (LUA_IDSIZE - 4));
	return text;
}

/* Does the message begin with "name:line: " of that chunk? Gives the line and the rest. */
static const char *after_place(const char *message, const char *name, int *line)
{
	char text[LUA_IDSIZE];
	size_t len = strlen(lua_error_short(name, text)), digits;
	const char *p = message + len + 1;

	if (strncmp(message, text, len) != 0 || message[len] != ':')
		return NULL;
	digits = strspn(p, "0123456789");
	if (digits == 0 || digits > 9 || strncmp(p + digits, ": ", 2) != 0)
		return NULL;
	*line = 0;
	while (isdigit((unsigned char)*p))
		*line = *line * 10 + (*p++ - '0');
	return p + 2;
}

/* Strip the place from a message and say which it was. */
static const char *take_place(const struct lua_stage *s, const char *message, struct place *place)
{
	const struct lua_source *source;

	for (source = s->sources; source != NULL; source = source->next) {
		const char *rest = after_place(message, source->name, &place->line);

		if (rest != NULL) {
			place->name = source->name;
			return rest;
		}
	}
	return message;
}

static void describe_frame(struct buf *out, lua_Debug *ar, bool is_entry)
{
	if (out->len > 0)
		buf_char(out, '\n');
	if (strcmp(ar->what, "main") == 0)
		buf_str(out, "in the main chunk");
	else if (ar->name != NULL)
		buf_printf(out, "in function '%s'", ar->name);
	else if (is_entry)
		buf_str(out, "in run");
	else
		buf_printf(out, "in the function at line %d", ar->linedefined);
	buf_printf(out, " (%s:%d)", ar->source + (ar->source[0] == '@'), ar->currentline);
	if (ar->istailcall)
		buf_str(out, "\n(...tail calls...)");
}

/* A function that calls itself, at the same line. */
static bool is_same_frame(const lua_Debug *x, const lua_Debug *y)
{
	return x->linedefined == y->linedefined && x->currentline == y->currentline && strcmp(x->source, y->source) == 0;
}

static void end_repeats(struct buf *out, int *repeats, bool is_all)
{
	if (*repeats > 0)
		buf_printf(out, "\n(%s%d more like it)", is_all ? "" : "at least ", *repeats);
	*repeats = 0;
}

/* The Lua frames, innermost first; frames of the engine and of C functions say nothing to the user. */
static void walk(lua_State *L, struct place *first, struct buf *trace)
{
	lua_Debug ar, last = { .currentline = -1 }, next;
	int level, frames = 0, repeats = 0;

	for (level = 1; level <= LEVELS_MAX && lua_getstack(L, level, &ar) != 0 && frames < FRAMES_MAX; level++) {
		(void)lua_getinfo(L, "Slnt", &ar);
		if (ar.currentline <= 0)
			continue;
		if (frames > 0 && is_same_frame(&ar, &last)) {
			repeats++;
			continue;
		}
		end_repeats(trace, &repeats, true);
		if (frames++ == 0) {
			first->name = ar.source + (ar.source[0] == '@');
			first->line = ar.currentline;
		}
		describe_frame(trace, &ar, lua_getstack(L, level + 1, &next) == 0);
		last = ar;
	}
	end_repeats(trace, &repeats, level <= LEVELS_MAX);
}

int lua_error_handler(lua_State *L)
{
	struct lua_stage *s = lua_stage_of(L);
	struct arena *a = &s->host->arena;
	struct place place = { 0 };
	struct buf trace = { 0 };
	const char *message = lua_tostring(L, 1);

	if (s->host->has_failed || s->is_placed)
		return 1;
	s->is_placed = true;
	walk(L, &place, &trace);
	s->failure.trace = buf_in(&trace, a);
	buf_release(&trace);
	s->failure.code = "E0602";
	s->failure.text =
		"the error is not a text, and cannot be made one"; /* stays when __tostring fails */
	if (message == NULL && luaL_callmeta(L, 1, "__tostring"))
		message = lua_tostring(L, -1);
	if (message == NULL)
		message = lua_pushfstring(L, "the error is a %s, not a text", luaL_typename(L, 1));
	message = take_place(s, arena_strdup(a, message), &place);
	s->failure.text = message;
	s->failure.file = place.name != NULL ? arena_strdup(a, place.name) : NULL;
	s->failure.line = (uint32_t)place.line;
	return 1;
}

/* The line of a loaded text. */
static const char *source_line(const struct lua_stage *s, const struct failure *f, size_t *len)
{
	const struct lua_source *source;
	const char *p, *end;
	uint32_t line = 1;

	for (source = s->sources; source != NULL; source = source->next) {
		if (strcmp(source->name, f->file) == 0)
			break;
	}
	if (source == NULL)
		return NULL;
	end = source->text + source->len;
	for (p = source->text; p < end && line < f->line; p++)
		line += *p == '\n';
	if (line != f->line)
		return NULL;
	for (*len = 0; p + *len < end && p[*len] != '\n' && *len < 200; (*len)++)
		;
	return p;
}

/* Find the first word that the message quotes in the line: Lua keeps no columns. */
static bool find_quoted(
	const char *message, const char *line, size_t len, size_t *at, size_t *width)
{
	const char *open = strpbrk(message, "'`");
	bool is_name;
	size_t i;

	for (; open != NULL; open = strpbrk(open + 1, "'`")) {
		const char *close = strchr(open + 1, open[0]);

		if (close == NULL)
			return false;
		*width = (size_t)(close - open) - 1;
		is_name = isalpha((unsigned char)open[1]) || open[1] == '_';
		for (i = 0; is_name && i + *width <= len; i++) {
			if (memcmp(line + i, open + 1, *width) == 0) {
				*at = i;
				return true;
			}
		}
		open = close;
	}
	return false;
}

static void show_line(struct buf *out, const struct lua_stage *s, const struct failure *f)
{
	size_t len, at, width, i;
	const char *line = source_line(s, f, &len);
	int digits = snprintf(NULL, 0, "%u", f->line);

	if (line == NULL)
		return;
	buf_printf(out, "%*s |\n%u | %.*s\n", digits, "", f->line, (int)len, line);
	if (find_quoted(f->text, line, len, &at, &width)) {
		buf_printf(out, "%*s | ", digits, "");
		for (i = 0; i < at; i++)
			buf_char(out, line[i] == '\t' ? '\t' : ' ');
		buf_repeat(out, '^', width);
		buf_char(out, '\n');
	}
}

static void show(const struct lua_stage *s, const struct failure *f)
{
	struct buf out = { 0 };
	const char *p = f->trace;

	buf_printf(&out, "error[%s]: %s\n", f->code, f->text);
	if (f->file != NULL) {
		buf_printf(&out, "  --> %s:%u\n", f->file, f->line);
		show_line(&out, s, f);
	}
	while (p != NULL && *p != '\0') {
		size_t len = strcspn(p, "\n");

		buf_printf(&out, "   = %.*s\n", (int)len, p);
		p += len + (p[len] == '\n');
	}
	(void)fwrite(out.data, 1, out.len, stderr);
	buf_release(&out);
}

void lua_error_report(struct lua_stage *s, int status)
{
	struct arena *a = &s->host->arena;
	const char *message = lua_tostring(s->L, -1);
	struct place place = { 0 };

	if (s->host->has_failed)
		return;
	if (status == LUA_ERRMEM) {
		memset(&s->failure, 0, sizeof s->failure);
		s->failure.code = "E0603";
		s->failure.text = arena_printf(a, "memory limit of %zu MiB reached", s->cap >> 20);
	} else if (status == LUA_ERRSYNTAX || !s->is_placed) {
		message = arena_strdup(a, message != NULL ? message : "unknown error");
		s->failure.code = status == LUA_ERRSYNTAX ? "E0601" : "E0602";
		s->failure.text = take_place(s, message, &place);
		s->failure.file = place.name;
		s->failure.line = (uint32_t)place.line;
	}
	show(s, &s->failure);
	(void)host_fail_at(s->host, &s->failure);
}

int lua_error_fail(lua_State *L, const char *code, const char *fmt, ...)
{
	struct lua_stage *s = lua_stage_of(L);
	struct failure f = { .code = code };
	va_list ap;

	va_start(ap, fmt);
	f.text = arena_vprintf(&s->host->arena, fmt, ap);
	va_end(ap);
	if (!s->host->has_failed) {
		if (code != NULL)
			(void)fprintf(stderr, "error[%s]: %s\n", code, f.text);
		else
			(void)fprintf(stderr, "error: %s\n", f.text);
	}
	(void)host_fail_at(s->host, &f);
	lua_pushstring(L, f.text);
	return lua_error(L);
}
