#include "dag/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "dag/build.h"
#include "dag/diag.h"
#include "dag/edges.h"
#include "dag/expand.h"
#include "dag/freeze.h"
#include "dag/order.h"
#include "dag/params.h"
#include "dag/secrets.h"
#include "dag/spec.h"
#include "dag/yaml.h"

static void release(struct build *b)
{
	text_pool_release(&b->text);
	vec_release(&b->nodes);
	vec_release(&b->stages);
	vec_release(&b->fields);
	vec_release(&b->params);
	vec_release(&b->sources);
	vec_release(&b->deps);
	vec_release(&b->outs);
	vec_release(&b->links);
	vec_release(&b->words);
	vec_release(&b->needs);
}

static int load(struct graph *g, struct build *b, const struct yaml_file *file)
{
	const struct yaml *root;
	struct spec spec = { .name = "" };
	struct params params;
	int rc = yaml_read(&root, b->arena, file, b->diags);

	if (rc == 0)
		rc = spec_read(&spec, b->arena, b->input, root, b->diags);
	if (rc == 0)
		secrets_put(b, &spec);
	if (rc == 0)
		rc = params_read(&params, b, spec.params);
	if (rc == 0)
		rc = expand(b, &spec, &params);
	b->name = rc == 0 ? text_pool_string(&b->text, spec.name) : 0;
	arena_release(b->arena); /* the tree and what refers to it: the build has its own texts */
	if (rc == 0)
		rc = edges_make(b);
	if (rc == 0)
		rc = order_make(b);
	if (rc < 0)
		return rc;
	graph_freeze(g, b);
	return 0;
}

int dag_load(struct graph *g, const struct dag_input *input, struct diags *d, struct err *e)
{
	struct arena arena = { 0 };
	struct yaml_file file = { .name = input->path, .text = input->text, .len = input->len };
	struct build b = { .arena = &arena, .diags = d, .input = input };
	int rc = load(g, &b, &file);

	if (rc < 0) {
		(void)err_set(e, ERR_INPUT, "%.150s is not valid", input->path);
		diags_sort(d);
	}
	release(&b);
	return rc;
}
