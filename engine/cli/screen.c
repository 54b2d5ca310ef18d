#include "cli/screen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "cli/cmd.h"
#include "cli/terminal.h"

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0';
}

static bool wants_color(const struct screen *o, enum screen_color color)
{
	const char *wish = getenv("FLOW_COLOR");

	if (color != SCREEN_COLOR_AUTO)
		return color == SCREEN_COLOR_ALWAYS;
	if (wish != NULL && strcmp(wish, "always") == 0)
		return true;
	if (wish != NULL && strcmp(wish, "never") == 0)
		return false;
	if (is_set("NO_COLOR"))
		return false;
	if (is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE"))
		return true;
	return o->tty && terminal_redraws();
}

static bool is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (is_set(names[i]))
			return strcasestr(getenv(names[i]), "utf-8") != NULL ||
			       strcasestr(getenv(names[i]), "utf8") != NULL;
	return false;
}

void screen_size(struct screen *o)
{
	struct winsize size;

	if (!o->tty || ioctl(o->fd, TIOCGWINSZ, &size) < 0)
		return;
	if (size.ws_col > 0)
		o->columns = size.ws_col;
	if (size.ws_row > 0)
		o->rows = size.ws_row;
}

void screen_open(struct screen *o, int fd, enum screen_color color)
{
	*o = (struct screen){ .fd = fd, .columns = 80, .rows = 24 };
	o->tty = isatty(fd) == 1;
	o->color = wants_color(o, color);
	o->utf8 = is_utf8();
	screen_size(o);
}

void screen_printf(struct screen *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&o->text, fmt, ap);
	va_end(ap);
}

void screen_str(struct screen *o, const char *s)
{
	buf_str(&o->text, s);
}

void screen_paint(struct screen *o, enum paint paint, const char *s)
{
	static const char *const starts[] = { "", "\033[1m", "\033[2m", "\033[31m", "\033[32m",
		"\033[33m", "\033[34m", "\033[36m" };

	if (!o->color || paint == PAINT_NONE) {
		buf_str(&o->text, s);
		return;
	}
	buf_str(&o->text, starts[paint]);
	buf_str(&o->text, s);
	buf_str(&o->text, "\033[0m");
}

const char *glyph_text(const struct screen *o, enum glyph glyph)
{
	static const char *const glyphs[][2] = { [GLYPH_OK] = { "ok", "✓" },
		[GLYPH_FAIL] = { "FAIL", "✗" },
		[GLYPH_RUNNING] = { ">", "●" },
		[GLYPH_WAITING] = { ".", "○" },
		[GLYPH_AGAIN] = { "~", "↻" },
		[GLYPH_ARROW] = { "->", "→" },
		[GLYPH_ELLIPSIS] = { "...", "…" } };

	return glyphs[glyph][o->utf8];
}

void screen_glyph(struct screen *o, enum glyph glyph)
{
	static const enum paint paints[] = { [GLYPH_OK] = PAINT_GREEN,
		[GLYPH_FAIL] = PAINT_RED,
		[GLYPH_RUNNING] = PAINT_CYAN,
		[GLYPH_WAITING] = PAINT_DIM,
		[GLYPH_AGAIN] = PAINT_YELLOW,
		[GLYPH_ARROW] = PAINT_NONE,
		[GLYPH_ELLIPSIS] = PAINT_NONE };

	screen_paint(o, paints[glyph], glyph_text(o, glyph));
}

int screen_flush(struct screen *o, struct err *e)
{
	int rc = 0;

	if (!o->broken && o->text.len > 0) {
		rc = file_write_all(o->fd, o->text.data, o->text.len, e);
		o->broken = rc < 0;
	}
	buf_clear(&o->text);
	/* `flow runs | head`: whoever read it has enough. */
	return rc < 0 && e->sys == EPIPE ? 0 : rc;
}

int screen_end(struct screen *o)
{
	int status = EXIT_DONE;
	struct err e;

	if (screen_flush(o, &e) < 0) {
		status = EXIT_MACHINE;
		if (o->fd != STDERR_FILENO)
			(void)dprintf(STDERR_FILENO, "error: cannot write the answer: %s\n",
				strerror(e.sys));
	}
	buf_release(&o->text);
	return status;
}
