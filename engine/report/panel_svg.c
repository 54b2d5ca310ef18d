#include "report/panel_svg.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "report/panel.h"

#define WIDTH     860u
#define HEAD      46u /* the title of all */
#define TITLE     28u /* of a panel */
#define FOOT      26u /* the numbers of steps */
#define ROW       18u /* of the legend */
#define BLANK     22u /* between panels */
#define EDGE      16u
#define RIGHT     40u /* beside the drawing: letters, and half of the last step */
#define DIGIT     7u  /* a digit is about as wide */
#define LETTER    11u /* a letter and its surroundings */
#define TEXT_MOST 110 /* characters of a text */
#define COLOURS   8u
#define TICKS     6u

/* Colours that most people can tell apart (after Okabe and Ito); lighter ones on a dark ground. */
static const char style[] =
	"<style>\n"
	".ground{fill:#fff}text{fill:#1f2328}.dim{fill:#656d76}.grid{stroke:#e6e8eb}"
	".axis{stroke:#afb8c1}\n"
	".line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}"
	".second{stroke-dasharray:7 4}.third{stroke-dasharray:2 4}.fourth{stroke-dasharray:9 3 2 "
	"3}\n"
	".s0{stroke:#0072b2}.s1{stroke:#d55e00}.s2{stroke:#009e73}.s3{stroke:#cc79a7}"
	".s4{stroke:#a07800}.s5{stroke:#3d9bd6}.s6{stroke:#6f4bb5}.s7{stroke:#57606a}\n"
	".f0{fill:#0072b2}.f1{fill:#d55e00}.f2{fill:#009e73}.f3{fill:#cc79a7}"
	".f4{fill:#a07800}.f5{fill:#3d9bd6}.f6{fill:#6f4bb5}.f7{fill:#57606a}\n"
	"@media(prefers-color-scheme:dark){.ground{fill:#0d1117}text{fill:#e6edf3}"
	".dim{fill:#8d96a0}.grid{stroke:#21262d}.axis{stroke:#484f58}\n"
	".s0{stroke:#58a6ff}.s1{stroke:#f0883e}.s2{stroke:#3fb98a}.s3{stroke:#e39ac4}"
	".s4{stroke:#e3c04f}.s5{stroke:#9bd0f5}.s6{stroke:#b69cf0}.s7{stroke:#a8b1bb}\n"
	".f0{fill:#58a6ff}.f1{fill:#f0883e}.f2{fill:#3fb98a}.f3{fill:#e39ac4}"
	".f4{fill:#e3c04f}.f5{fill:#9bd0f5}.f6{fill:#b69cf0}.f7{fill:#a8b1bb}}\n"
	"</style>\n";

/* Where the drawing of a panel is. */
struct frame {
	const struct panel *panel;
	struct buf *out;
	double left, top, wide, high;
};

/* -- texts ---------------------------------------------------------------------------------------------------------- */

static unsigned long code_point(const char *s, size_t len)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	unsigned long point = (unsigned char)s[0] & masks[len];
	size_t i;

	for (i = 1; i < len; i++)
		point = point << 6 | ((unsigned char)s[i] & 0x3f);
	return point;
}

/* Controls, which XML has no way to write; marks that turn the direction of text; what is no character. */
static bool is_foul(unsigned long point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
	       (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) == 0xfffe;
}

static void put_text(struct buf *out, const char *s)
{
	unsigned count;

	for (count = 0; *s != '\0' && count < TEXT_MOST; count++) {
		size_t len = utf8_length(s);

		if (len == 0 || is_foul(code_point(s, len)))
			buf_str(out, "\xef\xbf\xbd");
		else if (*s == '&')
			buf_str(out, "&amp;");
		else if (*s == '<')
			buf_str(out, "&lt;");
		else if (*s == '>')
			buf_str(out, "&gt;");
		else
			buf_add(out, s, len);
		s += len > 0 ? len : 1;
	}
	if (*s != '\0')
		buf_str(out, "…");
}

/* -- a drawing ------------------------------------------------------------------------------------------------------ */

static double place_x(const struct frame *f, long double step)
{
	return f->left + axis_place(&f->panel->x, step) * f->wide;
}

static double place_y(const struct frame *f, long double value)
{
	return f->top + (1 - axis_place(&f->panel->y, value)) * f->high;
}

static void put_grid(const struct frame *f)
{
	const struct axis *x = &f->panel->x, *y = &f->panel->y;
	char text[32];
	unsigned i;

	for (i = 0; i < y->count; i++) {
		double at = place_y(f, y->ticks[i]);

		buf_printf(f->out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>", f->left, at,
			f->wide);
		buf_printf(f->out,
			"<text class=\"dim\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			f->left - 8, at + 4, axis_label(y, i, text));
	}
	for (i = 0; i < x->count; i++) {
		double at = place_x(f, x->ticks[i]);

		buf_printf(f->out, "<path class=\"grid\" d=\"M%.1f %.1fv%.1f\"/>", at, f->top,
			f->high);
		buf_printf(f->out,
			"<text class=\"dim\" x=\"%.1f\" y=\"%.1f\" "
			"text-anchor=\"middle\">%s%s</text>\n",
			at, f->top + f->high + 17, i == 0 ? "step " : "", axis_label(x, i, text));
	}
	buf_printf(f->out, "<path class=\"axis\" fill=\"none\" d=\"M%.1f %.1fv%.1fh%.1f\"/>\n",
		f->left, f->top, f->high, f->wide);
}

/* Pieces between gaps; one of a single point is a dot, as its ends are round. */
static void put_line(const struct frame *f, size_t curve)
{
	static const char *const dashes[] = { "", " second", " third", " fourth" };
	const struct panel_curve *of = &f->panel->curves[curve];
	bool joins = false;
	size_t i;

	buf_printf(f->out, "<path class=\"line s%zu%s\" d=\"", curve % COLOURS,
		dashes[curve / COLOURS % 4]);
	for (i = 0; i < of->count; i++) {
		if (!isfinite(of->points[i].value)) {
			joins = false;
			continue;
		}
		buf_printf(f->out, "%s%.1f %.1f%s", joins ? "L" : "M",
			place_x(f, (long double)of->points[i].step),
			place_y(f, (long double)of->points[i].value), joins ? "" : "h0");
		joins = true;
	}
	buf_str(f->out, "\"/>\n");
}

/* Where a letter is. */
struct spot {
	double x, y;
};

/* Beside the point, or as near to it as no other letter is. */
static struct spot free_spot(const struct spot *taken, size_t count, double x, double y)
{
	struct spot spot = { x, y };
	size_t tries, i;

	for (tries = 0; tries <= count; tries++) {
		spot.x = x + LETTER * (double)(tries % 3);
		spot.y = y + LETTER * (double)(tries / 3);
		for (i = 0; i < count; i++)
			if (fabs(taken[i].x - spot.x) < LETTER &&
				fabs(taken[i].y - spot.y) < LETTER)
				break;
		if (i == count)
			break;
	}
	return spot;
}

static void put_ends(const struct frame *f)
{
	struct spot taken[PANEL_CURVES_MAX];
	size_t i;

	for (i = 0; i < f->panel->count; i++) {
		const struct panel_curve *of = &f->panel->curves[i];
		const struct point *end = panel_end(of);
		double x = 0, y = 0;

		if (end != NULL) {
			x = place_x(f, (long double)end->step);
			y = place_y(f, (long double)end->value);
			buf_printf(f->out,
				"<circle class=\"f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n",
				i % COLOURS, x, y);
		}
		taken[i] = free_spot(taken, i, x + 6, y + 4);
		if (end != NULL && of->letter != 0)
			buf_printf(f->out,
				"<text x=\"%.1f\" y=\"%.1f\" font-weight=\"600\">%c</text>\n",
				taken[i].x, taken[i].y, of->letter);
	}
}

static void put_title(const struct frame *f, double y)
{
	buf_printf(
		f->out, "<text x=\"%u\" y=\"%.1f\" font-size=\"14\" font-weight=\"600\">", EDGE, y);
	put_text(f->out, f->panel->title);
	buf_str(f->out, "<tspan class=\"dim\" dx=\"12\" font-size=\"12\" font-weight=\"400\">");
	put_text(f->out, f->panel->note);
	buf_str(f->out, "</tspan></text>\n");
}

/* Returns how high it is. */
static unsigned put_legend(const struct frame *f, double top)
{
	unsigned height = 0;
	size_t i;

	for (i = 0; i < f->panel->count; i++) {
		const struct panel_curve *of = &f->panel->curves[i];
		double y = top + height + ROW / 2.0;

		if (of->label[0] == '\0')
			continue;
		buf_printf(f->out, "<circle class=\"f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>",
			i % COLOURS, f->left + 4, y);
		buf_printf(f->out,
			"<text x=\"%.1f\" y=\"%.1f\"><tspan font-weight=\"600\">%c</tspan>",
			f->left + 14, y + 4, of->letter);
		buf_printf(f->out, "<tspan x=\"%.1f\">", f->left + 30);
		put_text(f->out, of->label);
		buf_str(f->out, "</tspan></text>\n");
		height += ROW;
	}
	return height;
}

void panel_svg_add(struct panel_svg *svg, struct panel *p, unsigned height)
{
	struct frame f = { .panel = p, .out = &svg->body, .high = height };
	size_t i;

	panel_axes(p, TICKS);
	if (svg->height == 0)
		svg->height = HEAD;
	f.left = EDGE + DIGIT * axis_label_length(&p->y) + 10;
	f.wide = WIDTH - RIGHT - f.left;
	f.top = svg->height + TITLE;
	put_title(&f, svg->height + 14);
	put_grid(&f);
	for (i = 0; i < p->count; i++)
		put_line(&f, i);
	put_ends(&f);
	svg->height += TITLE + height + FOOT;
	svg->height += put_legend(&f, svg->height);
	svg->height += BLANK;
}

void panel_svg_write(const struct panel_svg *svg, const char *title, struct buf *out)
{
	buf_printf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" "
		"height=\"%u\" ",
		WIDTH, svg->height, WIDTH, svg->height);
	buf_str(out,
		"role=\"img\" font-family=\"system-ui,sans-serif\" font-size=\"12\">\n<title>");
	put_text(out, title);
	buf_printf(out, "</title>\n%s<rect class=\"ground\" width=\"%u\" height=\"%u\"/>\n", style,
		WIDTH, svg->height);
	buf_printf(out, "<text x=\"%u\" y=\"28\" font-size=\"17\" font-weight=\"600\">", EDGE);
	put_text(out, title);
	buf_str(out, "</text>\n");
	buf_add(out, svg->body.data, svg->body.len);
	buf_str(out, "</svg>\n");
}

void panel_svg_release(struct panel_svg *svg)
{
	buf_release(&svg->body);
}
