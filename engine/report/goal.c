#include "report/goal.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define BETWEEN "_.-/@ "

static const char *const lower[] = { "loss", "logloss", "error", "errors", "err", "mse", "rmse", "mae", "mape", "rmsle", "brier", "ece",
	"perplexity", "ppl", "wer", "cer", "fid", "regret", "divergence", "latency", NULL };
static const char *const higher[] = { "accuracy", "acc", "auc", "auroc", "auprc", "ap", "f1", "precision", "recall", "sensitivity",
	"specificity", "r2", "ndcg", "mrr", "bleu", "rouge", "iou", "dice", "kappa", "mcc", "score", "throughput", "qps", NULL };

static bool is_among(const char *const *words, const char *word, size_t len)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == len && strncasecmp(*words, word, len) == 0)
			return true;
	return false;
}

enum goal goal_of(const char *metric)
{
	enum goal goal = GOAL_NONE;

	while (*metric != '\0') {
		size_t len = strcspn(metric, BETWEEN);

		if (is_among(lower, metric, len))
			return GOAL_LOWER;
		if (is_among(higher, metric, len))
			goal = GOAL_HIGHER;
		metric += len + (metric[len] != '\0');
	}
	return goal;
}

const char *goal_verdict(enum goal goal, double was, double is)
{
	if (goal == GOAL_NONE || !(was < is || is < was)) /* the same, or one is not there */
		return "";
	return (is > was) == (goal == GOAL_HIGHER) ? "better" : "worse";
}
