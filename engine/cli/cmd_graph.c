#include "base/err.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "dag/dot.h"
#include "report/layout.h"

enum graph_format { FORMAT_ASCII, FORMAT_DOT, FORMAT_MERMAID, FORMAT_JSON };

static const char *const formats[] = { "ascii", "dot", "mermaid", "json", NULL };

static const struct opt opts[] = {
	{ 0, "format", OPT_CHOICE, "FORM", "ascii (a drawing), dot, mermaid or json",
		OPT_AT(format), formats },
	{ 0, "tasks", OPT_FLAG, NULL, "every task, not one box a stage (dot, mermaid, json)",
		OPT_AT(tasks), NULL },
	OPT_END,
};

static void draw(struct cli *c, const struct graph *g)
{
	static const enum dot_format forms[] = { [FORMAT_DOT] = DOT_GRAPHVIZ,
		[FORMAT_MERMAID] = DOT_MERMAID,
		[FORMAT_JSON] = DOT_JSON };
	enum graph_format format = c->json ? FORMAT_JSON : (enum graph_format)c->format;
	struct layout_style style = { .width = c->out.tty ? c->out.columns : 100,
		.utf8 = c->out.utf8 };

	if (format == FORMAT_ASCII)
		(void)layout_draw(&c->out.text, g, &style);
	else
		dot_write(&c->out.text, g, forms[format], c->tasks ? DOT_TASKS : DOT_AUTO);
}

static int graph_main(struct cli *c)
{
	struct session s;
	struct err e;

	if (cli_graph(c, &s, &e) < 0)
		return cli_fail_session(c, &s, &e);
	draw(c, &s.graph);
	session_close(&s);
	return EXIT_DONE;
}

const struct command cmd_graph = { .name = "graph",
	.group = GROUP_LOOK,
	.args = "[FILE.yaml]",
	.summary = "draw the stages and what leads to what",
	.about = "",
	.examples = "flow graph\n"
		    "flow graph --format=dot | dot -Tsvg > graph.svg\n"
		    "flow graph --format=mermaid     # for a Markdown page\n",
	.most = 0,
	.takes_dag = true,
	.takes_params = true,
	.shows = true,
	.opts = opts,
	.run = graph_main };
