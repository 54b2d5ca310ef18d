/*
 * dag/task.h - one instance of a stage becomes a node of the graph under construction.
 *
 *     task_maker_init(&m, build, spec, params);
 *     for each stage: task_begin(&m, stage);  task_add(&m, &instance) ...;  task_end(&m);
 *     task_maker_release(&m);
 * Texts are resolved (dag/expr.h), paths cleaned and checked, commands split into words where no
 * shell is needed. Faults go to build->diags; task_add returns -1 after one.
 */
#ifndef FLOW_DAG_TASK_H
#define FLOW_DAG_TASK_H

#include "base/arena.h"
#include "base/buf.h"
#include "dag/build.h"
#include "dag/expr.h"

struct instance;
struct spec;
struct stage_spec;

struct task_maker {
	struct build *build;
	const struct spec *spec;
	const struct params *params;
	const struct stage_spec *stage;
	struct scope scope;
	struct arena scratch; /* of the instances made since it was last emptied */
	unsigned char *used;  /* a flag a param */
	struct bindings env, deps, outs;
	struct buf text;
	uint32_t first_node;      /* of the stage */
	bool env_done, with_done; /* env_span, with_span are good for every instance */
	struct span env_span, with_span;
};

void task_maker_init(struct task_maker *m, struct build *b, const struct spec *spec,
	const struct params *params);
void task_begin(struct task_maker *m, const struct stage_spec *stage);
int task_add(struct task_maker *m, const struct instance *instance);
void task_end(struct task_maker *m);
void task_maker_release(struct task_maker *m);

/* dag/task_ports.c and dag/task_fields.c: parts of task_add. */
int task_ports(struct task_maker *m, struct node *n);
int task_env(struct task_maker *m, struct node *n);
int task_with(struct task_maker *m, struct node *n);
void task_params(struct task_maker *m);

#endif
