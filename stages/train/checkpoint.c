#include "train/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "common/text.h"
#include "nn/netfile.h"
#include "nn/samples.h"
#include "train/recipe.h"
#include "train/session.h"

#define CURSOR_NUMBERS (sizeof(struct cursor) / sizeof(double))
#define PATH_ROOM      4200

static const char *const cursor_names[] = { "epoch", "taken", "step", "loss", "rows", "first_loss",
	"best_epoch", "best_loss", "best_quality", "rate", "cuts", "cut_epoch", "seconds" };

_Static_assert(sizeof cursor_names / sizeof cursor_names[0] == CURSOR_NUMBERS,
	"every number of the cursor has a name");

/* A run of the session that is kept, or NULL where the recipe has none. */
struct run {
	const char *name;
	float *data;
	size_t count;
	int is_weights; /* laid out as weights are: PyTorch's layout in the file */
};

enum { RUNS = 5 };

static void list_runs(const struct session *s, struct run run[RUNS])
{
	size_t weights = s->net->weight_count, running = s->net->running_count;

	run[0] = (struct run){ "first_moment", s->first, weights, 1 };
	run[1] = (struct run){ "second_moment", s->second, weights, 1 };
	run[2] = (struct run){ "average", s->average, weights, 1 };
	run[3] = (struct run){ "best", s->best, weights, 1 };
	run[4] = (struct run){ "best_running", s->best_running, running, 0 };
}

static const char *path_of(char path[PATH_ROOM], const char *folder, const char *kind, double step)
{
	(void)snprintf(path, PATH_ROOM, "%s/%s-%.0f.safetensors", folder, kind, step);
	return path;
}

/* The device's run, in the file's layout; free() it. */
static float *take_down(const struct session *s, const float *data, size_t count, int is_weights)
{
	float *ours = array_new(count + 1, sizeof *ours), *rows;

	s->net->ops->download(s->net->device, ours, data, count * sizeof *ours);
	if (!is_weights)
		return ours;
	rows = array_new(count, sizeof *rows);
	net_to_rows(s->net, rows, ours);
	free(ours);
	return rows;
}

static void put_up(
	const struct session *s, float *data, const float *rows, size_t count, int is_weights)
{
	float *ours;

	if (!is_weights) {
		s->net->ops->upload(s->net->device, data, rows, count * sizeof *rows);
		return;
	}
	ours = array_new(count, sizeof *ours);
	net_from_rows(s->net, ours, rows);
	s->net->ops->upload(s->net->device, data, ours, count * sizeof *ours);
	free(ours);
}

/*
 * One checkpoint on its way to the disk. What it holds is a copy, made while training stood still;
 * the thread that writes it touches nothing else, and nobody touches it until the thread is joined.
 */
struct checkpoint {
	pthread_t thread;
	int is_running;
	char folder[PATH_ROOM], weights_path[PATH_ROOM], state_path[PATH_ROOM];
	struct tensors weights, state;
	float *memory[RUNS + 2]; /* what the tensors borrow */
	int rc;
	struct fault fault;
};

static void copy_weights(const struct session *s, struct checkpoint *c)
{
	c->weights = (struct tensors){ .count = 0, .is_durable = 1 };
	c->memory[RUNS] = array_new(s->net->weight_count, sizeof(float));
	c->memory[RUNS + 1] = array_new(s->net->running_count + 1, sizeof(float));
	netfile_down(s->net, NULL, c->memory[RUNS], c->memory[RUNS + 1]);
	tensors_describe(&c->weights, "format", "pt");
	netfile_add(s->net, c->memory[RUNS], c->memory[RUNS + 1], &c->weights);
}

/* The recipe, a note for each line: a line may be as long as a note, all of it may not. */
static void describe_recipe(const struct session *s, struct tensors *file)
{
	struct text text = { 0 };
	char key[20];
	unsigned number = 0;

	recipe_text(s->recipe, s->samples, &text);
	for (char *line = text.data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		(void)snprintf(key, sizeof key, "recipe.%u", number++);
		tensors_describe(file, key, line);
	}
	text_release(&text);
}

static void copy_state(const struct session *s, struct checkpoint *c)
{
	double number[CURSOR_NUMBERS];
	struct run run[RUNS];
	char text[40];

	c->state = (struct tensors){ .count = 0, .is_durable = 1 };
	memcpy(number, &s->at, sizeof number);
	for (size_t i = 0; i < CURSOR_NUMBERS; i++) {
		(void)snprintf(text, sizeof text, "%.17g", number[i]);
		tensors_describe(&c->state, cursor_names[i], text);
	}
	describe_recipe(s, &c->state);
	list_runs(s, run);
	for (int i = 0; i < RUNS; i++) {
		const uint64_t shape = run[i].count;

		if (run[i].data == NULL)
			continue;
		c->memory[i] = take_down(s, run[i].data, run[i].count, run[i].is_weights);
		tensors_add(&c->state, run[i].name, TENSOR_F32, &shape, 1, c->memory[i]);
	}
}

/* Steps of the state files there, newest first, at most `most`. */
static size_t list_steps(const char *folder, double *step, size_t most)
{
	DIR *open = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	while (open != NULL && (entry = readdir(open)) != NULL) {
		unsigned long number;
		int end = 0;
		size_t i;

		if (sscanf(entry->d_name, "state-%lu.safetensors%n", &number, &end) != 1 ||
			end == 0 || entry->d_name[end] != '\0' ||
			(count == most && (double)number < step[most - 1]))
			continue;
		for (i = count < most ? count++ : most - 1; i > 0 && step[i - 1] < (double)number;
			i--)
			step[i] = step[i - 1];
		step[i] = (double)number;
	}
	if (open != NULL)
		(void)closedir(open);
	return count;
}

/* All but the two newest go; so do weights without a state, which a kill can leave. */
static void remove_old(const char *folder)
{
	double kept[2] = { -1, -1 };
	DIR *open = opendir(folder);
	struct dirent *entry;
	char path[PATH_ROOM + 300];

	(void)list_steps(folder, kept, 2);
	while (open != NULL && (entry = readdir(open)) != NULL) {
		const char *number = strrchr(entry->d_name, '-');

		if (number == NULL || (strncmp(entry->d_name, "state-", 6) != 0 &&
					      strncmp(entry->d_name, "weights-", 8) != 0))
			continue;
		if (fabs(strtod(number + 1, NULL) - kept[0]) < 0.5 ||
			fabs(strtod(number + 1, NULL) - kept[1]) < 0.5)
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		(void)unlink(path);
	}
	if (open != NULL)
		(void)closedir(open);
}

static void *write_files(void *given)
{
	struct checkpoint *c = given;

	c->rc = tensors_write(&c->weights, c->weights_path, &c->fault);
	if (c->rc == 0)
		c->rc = tensors_write(&c->state, c->state_path, &c->fault);
	if (c->rc == 0)
		remove_old(c->folder);
	tensors_release(&c->weights);
	tensors_release(&c->state);
	for (int i = 0; i < RUNS + 2; i++) {
		free(c->memory[i]);
		c->memory[i] = NULL;
	}
	return NULL;
}

int checkpoint_wait(struct session *s, struct fault *fault)
{
	struct checkpoint *c = s->checkpoint;

	if (c == NULL || !c->is_running)
		return 0;
	(void)pthread_join(c->thread, NULL);
	c->is_running = 0;
	return c->rc < 0 ? fault_set(fault, "checkpoint: %s", c->fault.text) : 0;
}

int checkpoint_write(struct session *s, struct fault *fault)
{
	const char *folder = s->host->checkpoint(s->ctx);
	struct checkpoint *c = s->checkpoint;

	if (folder == NULL)
		return 0;
	if (checkpoint_wait(s, fault) < 0)
		return -1;
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return fault_system(fault, "cannot make the folder '%s' for checkpoints", folder);
	if (c == NULL)
		c = s->checkpoint = array_new(1, sizeof *c);
	(void)snprintf(c->folder, sizeof c->folder, "%s", folder);
	(void)path_of(c->weights_path, folder, "weights", s->at.step);
	(void)path_of(c->state_path, folder, "state", s->at.step);
	copy_weights(s, c);
	copy_state(s, c);
	c->is_running = pthread_create(&c->thread, NULL, write_files, c) == 0;
	if (c->is_running)
		return 0;
	(void)write_files(c);
	return c->rc < 0 ? fault_set(fault, "checkpoint: %s", c->fault.text) : 0;
}

void checkpoint_release(struct session *s)
{
	struct fault unheard;

	(void)checkpoint_wait(s, &unheard);
	free(s->checkpoint);
	s->checkpoint = NULL;
}

static int check_recipe(const struct session *s, const struct tensors *file, struct fault *fault)
{
	struct tensors wanted = { .count = 0 };
	int rc = 0;

	describe_recipe(s, &wanted);
	for (size_t i = 0; i < wanted.note_count && rc == 0; i++) {
		const char *is = tensors_note(file, wanted.note[i].key);

		if (is == NULL || strcmp(is, wanted.note[i].text) != 0)
			rc = fault_set(fault,
				"is of another training: it has '%.200s', not '%.200s'",
				is != NULL ? is : "", wanted.note[i].text);
	}
	tensors_release(&wanted);
	return rc;
}

/* Can a training of that many epochs be there? What is counted is whole, and nothing lies ahead. */
static int is_possible(const struct cursor *at, long epochs)
{
	const double counts[] = { at->epoch, at->taken, at->step, at->best_epoch, at->cuts,
		at->cut_epoch };

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		if (counts[i] > UINT32_MAX || floor(counts[i]) < counts[i])
			return 0;
	return at->epoch >= 1 && at->epoch <= (double)epochs + 1 && at->best_epoch < at->epoch &&
	       at->cut_epoch < at->epoch && at->taken <= at->step;
}

static int read_cursor(
	struct cursor *at, long epochs, const struct tensors *file, struct fault *fault)
{
	struct cursor made;
	double number[CURSOR_NUMBERS];

	for (size_t i = 0; i < CURSOR_NUMBERS; i++) {
		const char *text = tensors_note(file, cursor_names[i]);
		char *end;

		number[i] = text != NULL ? strtod(text, &end) : -1;
		if (text == NULL || *end != '\0' || !isfinite(number[i]) || number[i] < 0)
			return fault_set(fault, "has no usable '%s'", cursor_names[i]);
	}
	memcpy(&made, number, sizeof number);
	if (!is_possible(&made, epochs))
		return fault_set(fault, "is of step %.0f of epoch %.0f, where no training can be",
			made.step, made.epoch);
	*at = made;
	return 0;
}

static int is_finite(const struct tensor *tensor)
{
	const unsigned char *data = tensor->data; /* not aligned */
	float value;

	for (size_t at = 0; at < tensor->size; at += sizeof value) {
		memcpy(&value, data + at, sizeof value);
		if (!isfinite(value))
			return 0;
	}
	return 1;
}

static int check_runs(const struct run run[RUNS], const struct tensors *file, struct fault *fault)
{
	for (int i = 0; i < RUNS; i++) {
		const struct tensor *tensor = tensors_find(file, run[i].name);

		if (run[i].data == NULL)
			continue;
		if (tensor == NULL || tensor->type != TENSOR_F32 || tensor->dimensions != 1 ||
			tensor->shape[0] != run[i].count)
			return fault_set(fault, "has no tensor '%s' of %zu floats", run[i].name,
				run[i].count);
		if (!is_finite(tensor))
			return fault_set(fault, "tensor '%s' has values that are not finite",
				run[i].name);
	}
	return 0;
}

static void take_runs(struct session *s, const struct run run[RUNS], const struct tensors *file)
{
	for (int i = 0; i < RUNS; i++) {
		const struct tensor *tensor = tensors_find(file, run[i].name);
		float *rows;

		if (run[i].data == NULL)
			continue;
		rows = array_new(
			run[i].count + 1, sizeof *rows); /* data in a file is not aligned */
		memcpy(rows, tensor->data, tensor->size);
		put_up(s, run[i].data, rows, run[i].count, run[i].is_weights);
		free(rows);
	}
}

static int take_weights(struct session *s, const char *path, struct fault *fault)
{
	float *rows = array_new(s->net->weight_count, sizeof *rows);
	float *running = array_new(s->net->running_count + 1, sizeof *running);
	struct tensors file = { .count = 0 };
	int rc = tensors_read(&file, path, fault);

	if (rc == 0)
		rc = netfile_take(s->net, rows, running, &file, fault);
	if (rc == 0)
		netfile_up(s->net, rows, running);
	tensors_release(&file);
	free(rows);
	free(running);
	return rc;
}

/* The session changes only when all of it can be taken. */
static int take(struct session *s, const char *folder, double step, struct fault *fault)
{
	struct tensors file = { .count = 0 };
	struct run run[RUNS];
	struct cursor at;
	char path[PATH_ROOM];
	int rc;

	list_runs(s, run);
	rc = tensors_read(&file, path_of(path, folder, "state", step), fault);
	if (rc == 0 && (check_recipe(s, &file, fault) < 0 ||
			       read_cursor(&at, s->recipe->epochs, &file, fault) < 0 ||
			       check_runs(run, &file, fault) < 0))
		rc = fault_context(fault, "'%s'", path);
	if (rc == 0)
		rc = take_weights(s, path_of(path, folder, "weights", step), fault);
	if (rc == 0) {
		take_runs(s, run, &file);
		s->at = at;
	}
	tensors_release(&file);
	return rc;
}

void checkpoint_read(struct session *s)
{
	const char *folder = s->host->checkpoint(s->ctx);
	struct fault fault = { "" };
	double step[2];
	char line[1100];
	size_t count = folder != NULL ? list_steps(folder, step, 2) : 0;

	for (size_t i = 0; i < count; i++) {
		if (take(s, folder, step[i], &fault) == 0) {
			(void)snprintf(line, sizeof line,
				"goes on from the checkpoint of step %.0f, epoch %.0f", step[i],
				s->at.epoch);
			s->host->log(s->ctx, line);
			return;
		}
		(void)snprintf(line, sizeof line, "a checkpoint is not used: %s", fault.text);
		s->host->log(s->ctx, line);
	}
}
