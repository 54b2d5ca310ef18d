/*
 * tests/support/tabled.h - files for the stage `table`, and what it made of them.
 *
 *     give(host, "a.csv", "a,b\n1,x\n");
 *     run(host, &shard);  expect(&shard, "b", COLUMN_CATEGORY, "x");  shard_close(&shard);
 *
 * Tests are CASE(name): each has a host of its own. What it asks of the host is that of stage_case.h.
 */
#ifndef FLOW_TESTS_SUPPORT_TABLED_H
#define FLOW_TESTS_SUPPORT_TABLED_H

#include <stdio.h>

#include "common/shard.h"
#include "table/table.h"

#define STAGE stage_table
#include "support/stage_case.h"

static inline int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	stage_host_out(host, "table", stage_host_path(host, "t.shard"));
	*state = host;
	return 0;
}

static inline void give(flow_ctx *host, const char *name, const char *text)
{
	stage_host_dep(host, "data", stage_host_write(host, name, text, strlen(text)));
}

static inline void run(flow_ctx *host, struct shard *shard)
{
	struct fault fault = { "" };

	must_run(host);
	if (shard_open(shard, stage_host_path(host, "t.shard"), &fault) != 0)
		fail_msg("%s", fault.text);
	for (size_t g = 0; g < shard->groups; g++)
		for (size_t c = 0; c < shard->columns; c++)
			if (shard_verify(shard, g, c, &fault) < 0)
				fail_msg("%s", fault.text);
}

/* A row of a column as text: numbers with %g, categories by name, ? when missing. */
static inline const char *show(const struct shard *shard, const char *name, size_t row)
{
	static char room[8][200];
	static unsigned next;
	size_t column = shard_find(shard, name), length = 0;
	size_t group = row / shard->group_rows;
	struct shard_part part;
	char *to = room[next++ % 8];
	const char *text = "";

	assert_true(column < shard->columns);
	shard_part(&part, shard, group, column);
	row -= group * shard->group_rows;
	if (!shard_present(&part, row))
		return "?";
	if (part.type == COLUMN_CATEGORY)
		text = shard_category(shard, column, ((const uint32_t *)part.data)[row], &length);
	else if (part.type == COLUMN_TEXT)
		text = (const char *)shard_text(&part, row, &length);
	else if (part.type == COLUMN_INT64)
		length = (size_t)snprintf(
			to, 200, "%lld", (long long)((const int64_t *)part.data)[row]);
	else
		length = (size_t)snprintf(to, 200, "%g", column_number(part.type, part.data, row));
	if (text[0] != '\0')
		memcpy(to, text, length);
	to[length] = '\0';
	return to;
}

static inline void expect(
	const struct shard *shard, const char *name, enum column_type type, const char *values)
{
	size_t column = shard_find(shard, name);
	char all[2000] = "";

	assert_true(column < shard->columns);
	assert_string_equal(column_type_name(shard->column[column].type), column_type_name(type));
	for (size_t row = 0; row < shard->rows; row++)
		(void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
			row == 0 ? "" : "|", show(shard, name, row));
	assert_string_equal(all, values);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
