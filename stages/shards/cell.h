/*
 * shards/cell.h - a cell of a shard as people and programs read it.
 *
 *     cell_csv(&line, &shard, column, &part, row);       its fields, with commas between, quoted where need be
 *     cell_json(&line, &shard, column, &part, row);      null, true, 1.5, "text", or a list of a wide row
 *
 * Times are ISO 8601 in UTC, bytes base64, floats the shortest text that reads back as the same. What is
 * missing is an empty field, or null.
 */
#ifndef FLOW_STAGES_SHARDS_CELL_H
#define FLOW_STAGES_SHARDS_CELL_H

#include <stddef.h>
#include <stdint.h>

struct shard;
struct shard_part;
struct text;

void cell_csv(struct text *line, const struct shard *shard, size_t column,
	const struct shard_part *part, size_t row);
void cell_json(struct text *line, const struct shard *shard, size_t column,
	const struct shard_part *part, size_t row);
/* Quoted where need be. */
void cell_csv_text(struct text *line, const char *text, size_t length);
void cell_json_text(struct text *line, const char *text, size_t length);
/* Names come from a file: what would steer a terminal is shown as `?`. */
void cell_name(struct text *line, const char *name);
void cell_time(struct text *line, int64_t micro);
void cell_number(struct text *line, double number);

#endif
