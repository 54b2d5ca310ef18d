#include "table/read.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/shardout.h"
#include "table/pass.h"

#define PASSES_MAX     8
#define NAMES_TOO_MANY 20 /* from so many rows on, texts that are mostly different are text */

static struct field *find_field(struct reading *r, const char *name, size_t length)
{
	for (size_t i = 0; i < r->fields; i++)
		if (strlen(r->field[i].name) == length &&
			memcmp(r->field[i].name, name, length) == 0)
			return &r->field[i];
	return NULL;
}

static int no_column(
	const struct reading *r, const char *key, const char *name, int length, struct fault *fault)
{
	return fault_set(fault,
		"with.%s names column '%.*s', which '%s' has not; its columns begin "
		"with '%s'",
		key, length, name, r->options->path, r->field[0].name);
}

static int check_names(
	struct reading *r, const char *key, const struct dictionary *names, struct fault *fault)
{
	for (uint32_t i = 0; i < names->count; i++) {
		size_t length;
		const char *name = dictionary_text(names, i, &length);

		if (find_field(r, name, length) == NULL)
			return no_column(r, key, name, (int)length, fault);
	}
	return 0;
}

/* What the options say of each column. */
static int apply_options(struct reading *r, struct fault *fault)
{
	const struct options *o = r->options;
	size_t kept = 0;

	if (check_names(r, "columns", &o->declared, fault) < 0 ||
		check_names(r, "keep", &o->keep, fault) < 0 ||
		check_names(r, "drop", &o->drop, fault) < 0)
		return -1;
	for (size_t i = 0; i < o->where.count; i++) {
		const char *name = o->where.condition[i].column;

		if (find_field(r, name, strlen(name)) == NULL)
			return no_column(r, "where", name, (int)strlen(name), fault);
	}
	for (size_t i = 0; i < r->fields; i++) {
		struct field *f = &r->field[i];
		uint32_t declared = dictionary_find(&o->declared, f->name, strlen(f->name));

		f->is_declared = declared != DICTIONARY_NONE;
		if (f->is_declared)
			f->type = o->type[declared];
		f->is_kept = options_keeps(o, f->name);
		kept += (size_t)f->is_kept;
	}
	return kept != 0 ? 0 : fault_set(fault, "with.keep and with.drop leave no column");
}

/* Look at the values and choose types for what nobody declared. Text stays text. */
static int guess(
	struct reading *r, int first_chunk_only, const struct dictionary *keys, struct fault *fault)
{
	struct pass pass = { .reading = r,
		.kind = PASS_SURVEY,
		.keys = keys,
		.first_chunk_only = first_chunk_only };

	for (size_t i = 0; i < r->fields; i++) {
		r->field[i].kinds = KINDS_ALL;
		r->field[i].seen = 0;
	}
	r->passes++;
	if (pass_run(&pass, fault) != 0)
		return -1;
	for (size_t i = 0; i < r->fields; i++) {
		struct field *f = &r->field[i];

		if (!f->is_declared && f->type != COLUMN_TEXT)
			f->type = convert_choose(f->kinds, f->seen);
	}
	return 0;
}

static void start_anew(struct reading *r)
{
	r->rows_read = r->rows = r->bad_rows = 0;
	r->bad_list.length = 0;
	for (size_t i = 0; i < r->fields; i++) {
		struct field *f = &r->field[i];

		dictionary_clear(&f->names);
		f->present = 0;
	}
}

static size_t kept_columns(const struct reading *r, struct column *columns)
{
	size_t count = 0;

	for (size_t i = 0; i < r->fields; i++)
		if (r->field[i].is_kept)
			columns[count++] = (struct column){
				.name = r->field[i].name, .type = r->field[i].type, .width = 1
			};
	return count;
}

static void add_categories(const struct reading *r, struct shardout *out)
{
	for (size_t i = 0, k = 0; i < r->fields; i++) {
		const struct field *f = &r->field[i];

		if (!f->is_kept)
			continue;
		for (uint32_t c = 0; f->type == COLUMN_CATEGORY && c < f->names.count; c++) {
			size_t length;
			const char *name = dictionary_text(&f->names, c, &length);

			shardout_category(out, k, name, length);
		}
		k++;
	}
}

/* 1: some column of text has too many different values to be a category; it is text from now on. */
static int has_too_many_names(struct reading *r)
{
	uint64_t most = (uint64_t)r->options->categories_max;
	int found = 0;

	for (size_t i = 0; i < r->fields; i++) {
		struct field *f = &r->field[i];
		int mostly_different =
			f->present >= NAMES_TOO_MANY && 2 * (uint64_t)f->names.count > f->present;

		if (f->type != COLUMN_CATEGORY || f->is_declared)
			continue;
		if (f->names.count > most || mostly_different) {
			f->type = COLUMN_TEXT;
			found = 1;
		}
	}
	return found;
}

static int bind_conditions(struct reading *r, struct fault *fault)
{
	const struct where *w = &r->options->where;
	struct where bound = *w; /* the conditions themselves are what is bound */

	for (size_t i = 0; i < w->count; i++) {
		const char *name = w->condition[i].column;
		const struct field *f = find_field(r, name, strlen(name));

		if (f == NULL || where_bind(&bound, i, f->type, fault) < 0)
			return fault_context(fault, "with.where");
	}
	r->where = bound;
	return 0;
}

/* 0; PASS_MISFIT; -1. */
static int convert_once(
	struct reading *r, const char *path, const struct dictionary *keys, struct fault *fault)
{
	struct column *columns = array_new(r->fields, sizeof *columns);
	size_t count = kept_columns(r, columns);
	struct shardout out = { 0 };
	struct pass pass = { .reading = r, .kind = PASS_CONVERT, .keys = keys, .out = &out };
	size_t group_rows = (size_t)r->options->group_rows;
	int rc = -1;

	start_anew(r);
	r->passes++;
	if (bind_conditions(r, fault) < 0)
		goto out;
	if (shardout_open(&out, path, columns, count, group_rows, fault) < 0)
		goto out;
	rc = pass_run(&pass, fault);
	r->has_new_text = rc >= 0 && has_too_many_names(r);
	if (rc == 0 && r->has_new_text)
		rc = PASS_MISFIT;
	if (rc != 0)
		goto out;
	add_categories(r, &out);
	rc = shardout_commit(&out, fault);
out:
	shardout_abandon(&out);
	free(columns);
	return rc;
}

static int convert_until_it_fits(
	struct reading *r, const char *path, const struct dictionary *keys, struct fault *fault)
{
	int rc = PASS_MISFIT;

	for (int i = 0; i < PASSES_MAX && rc == PASS_MISFIT; i++) {
		rc = convert_once(r, path, keys, fault);
		if (rc != PASS_MISFIT)
			break;
		/* Either the names were too many, which is settled by now, or a type was wrong. */
		if (!r->has_new_text && guess(r, 0, keys, fault) < 0)
			return -1;
	}
	if (rc == PASS_MISFIT)
		return fault_set(fault, "the types of '%s' do not settle; did it change meanwhile?",
			r->options->path);
	return rc;
}

int read_text(struct reading *r, const char *out, struct fault *fault)
{
	struct pass names = { .reading = r, .kind = PASS_NAMES, .first_chunk_only = 1 };
	struct dictionary keys = { 0 };
	int rc = -1, guesses = 0;

	if (pass_run(&names, fault) < 0)
		goto out;
	if (r->fields == 0) {
		(void)fault_set(fault, "'%s' is empty", r->options->path);
		goto out;
	}
	if (apply_options(r, fault) < 0)
		goto out;
	for (size_t i = 0; i < r->fields; i++) {
		(void)dictionary_add(&keys, r->field[i].name, strlen(r->field[i].name));
		guesses |= !r->field[i].is_declared;
	}
	if (guesses && guess(r, 1, &keys, fault) < 0)
		goto out;
	rc = convert_until_it_fits(r, out, &keys, fault);
	if (rc == 0 && r->rows == 0)
		rc = r->rows_read == 0
			     ? fault_set(fault, "'%s' has no rows", r->options->path)
			     : fault_set(fault, "with.where leaves none of the %llu rows of '%s'",
				       (unsigned long long)r->rows_read, r->options->path);
out:
	dictionary_release(&keys);
	return rc;
}

void reading_release(struct reading *r)
{
	for (size_t i = 0; i < r->fields; i++) {
		free(r->field[i].name);
		dictionary_release(&r->field[i].names);
	}
	free(r->field);
	text_release(&r->bad_list);
	*r = (struct reading){ 0 };
}
