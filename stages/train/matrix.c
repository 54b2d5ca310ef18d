#include "train/matrix.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/fault.h"
#include "common/text.h"
#include "nn/samples.h"
#include "trees/columns.h"
#include "trees/forest.h"

#define PART_VALUES ((size_t)1 << 24) /* values gathered at a time */

/* Rows handed over part by part, in several walks. */
struct feed {
	const struct library *lib;
	const struct columns *columns;
	const struct samples *samples;
	const char **types; /* NULL: all columns hold numbers */
	DMatrixHandle proxy;
	float *values;
	size_t room, next; /* rows of a part; the row to go on with */
	struct fault *fault;
	int is_gathered, failed;
};

static int set_types(const struct library *lib, DMatrixHandle matrix, const char **types,
	size_t features, struct fault *fault)
{
	if (types == NULL)
		return 0;
	return library_check(lib,
		lib->XGDMatrixSetStrFeatureInfo(matrix, "feature_type", types, features), fault);
}

/* "c" and "q" for each column, the library's words for category and number; free() it. */
static const char **types_of(const struct columns *columns)
{
	const char **types;

	if (columns->categories == NULL)
		return NULL;
	types = array_new(columns->features, sizeof *types);
	for (size_t j = 0; j < columns->features; j++)
		types[j] = columns->categories[j] > 0 ? "c" : "q";
	return types;
}

static void feed_reset(DataIterHandle given)
{
	struct feed *feed = given;

	feed->next = 0;
}

static int give(struct feed *feed, size_t rows)
{
	char view[FOREST_VIEW_ROOM];

	forest_view(view, feed->values, rows, feed->samples->features);
	if (library_check(feed->lib, feed->lib->XGProxyDMatrixSetDataDense(feed->proxy, view),
		    feed->fault) < 0)
		return -1;
	return set_types(feed->lib, feed->proxy, feed->types, feed->samples->features, feed->fault);
}

/* 1: a part is there; 0: no more. */
static int feed_next(DataIterHandle given)
{
	struct feed *feed = given;
	const struct samples *s = feed->samples;
	size_t left = s->count - feed->next, rows = left < feed->room ? left : feed->room;

	if (feed->failed || left == 0)
		return 0;
	/* A single part stays where it is for the next walk. */
	if (rows < s->count || !feed->is_gathered)
		feed->failed = columns_gather(feed->columns, s, s->row + feed->next, rows,
				       feed->values, feed->fault) < 0;
	feed->is_gathered = 1;
	feed->next += rows;
	if (!feed->failed)
		feed->failed = give(feed, rows) < 0;
	return !feed->failed;
}

int matrix_bins(DMatrixHandle *matrix, const struct library *lib, const struct columns *columns,
	const struct samples *samples, long bins, unsigned threads, struct fault *fault)
{
	struct feed feed = { .lib = lib, .columns = columns, .samples = samples, .fault = fault };
	char how[120];
	int rc;

	if (library_check(lib, lib->XGProxyDMatrixCreate(&feed.proxy), fault) < 0)
		return -1;
	feed.room = PART_VALUES / samples->features + 1;
	if (feed.room > samples->count)
		feed.room = samples->count;
	feed.values = array_new(feed.room * samples->features, sizeof *feed.values);
	feed.types = types_of(columns);
	(void)snprintf(how, sizeof how, "{\"missing\": NaN, \"max_bin\": %ld, \"nthread\": %u}",
		bins, threads);
	rc = lib->XGQuantileDMatrixCreateFromCallback(
		&feed, feed.proxy, NULL, feed_reset, feed_next, how, matrix);
	if (feed.failed && rc == 0)
		(void)lib->XGDMatrixFree(*matrix);
	if (!feed.failed)
		rc = library_check(lib, rc, fault);
	(void)lib->XGDMatrixFree(feed.proxy);
	free(feed.types);
	free(feed.values);
	return feed.failed ? -1 : rc;
}

int matrix_values(DMatrixHandle *matrix, const struct library *lib, const struct columns *columns,
	const struct samples *samples, unsigned threads, struct fault *fault)
{
	size_t count = samples->valid_count, features = samples->features;
	float *values = array_new(count * features, sizeof *values);
	const char **types = types_of(columns);
	DMatrixHandle made = NULL;
	char view[FOREST_VIEW_ROOM], how[80];
	int rc = columns_gather(columns, samples, samples->valid, count, values, fault);

	forest_view(view, values, count, features);
	(void)snprintf(how, sizeof how, "{\"missing\": NaN, \"nthread\": %u}", threads);
	if (rc == 0)
		rc = library_check(lib, lib->XGDMatrixCreateFromDense(view, how, &made), fault);
	if (rc == 0)
		rc = set_types(lib, made, types, features, fault);
	if (rc == 0)
		*matrix = made;
	else if (made != NULL)
		(void)lib->XGDMatrixFree(made);
	free(types);
	free(values);
	return rc;
}
