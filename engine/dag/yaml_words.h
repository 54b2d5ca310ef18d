/*
 * dag/yaml_words.h - libyaml's complaints in plain words.
 */
#ifndef FLOW_DAG_YAML_WORDS_H
#define FLOW_DAG_YAML_WORDS_H

struct diags;
struct yaml;
struct yaml_file;
struct yaml_parser_s;

/* Add the E0101 of a parser that has just failed, inside a list or map that is open (or NULL). */
void yaml_words_add(struct diags *d, const struct yaml_file *file,
	const struct yaml_parser_s *parser, const struct yaml *open);

#endif
