#include "train/gbdt_checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/text.h"
#include "nn/samples.h"
#include "train/gbdt_recipe.h"
#include "train/rounds.h"
#include "trees/forest.h"

#define PATH_ROOM 4200
#define KEPT      2
#define RECIPE    "flow.recipe"
#define CURSOR    "flow.cursor"

static const char *path_of(char path[PATH_ROOM], const char *folder, long round)
{
	(void)snprintf(path, PATH_ROOM, "%s/rounds-%ld.ubj", folder, round);
	return path;
}

/* The round of a file name, -1 when it is another's. */
static long round_of(const char *name)
{
	long round;
	int end = 0;

	if (sscanf(name, "rounds-%ld.ubj%n", &round, &end) != 1 || end == 0 || name[end] != '\0')
		return -1;
	return round;
}

/* The newest rounds that are there, newest first; -1 where there are fewer. */
static void list_rounds(const char *folder, long round[KEPT])
{
	DIR *open = opendir(folder);
	struct dirent *entry;

	round[0] = round[1] = -1;
	while (open != NULL && (entry = readdir(open)) != NULL) {
		long found = round_of(entry->d_name);

		if (found > round[0]) {
			round[1] = round[0];
			round[0] = found;
		} else if (found > round[1]) {
			round[1] = found;
		}
	}
	if (open != NULL)
		(void)closedir(open);
}

static void remove_old(const char *folder)
{
	long kept[KEPT], round;
	DIR *open = opendir(folder);
	struct dirent *entry;
	char path[PATH_ROOM];

	list_rounds(folder, kept);
	while (open != NULL && (entry = readdir(open)) != NULL) {
		round = round_of(entry->d_name);
		if (round >= 0 && round != kept[0] && round != kept[1])
			(void)unlink(path_of(path, folder, round));
	}
	if (open != NULL)
		(void)closedir(open);
}

static int set(struct rounds *r, const char *key, const char *text, struct fault *fault)
{
	return library_check(r->lib, r->lib->XGBoosterSetAttr(r->booster, key, text), fault);
}

static void write_cursor(const struct rounds_at *at, char *text, size_t room)
{
	(void)snprintf(text, room, "%.0f %.0f %.17g %.17g %.17g", at->round, at->best_round,
		at->best_loss, at->best_quality, at->seconds);
}

static int read_cursor(struct rounds_at *at, const char *text, long rounds)
{
	return sscanf(text, "%lf %lf %lf %lf %lf", &at->round, &at->best_round, &at->best_loss,
		       &at->best_quality, &at->seconds) == 5 &&
	       at->round >= 1 && at->round <= (double)rounds && at->best_round >= 0 &&
	       at->best_round <= at->round && floor(at->round) >= at->round &&
	       floor(at->best_round) >= at->best_round && isfinite(at->best_loss) &&
	       isfinite(at->best_quality) && isfinite(at->seconds) && at->seconds >= 0;
}

int gbdt_checkpoint_write(struct rounds *r, struct fault *fault)
{
	const char *folder = r->host->checkpoint(r->ctx);
	char cursor[160], path[PATH_ROOM];
	struct text recipe = { 0 };
	int rc = 0;

	if (folder == NULL)
		return 0;
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return fault_system(fault, "cannot make the folder '%s' for checkpoints", folder);
	write_cursor(&r->at, cursor, sizeof cursor);
	gbdt_recipe_text(r->recipe, r->samples, &recipe);
	if (set(r, RECIPE, recipe.data, fault) < 0 || set(r, CURSOR, cursor, fault) < 0 ||
		forest_write(
			r->lib, r->booster, path_of(path, folder, (long)r->at.round), 1, fault) < 0)
		rc = fault_context(fault, "checkpoint");
	text_release(&recipe);
	if (rc == 0)
		remove_old(folder);
	return rc;
}

int gbdt_checkpoint_clear(struct rounds *r, struct fault *fault)
{
	return set(r, RECIPE, NULL, fault) < 0 ? -1 : set(r, CURSOR, NULL, fault);
}

static const char *attribute(const struct rounds *r, BoosterHandle booster, const char *key)
{
	const char *text = NULL;
	int is_there = 0;

	if (r->lib->XGBoosterGetAttr(booster, key, &text, &is_there) != 0 || !is_there)
		return "";
	return text;
}

static int check(const struct rounds *r, BoosterHandle booster, const struct check_facts *facts,
	struct rounds_at *at, struct fault *fault)
{
	struct text wanted = { 0 };
	const char *is = attribute(r, booster, RECIPE);
	int rc = 0;

	gbdt_recipe_text(r->recipe, r->samples, &wanted);
	if (strcmp(is, wanted.data) != 0)
		rc = fault_set(fault, "is of another training: it has '%.300s', not '%.300s'", is,
			wanted.data);
	text_release(&wanted);
	if (rc == 0 && (facts->features != r->samples->features ||
			       facts->groups != r->recipe->outputs))
		rc = fault_set(fault, "has trees of other columns or classes");
	if (rc == 0 && (!read_cursor(at, attribute(r, booster, CURSOR), r->recipe->rounds) ||
			       facts->trees != (size_t)at->round * r->recipe->outputs))
		rc = fault_set(fault, "has no usable " CURSOR);
	return rc;
}

/* The rounds change only when all of it can be taken. */
static int take(struct rounds *r, const char *path, struct fault *fault)
{
	struct check_facts facts;
	BoosterHandle booster;
	struct rounds_at at;

	if (rounds_booster(r, &booster, fault) < 0)
		return -1;
	if (forest_read(&facts, r->lib, booster, path, fault) < 0)
		goto fail;
	if (check(r, booster, &facts, &at, fault) < 0) {
		(void)fault_context(fault, "'%s'", path);
		goto fail;
	}
	if (rounds_configure(r, booster, fault) < 0)
		goto fail;
	(void)r->lib->XGBoosterFree(r->booster);
	r->booster = booster;
	r->at = at;
	return 0;
fail:
	(void)r->lib->XGBoosterFree(booster);
	return -1;
}

void gbdt_checkpoint_read(struct rounds *r)
{
	const char *folder = r->host->checkpoint(r->ctx);
	char path[PATH_ROOM], line[1100];
	long round[KEPT];
	struct fault fault;

	if (folder == NULL)
		return;
	list_rounds(folder, round);
	for (int i = 0; i < KEPT && round[i] >= 0; i++) {
		if (take(r, path_of(path, folder, round[i]), &fault) == 0) {
			(void)snprintf(line, sizeof line,
				"goes on from the checkpoint of round %ld", round[i]);
			r->host->log(r->ctx, line);
			return;
		}
		(void)snprintf(line, sizeof line, "a checkpoint is not used: %s", fault.text);
		r->host->log(r->ctx, line);
	}
}
