#include "train/auto.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/jsonout.h"
#include "common/seconds.h"
#include "train/gbdt.h"
#include "train/importance.h"
#include "train/network.h"
#include "train/recipe.h"
#include "train/relay.h"

/* Long enough for the budget to be what ends them. */
static const struct relay_value of_linear[] = { { "model", "mlp" }, { "hidden", "[]" },
	{ "lr", "0.02" }, { "epochs", "500" }, { "patience", "10" }, { "schedule", "plateau" },
	{ "step_every", "4" }, { NULL, NULL } };
static const struct relay_value of_gbdt[] = { { "model", "gbdt" }, { "rounds", "2000" },
	{ NULL, NULL } };
static const struct relay_value of_mlp[] = { { "model", "mlp" }, { "hidden", "[256, 128]" },
	{ "norm", "batch" }, { "dropout", "0.1" }, { "epochs", "200" }, { "patience", "10" },
	{ "schedule", "plateau" }, { "step_every", "4" }, { NULL, NULL } };

/* share: of the time that is left, which it may take. */
static const struct candidate {
	const char *name;
	const struct relay_value *values;
	int (*train)(const flow_host *host, flow_ctx *ctx);
	double share;
} candidates[] = { { "linear", of_linear, network_train, 0.2 },
	{ "gbdt", of_gbdt, gbdt_train, 0.5 }, { "mlp", of_mlp, network_train, 1 } };

enum { CANDIDATES = sizeof candidates / sizeof candidates[0] };

struct race {
	const flow_host *host;
	flow_ctx *ctx;
	double budget, spent; /* seconds */
	struct relay relay[CANDIDATES];
	int best; /* -1: none yet */
};

static int prepare(struct race *race, struct fault *fault)
{
	const flow_host *host = race->host;
	const char *folder = host->checkpoint(race->ctx);

	if (importance_check(0, host, race->ctx, fault) < 0)
		return -1;
	if (host->out(race->ctx, "model") == NULL)
		return fault_set(fault, "needs an out named 'model'");
	if (host->dep(race->ctx, "init_from") != NULL)
		return fault_set(fault, "init_from is for one network: auto tries several models");
	if (host->dep(race->ctx, "valid_rows") == NULL)
		return fault_set(fault,
			"needs a dep named 'valid_rows': auto compares models by rows that they "
			"have not seen");
	if (recipe_time(&race->budget, "time_budget", host->text(race->ctx, "time_budget", ""),
		    fault) < 0)
		return -1;
	if (race->budget <= 0)
		return fault_set(fault, "auto needs with.time_budget, such as 10m");
	if (folder != NULL && mkdir(folder, 0777) != 0 && errno != EEXIST)
		return fault_system(fault, "cannot make the folder '%s' for checkpoints", folder);
	return host->failed(race->ctx) ? -1 : 0;
}

static int run_one(struct race *race, int i, struct fault *fault)
{
	const struct candidate *c = &candidates[i];
	struct relay *relay = &race->relay[i];
	double left = race->budget - race->spent, began = seconds(), took;
	char path[RELAY_PATH_ROOM];

	(void)snprintf(path, sizeof path, "%s/%s.model", race->host->tmpdir(race->ctx), c->name);
	relay_init(relay, race->host, race->ctx, c->name, c->values, path, c->share * left);
	relay->done_before = (double)i / CANDIDATES;
	relay->share = 1.0 / CANDIDATES;
	if (left <= 0)
		return relay_host.fail(relay_ctx(relay), "the time budget was over");
	if (c->train(&relay_host, relay_ctx(relay)) < 0 && relay->failure[0] == '\0')
		(void)relay_host.fail(relay_ctx(relay), "an option is wrong");
	if (race->host->cancelled(race->ctx))
		return fault_set(fault, "stopped while %s was trained", c->name);
	took = seconds() - began;
	if (took > relay->seconds) /* which counts earlier attempts, but not how data are read */
		relay->seconds = took;
	race->spent += relay->seconds;
	return 0;
}

static void choose(struct race *race, int i)
{
	const struct relay *relay = &race->relay[i];
	char line[1100];

	if (relay->failure[0] != '\0' || !relay->has_loss) {
		(void)snprintf(
			line, sizeof line, "%s is left out: %s", relay->model, relay->failure);
		race->host->log(race->ctx, line);
		return;
	}
	if (race->best < 0 || relay->loss < race->relay[race->best].loss)
		race->best = i;
}

static void write_entry(struct jsonout *json, const struct relay *relay)
{
	jsonout_open_flat(json, '{');
	jsonout_text(json, "model", relay->model);
	if (relay->failure[0] != '\0') {
		jsonout_text(json, "left_out", relay->failure);
	} else {
		jsonout_key(json, "valid_loss");
		jsonout_number(json, relay->loss);
		jsonout_key(json, relay->quality_name);
		jsonout_number(json, relay->quality);
	}
	jsonout_key(json, "seconds");
	jsonout_number(json, (double)(long)(relay->seconds * 1000) / 1000);
	jsonout_close(json);
}

/* In the order in which they were trained: who is best is said before. */
static int write_leaderboard(const struct race *race, struct fault *fault)
{
	const char *path = race->host->out(race->ctx, "leaderboard");
	struct text text = { 0 };
	struct jsonout json = { .out = &text };

	if (path == NULL)
		return 0;
	jsonout_open(&json, '{');
	jsonout_text(&json, "best", race->relay[race->best].model);
	jsonout_key(&json, "time_budget");
	jsonout_number(&json, race->budget);
	jsonout_key(&json, "models");
	jsonout_open_tall(&json, '[');
	for (int i = 0; i < CANDIDATES; i++)
		write_entry(&json, &race->relay[i]);
	jsonout_close(&json);
	jsonout_close(&json);
	return jsonout_save(&json, path, fault);
}

static void tell(const struct race *race, const struct relay *relay, const char *prefix)
{
	char name[100];

	(void)snprintf(name, sizeof name, "%sbest_%s", prefix, relay->quality_name);
	race->host->metric(race->ctx, name, relay->quality, -1);
	(void)snprintf(name, sizeof name, "%sbest_valid_loss", prefix);
	race->host->metric(race->ctx, name, relay->loss, -1);
}

/* The best comes first: it is what the summary of a run shows. */
static void tell_all(const struct race *race)
{
	char prefix[40];

	tell(race, &race->relay[race->best], "");
	for (int i = 0; i < CANDIDATES; i++) {
		const struct relay *relay = &race->relay[i];

		(void)snprintf(prefix, sizeof prefix, "%s/", relay->model);
		if (relay->failure[0] == '\0')
			tell(race, relay, prefix);
		(void)snprintf(prefix, sizeof prefix, "%s/seconds", relay->model);
		race->host->metric(race->ctx, prefix, relay->seconds, -1);
	}
}

static int publish(const struct race *race, struct fault *fault)
{
	const struct relay *best = &race->relay[race->best];
	struct mapped model;
	char line[120];
	int rc;

	if (mapped_open(&model, best->path, fault) < 0)
		return -1;
	rc = output_file(race->host->out(race->ctx, "model"), model.data, model.size, fault);
	mapped_close(&model);
	if (rc < 0 || write_leaderboard(race, fault) < 0)
		return -1;
	(void)snprintf(
		line, sizeof line, "the best is %s: valid loss %.4f", best->model, best->loss);
	race->host->log(race->ctx, line);
	tell_all(race);
	return 0;
}

int auto_train(const flow_host *host, flow_ctx *ctx)
{
	struct race race = { .host = host, .ctx = ctx, .best = -1 };
	struct fault fault = { "" };

	if (prepare(&race, &fault) < 0)
		goto out;
	for (int i = 0; i < CANDIDATES; i++) {
		if (run_one(&race, i, &fault) < 0 && fault.text[0] != '\0')
			goto out;
		choose(&race, i);
	}
	if (race.best < 0)
		(void)fault_set(&fault, "no model could be trained; %s: %.600s", candidates[0].name,
			race.relay[0].failure);
	else
		(void)publish(&race, &fault);
out:
	if (fault.text[0] != '\0')
		return host->fail(ctx, fault.text);
	return host->failed(ctx) ? -1 : 0;
}
