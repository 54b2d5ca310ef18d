#include "train/groups.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/option.h"
#include "common/text.h"
#include "nn/netfile.h"

#define NAMES_SHOWN 400 /* bytes of a list of names in a message */

/* A `*` that matched too little takes one more character: only the last one has to be tried again. */
static int matches(const char *pattern, const char *name)
{
	const char *star = NULL, *tried = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			tried = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star + 1;
			name = ++tried;
		} else {
			return 0;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* How many match; all of them are used then, the first two are in `hit`. */
static size_t match(const struct patterns *patterns, const char *name, const struct pattern *hit[2])
{
	size_t count = 0;

	for (size_t i = 0; i < patterns->count; i++) {
		if (!matches(patterns->pattern[i].text, name))
			continue;
		patterns->pattern[i].is_used = 1;
		if (count < 2)
			hit[count] = &patterns->pattern[i];
		count++;
	}
	return count;
}

static struct pattern *add(struct patterns *patterns, struct fault *fault)
{
	if (patterns->pattern == NULL)
		patterns->pattern = array_new(PATTERNS_MAX, sizeof *patterns->pattern);
	if (patterns->count == PATTERNS_MAX) {
		(void)fault_set(fault, "more than %d entries", PATTERNS_MAX);
		return NULL;
	}
	return &patterns->pattern[patterns->count++];
}

static int read_list(struct patterns *patterns, const char *json, struct fault *fault)
{
	struct jsonin in;
	int more;

	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1) {
		struct pattern *pattern = add(patterns, fault);

		if (pattern == NULL ||
			jsonin_string(&in, pattern->text, sizeof pattern->text, fault) < 0)
			return -1;
	}
	return more;
}

/* with.lr_groups, a map of a pattern to a factor. */
static int read_rates(struct patterns *patterns, const char *json, struct fault *fault)
{
	char key[PATTERN_MAX];
	struct jsonin in;
	int more;

	jsonin_open(&in, json, '{');
	while ((more = jsonin_key(&in, key, sizeof key, fault)) == 1) {
		struct pattern *pattern = add(patterns, fault);

		if (pattern == NULL)
			return -1;
		memcpy(pattern->text, key, sizeof key);
		if (jsonin_number(&in, &pattern->factor, fault) < 0)
			return fault_context(fault, "'%s'", key);
		if (!(pattern->factor >= 1e-6 && pattern->factor <= 1e6))
			return fault_set(fault,
				"'%s' is %g; from 1e-6 to 1e6 are possible, and freeze is for what "
				"shall not learn",
				key, pattern->factor);
	}
	return more;
}

int groups_read(struct groups *groups, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	if (option_read("freeze", read_list(&groups->frozen, host->json(ctx, "freeze"), fault),
		    fault) < 0 ||
		option_read("lr_groups",
			read_rates(&groups->rates, host->json(ctx, "lr_groups"), fault),
			fault) < 0)
		return -1;
	return option_read("init_skip",
		read_list(&groups->skipped, host->json(ctx, "init_skip"), fault), fault);
}

/* A pattern that matched nothing, with the names there are. */
static int nothing_matches(
	const char *key, const struct pattern *pattern, const struct net *net, struct fault *fault)
{
	struct text names = { 0 };
	struct net_tensor tensor;

	for (size_t i = 0; i < net->layer_count; i++)
		for (unsigned which = 0; net_tensor_of(&net->layer[i], which, &tensor); which++)
			if (!tensor.is_running && names.length < NAMES_SHOWN)
				text_format(&names, names.length == 0 ? "%s" : ", %s", tensor.name);
	(void)fault_set(fault, "with.%s: '%s' matches no tensor of this model; it has %s%s", key,
		pattern->text, names.data, names.length < NAMES_SHOWN ? "" : ", ...");
	text_release(&names);
	return -1;
}

static int check_used(const struct patterns *patterns, const char *key, const struct net *net,
	struct fault *fault)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (!patterns->pattern[i].is_used)
			return nothing_matches(key, &patterns->pattern[i], net, fault);
	return 0;
}

static int find_rate(
	const struct groups *groups, const char *name, float *factor, struct fault *fault)
{
	const struct pattern *hit[2];
	size_t count = match(&groups->rates, name, hit);

	if (count > 1)
		return fault_set(fault, "with.lr_groups: '%s' and '%s' both match '%s'",
			hit[0]->text, hit[1]->text, name);
	if (count == 1)
		*factor = (float)hit[0]->factor;
	return 0;
}

/* One tensor: frozen, or a segment of its own. */
static int place(struct groups *groups, struct net *net, size_t layer, unsigned which,
	const struct net_tensor *tensor, struct fault *fault)
{
	const struct pattern *hit[2];
	struct segment made = { .from = tensor->offset, .factor = 1 };

	made.count = net_tensor_size(tensor);
	made.decays = made.from < net->decayed;
	made.is_bag = made.from < net->sparse;
	if (find_rate(groups, tensor->name, &made.factor, fault) < 0)
		return -1;
	if (match(&groups->frozen, tensor->name, hit) != 0) {
		net_freeze(net, layer, which);
		return 0;
	}
	groups->learning += made.count;
	groups->segment[groups->segment_count++] = made;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct segment *one = a, *other = b;

	return one->from < other->from ? -1 : one->from > other->from;
}

/* Neighbours that are alike become one. */
static void join(struct groups *groups)
{
	size_t count = 0;

	qsort(groups->segment, groups->segment_count, sizeof *groups->segment, compare);
	for (size_t i = 0; i < groups->segment_count; i++) {
		const struct segment next = groups->segment[i];
		struct segment *last = count != 0 ? &groups->segment[count - 1] : NULL;

		if (last != NULL && last->from + last->count == next.from &&
			last->decays == next.decays && !last->is_bag && !(last->factor < next.factor) &&
			!(last->factor > next.factor))
			last->count += next.count;
		else
			groups->segment[count++] = next;
	}
	groups->segment_count = count;
}

int groups_apply(struct groups *groups, struct net *net, struct fault *fault)
{
	struct net_tensor tensor;

	groups->segment =
		array_new(2 * net->layer_count + NET_CATEGORIES_MAX, sizeof *groups->segment);
	for (size_t i = 0; i < net->layer_count; i++)
		for (unsigned which = 0; net_tensor_of(&net->layer[i], which, &tensor); which++)
			if (!tensor.is_running && place(groups, net, i, which, &tensor, fault) < 0)
				return -1;
	if (check_used(&groups->frozen, "freeze", net, fault) < 0 ||
		check_used(&groups->rates, "lr_groups", net, fault) < 0)
		return -1;
	join(groups);
	if (groups->segment_count == 0)
		return fault_set(fault, "with.freeze leaves nothing that could learn");
	return 0;
}

int groups_skips(const struct groups *groups, const char *name)
{
	const struct pattern *hit[2];

	return match(&groups->skipped, name, hit) != 0;
}

int groups_check_skipped(const struct groups *groups, struct fault *fault)
{
	for (size_t i = 0; i < groups->skipped.count; i++)
		if (!groups->skipped.pattern[i].is_used)
			return fault_set(fault,
				"with.init_skip: '%s' matches no tensor, of the file or of this "
				"model",
				groups->skipped.pattern[i].text);
	return 0;
}

void groups_text(const struct groups *groups, struct text *text)
{
	const struct {
		const char *key;
		const struct patterns *patterns;
	} list[] = { { "freeze", &groups->frozen }, { "lr_groups", &groups->rates },
		{ "init_skip", &groups->skipped } };

	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		text_format(text, "%s %zu\n", list[i].key, list[i].patterns->count);
		for (size_t j = 0; j < list[i].patterns->count; j++)
			text_format(text, "%s %s %.17g\n", list[i].key,
				list[i].patterns->pattern[j].text,
				list[i].patterns->pattern[j].factor);
	}
}

void groups_release(struct groups *groups)
{
	free(groups->frozen.pattern);
	free(groups->rates.pattern);
	free(groups->skipped.pattern);
	free(groups->segment);
	*groups = (struct groups){ .segment = NULL };
}
