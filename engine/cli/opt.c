#include "cli/opt.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/near.h"
#include "base/vec.h"
#include "cli/cmd.h"

#define TABLES 5

static const char *const color_choices[] = { "auto", "always", "never", NULL };

const struct opt global_opts[] = {
	{ 'C', "directory", OPT_TEXT, "DIR", "work in this folder", OPT_AT(folder), NULL },
	{ 'q', "quiet", OPT_FLAG, NULL, "say errors and the last line only", OPT_AT(quiet), NULL },
	{ 'v', "verbose", OPT_COUNT, NULL, "say more: commands, reasons, keys", OPT_AT(verbose),
		NULL },
	{ 0, "color", OPT_CHOICE, "WHEN", "colours: auto, always or never", OPT_AT(color),
		color_choices },
	{ 'h', "help", OPT_FLAG, NULL, "what the command does, and its options", OPT_AT(help),
		NULL },
	{ 0, "version", OPT_FLAG, NULL, "which version this is", OPT_AT(version), NULL },
	OPT_END,
};

const struct opt dag_opts[] = {
	{ 'f', "file", OPT_TEXT, "FILE", "the pipeline (default: dag.yaml)", OPT_AT(dag), NULL },
	OPT_END,
};

const struct opt params_opts[] = {
	{ 'p', "param", OPT_LIST, "NAME=VALUE", "set a parameter; may be given more than once",
		OPT_AT(sets), NULL },
	{ 0, "params", OPT_LIST, "FILE", "set the parameters in this file", OPT_AT(files), NULL },
	OPT_END,
};

const struct opt shows_opts[] = {
	{ 0, "json", OPT_FLAG, NULL, "answer in JSON", OPT_AT(json), NULL },
	OPT_END,
};

struct parser {
	struct cli *cli;
	char **argv;
	int argc, at;      /* at: next word */
	const char *group; /* "runs": its sub-command is still to come */
	struct err *e;
};

static const struct opt no_opts[] = { OPT_END };

/* The option tables that apply to a command; NULL: before any is known. */
static void tables_of(const struct command *command, const struct opt *tables[TABLES])
{
	size_t i;

	for (i = 0; i < TABLES; i++)
		tables[i] = no_opts;
	tables[0] = global_opts;
	if (command == NULL)
		return;
	if (command->opts != NULL)
		tables[1] = command->opts;
	if (command->takes_dag)
		tables[2] = dag_opts;
	if (command->takes_params)
		tables[3] = params_opts;
	if (command->shows)
		tables[4] = shows_opts;
}

static const struct opt *find_letter(const struct command *command, char letter)
{
	const struct opt *tables[TABLES], *o;
	size_t i;

	tables_of(command, tables);
	for (i = 0; i < TABLES; i++)
		for (o = tables[i]; o->kind != OPT_LAST; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

static const struct opt *find_name(
	const struct command *command, const char *name, size_t len, const char **nearest)
{
	const struct opt *tables[TABLES], *o;
	struct near n;
	size_t i;

	near_start(&n, name);
	tables_of(command, tables);
	for (i = 0; i < TABLES; i++)
		for (o = tables[i]; o->kind != OPT_LAST; o++) {
			if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
				return o;
			near_offer(&n, o->name);
		}
	*nearest = n.best;
	return NULL;
}

static bool is_optional(const struct opt *o)
{
	return o->arg != NULL && o->arg[0] == '[';
}

static int set_number(struct parser *p, const struct opt *o, const char *value)
{
	unsigned *slot = (unsigned *)(void *)((char *)p->cli + o->offset);
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (end == value || *end != '\0' || n < 0 || n > 1000000000 || errno != 0)
		return err_set(p->e, ERR_USAGE, "option --%s needs a whole number, not `%.60s`",
			o->name, value);
	*slot = (unsigned)n;
	return 0;
}

static int set_choice(struct parser *p, const struct opt *o, const char *value)
{
	unsigned *slot = (unsigned *)(void *)((char *)p->cli + o->offset);
	char list[200] = "";
	struct near n;
	unsigned i;

	near_start(&n, value);
	for (i = 0; o->choices[i] != NULL; i++) {
		if (strcmp(o->choices[i], value) == 0) {
			*slot = i;
			return 0;
		}
		near_offer(&n, o->choices[i]);
		strncat(list, i > 0 ? ", " : "", sizeof list - strlen(list) - 1);
		strncat(list, o->choices[i], sizeof list - strlen(list) - 1);
	}
	err_set(p->e, ERR_USAGE, "option --%s does not know `%.60s`", o->name, value);
	if (n.best != NULL)
		return err_hint(p->e, "did you mean `%s`? it takes %s", n.best, list);
	return err_hint(p->e, "it takes %s", list);
}

static int set_value(struct parser *p, const struct opt *o, const char *value)
{
	char *slot = (char *)p->cli + o->offset;

	switch (o->kind) {
	case OPT_FLAG: *(bool *)(void *)slot = true; break;
	case OPT_COUNT: ++*(unsigned *)(void *)slot; break;
	case OPT_TEXT: *(const char **)(void *)slot = value; break;
	case OPT_LIST: vec_push((struct texts *)(void *)slot, value); break;
	case OPT_NUMBER: return set_number(p, o, value);
	case OPT_CHOICE: return set_choice(p, o, value);
	case OPT_LAST: break;
	}
	return 0;
}

static const char *command_name(const struct parser *p)
{
	return p->cli->command != NULL ? p->cli->command->name : "";
}

/* Where an option stands that this command does not have but others do. */
static int unknown_option(struct parser *p, const char *shown, const char *nearest)
{
	const char *name = command_name(p);

	err_set(p->e, ERR_USAGE, "unknown option %.60s%s%s%s", shown,
		name[0] != '\0' ? " of `flow " : "", name, name[0] != '\0' ? "`" : "");
	if (nearest != NULL)
		return err_hint(p->e, "did you mean --%s?", nearest);
	if (p->cli->command == NULL)
		return err_hint(p->e, "options of a command come after its name; `flow help` lists "
				      "what there is");
	return err_hint(p->e, "`flow help %s` lists its options", name);
}

/* The value of an option that needs one: what is left of this word, or the next word. */
static int take_value(struct parser *p, const struct opt *o, const char *rest, const char **value)
{
	if (rest != NULL) {
		*value = rest;
		return 0;
	}
	if (p->at >= p->argc)
		return err_set(p->e, ERR_USAGE, "option --%s needs a value: --%s=%s", o->name,
			o->name, o->arg);
	*value = p->argv[p->at++];
	return 0;
}

static int parse_long(struct parser *p, const char *word)
{
	const char *equals = strchr(word, '='), *nearest = NULL, *value = "";
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const char *name = arena_strndup(&p->cli->arena, word, len);
	const struct opt *o = find_name(p->cli->command, name, len, &nearest);

	if (o == NULL)
		return unknown_option(p, arena_printf(&p->cli->arena, "--%s", name), nearest);
	if (o->arg == NULL && equals != NULL)
		return err_set(p->e, ERR_USAGE, "option --%s takes no value", o->name);
	if (is_optional(o))
		value = equals != NULL ? equals + 1 : "";
	else if (o->arg != NULL && take_value(p, o, equals != NULL ? equals + 1 : NULL, &value) < 0)
		return p->e->code;
	return set_value(p, o, value);
}

static int parse_short(struct parser *p, const char *letters)
{
	while (*letters != '\0') {
		const struct opt *o = find_letter(p->cli->command, *letters);
		const char *value = "";

		if (o == NULL)
			return unknown_option(
				p, arena_printf(&p->cli->arena, "-%c", *letters), NULL);
		letters++;
		if (o->arg != NULL && !is_optional(o)) {
			if (take_value(p, o, *letters != '\0' ? letters : NULL, &value) < 0)
				return p->e->code;
			letters = "";
		}
		if (set_value(p, o, value) < 0)
			return p->e->code;
	}
	return 0;
}

static bool is_dag(const char *word)
{
	size_t len = strlen(word);

	return (len > 5 && strcmp(word + len - 5, ".yaml") == 0) ||
	       (len > 4 && strcmp(word + len - 4, ".yml") == 0);
}

/* "runs" begins "runs list" and "runs show". */
static bool is_group(const char *word)
{
	size_t len = strlen(word), i;

	for (i = 0; command_table[i] != NULL; i++)
		if (strncmp(command_table[i]->name, word, len) == 0 &&
			command_table[i]->name[len] == ' ')
			return true;
	return false;
}

/* Offer the words that may stand here: commands, or what follows `group`. `list` gets the latter: "list or show". */
static void offer_words(struct parser *p, struct near *n, char list[200])
{
	size_t i, len = p->group != NULL ? strlen(p->group) : 0;

	for (i = 0; command_table[i] != NULL; i++) {
		const char *name = command_table[i]->name;
		size_t word = strcspn(name, " ");

		if (p->group == NULL) {
			near_offer(n, arena_strndup(&p->cli->arena, name, word));
		} else if (word == len && name[word] == ' ' && strncmp(name, p->group, len) == 0) {
			near_offer(n, name + len + 1);
			if (list[0] != '\0')
				strncat(list, " or ", 199 - strlen(list));
			strncat(list, name + len + 1, 199 - strlen(list));
		}
	}
}

static int unknown_command(struct parser *p, const char *word)
{
	const char *group = p->group != NULL ? p->group : "", *space = p->group != NULL ? " " : "";
	char list[200] = "";
	struct near n;

	near_start(&n, word);
	offer_words(p, &n, list);
	err_set(p->e, ERR_USAGE, "unknown command `flow %s%s%.60s`", group, space, word);
	if (n.best != NULL)
		return err_hint(p->e, "did you mean `flow %s%s%s`?", group, space, n.best);
	if (p->group != NULL)
		return err_hint(p->e, "`flow %s` is followed by %s", group, list);
	return err_hint(p->e, "`flow help` lists all commands");
}

/* A group without a sub-command means its list, when it has one. */
static int settle_group(struct parser *p)
{
	const char *name = arena_printf(&p->cli->arena, "%s list", p->group);
	char list[200] = "";
	struct near n;

	p->cli->command = command_find(name);
	if (p->cli->command != NULL) {
		p->group = NULL;
		return 0;
	}
	near_start(&n, "");
	offer_words(p, &n, list);
	return err_set(p->e, ERR_USAGE, "`flow %s` is followed by %s", p->group, list);
}

static int parse_word(struct parser *p, const char *word)
{
	struct cli *c = p->cli;

	if (c->command == NULL && p->group == NULL) {
		c->command = command_find(word);
		if (c->command == NULL && is_group(word))
			p->group = word;
		else if (c->command == NULL)
			return unknown_command(p, word);
		return 0;
	}
	if (c->command == NULL) {
		c->command = command_find(arena_printf(&c->arena, "%s %s", p->group, word));
		if (c->command != NULL) {
			p->group = NULL;
			return 0;
		}
		if (!is_dag(word))
			return unknown_command(p, word);
		if (settle_group(p) < 0)
			return p->e->code;
	}
	vec_push(&c->args, word);
	return 0;
}

static int parse_words(struct parser *p)
{
	bool only_words = false;

	while (p->at < p->argc) {
		const char *word = p->argv[p->at++];
		int rc = 0;

		if (only_words || word[0] != '-' || word[1] == '\0') {
			rc = parse_word(p, word);
		} else if (strcmp(word, "--") == 0) {
			only_words = true;
		} else {
			if (p->group != NULL && strcmp(word, "-h") != 0 &&
				strcmp(word, "--help") != 0)
				rc = settle_group(p);
			if (rc == 0)
				rc = word[1] == '-' ? parse_long(p, word + 2)
						    : parse_short(p, word + 1);
		}
		if (rc < 0)
			return rc;
	}
	return p->group != NULL && !p->cli->help ? settle_group(p) : 0;
}

/* The last argument that ends in .yaml is the pipeline, unless the command could not do without it. */
static void take_dag(struct cli *c)
{
	size_t i;

	if (c->command->takes_dag && c->dag == NULL)
		for (i = c->args.count; i-- > 0 && c->args.count > c->command->least;) {
			if (!is_dag(c->args.items[i]))
				continue;
			c->dag = c->args.items[i];
			memmove(&c->args.items[i], &c->args.items[i + 1],
				(c->args.count - i - 1) * sizeof *c->args.items);
			c->args.count--;
			break;
		}
	if (c->dag == NULL)
		c->dag = "dag.yaml";
}

static int check_count(struct parser *p)
{
	const struct command *command = p->cli->command;
	const struct texts *args = &p->cli->args;

	if (args->count < command->least) {
		err_set(p->e, ERR_USAGE, "`flow %s` needs %s", command->name, command->args);
		return err_hint(p->e, "`flow help %s` tells what it takes", command->name);
	}
	if (args->count > command->most) {
		err_set(p->e, ERR_USAGE, "`flow %s` does not take `%.60s`%s", command->name,
			args->items[command->most], command->most > 0 ? " as well" : "");
		return err_hint(p->e, "`flow help %s` tells what it takes", command->name);
	}
	return 0;
}

int opt_parse(struct cli *cli, int argc, char **argv, struct err *e)
{
	struct parser p = { .cli = cli, .argv = argv, .argc = argc, .at = 1, .e = e };

	if (parse_words(&p) < 0)
		return e->code;
	if (cli->command == NULL || cli->help)
		return 0;
	take_dag(cli);
	return check_count(&p);
}
