#include "table/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonout.h"
#include "common/shardout.h"
#include "common/workers.h"
#include "table/chunk.h"
#include "table/csv.h"
#include "table/jsonl.h"
#include "table/read.h"

#define JOBS_MAX         128
#define CATEGORIES_LIMIT 16000000
#define NAMES_KEPT       65536 /* of a job and column: what several jobs know is in memory several times */

struct job {
	struct chunk chunk;
	uint8_t *keep;
	size_t keep_room;
	struct cells *cells;      /* of each field that is kept */
	struct dictionary *names; /* of each of them that is a category; kept from chunk to chunk */
	struct file_codes {
		uint32_t *code; /* of each of these names: which of the file's it is, or DICTIONARY_NONE */
		size_t room;
	} * file_codes;
	struct cells condition;   /* of the column of a condition */
	struct dictionary condition_names;
	unsigned *kinds; /* of a survey */
	size_t *seen;
	size_t rows_read;
	int is_misfit;
};

static size_t cut(const struct options *o, const char *text, size_t size)
{
	return o->format == FORMAT_CSV ? csv_cut(text, size, o->delimiter) : jsonl_cut(text, size);
}

/* Text up to the end of a record, the rest kept for the next chunk. 1, 0 at the end, -1. */
static int fill(struct pass *p, struct chunk *chunk)
{
	size_t given = p->reading->chunk_size, whole = 0;
	size_t wanted = p->kind != PASS_CONVERT ? CHUNK_SURVEY : given != 0 ? given : CHUNK_SIZE;

	chunk->size = 0;
	while (whole == 0) {
		long got;

		if (wanted < p->left_size)
			wanted = p->left_size;
		chunk_reserve(chunk, wanted);
		if (chunk->size == 0 && p->left_size != 0) {
			memcpy(chunk->text, p->left, p->left_size);
			chunk->size = p->left_size;
		}
		got = stream_read(
			&p->stream, chunk->text + chunk->size, wanted - chunk->size, p->fault);
		if (got < 0)
			return -1;
		p->at_end = chunk->size + (size_t)got < wanted;
		chunk->size += (size_t)got;
		whole = p->at_end ? chunk->size
				  : cut(p->reading->options, chunk->text, chunk->size);
		if (whole == 0 && p->at_end)
			break;
		if (whole == 0 && wanted >= CHUNK_MAX)
			return fault_set(p->fault,
				"%s:%llu: a record of more than %zu MiB; is a quote not closed?",
				p->reading->options->path, (unsigned long long)p->lines + 1,
				CHUNK_MAX >> 20);
		wanted *= 2;
	}
	free(p->left);
	p->left = NULL;
	p->left_size = chunk->size - whole;
	if (p->left_size != 0)
		p->left = memcpy(array_new(p->left_size, 1), chunk->text + whole, p->left_size);
	chunk->size = whole;
	memset(chunk->text + whole, 0, CHUNK_MARGIN);
	return whole != 0;
}

static void drop_start(struct pass *p, struct chunk *chunk, size_t size)
{
	for (size_t i = 0; i < size; i++)
		p->lines += chunk->text[i] == '\n';
	memmove(chunk->text, chunk->text + size, chunk->size - size + CHUNK_MARGIN);
	chunk->size -= size;
}

static void drop_mark(struct pass *p, struct chunk *chunk)
{
	if (chunk->size >= 3 && memcmp(chunk->text, "\xef\xbb\xbf", 3) == 0)
		drop_start(p, chunk, 3);
}

static void drop_header(struct pass *p, struct chunk *chunk)
{
	const struct options *o = p->reading->options;

	if (o->format != FORMAT_CSV || !o->has_header)
		return;
	/* What it unquotes is dropped. */
	drop_start(p, chunk, csv_read_first(chunk, o->delimiter));
}

static void set_names(struct reading *r, const struct dictionary *names)
{
	r->fields = names->count;
	r->field = array_new(r->fields, sizeof *r->field);
	for (uint32_t i = 0; i < names->count; i++) {
		size_t length;
		const char *name = dictionary_text(names, i, &length);

		r->field[i].name = text_copy(name, length);
	}
}

static int add_name(struct dictionary *names, const char *text, size_t length, const char *path,
	struct fault *fault)
{
	char room[64];

	while (length > 0 && text[0] == ' ') {
		text++;
		length--;
	}
	while (length > 0 && text[length - 1] == ' ')
		length--;
	if (length > COLUMN_NAME_MAX || memchr(text, '\0', length) != NULL)
		return fault_set(fault, "'%s': the header's '%s' cannot be a name", path,
			chunk_quote(room, text, length));
	if (length == 0) {
		(void)snprintf(room, sizeof room, "column_%u", names->count + 1);
		text = room;
		length = strlen(room);
	}
	if (dictionary_find(names, text, length) != DICTIONARY_NONE) {
		char quoted[64];

		return fault_set(fault, "'%s': the header has '%s' twice", path,
			chunk_quote(quoted, text, length));
	}
	(void)dictionary_add(names, text, length);
	return 0;
}

/* The columns as the first chunk has them. */
static int find_names(struct pass *p, struct chunk *chunk)
{
	const struct options *o = p->reading->options;
	struct dictionary names = { 0 };
	int rc = 0;

	if (o->format == FORMAT_JSONL) {
		jsonl_keys(chunk, &names, COLUMNS_MAX);
		for (uint32_t i = 0; i < o->declared.count; i++) {
			size_t length;
			const char *name = dictionary_text(&o->declared, i, &length);

			(void)dictionary_add(&names, name, length);
		}
	} else {
		chunk_begin(chunk, 1);
		if (csv_read_first(chunk, o->delimiter) != 0 && chunk->columns > COLUMNS_MAX)
			rc = fault_set(p->fault, "'%s' has %zu columns; at most %d", o->path,
				chunk->columns, COLUMNS_MAX);
		else if (chunk->bad_count != 0)
			rc = fault_set(p->fault, "%s:1: %s", o->path, chunk->bad[0].why);
		for (size_t i = 0; rc == 0 && chunk->rows == 1 && i < chunk->columns; i++) {
			const struct span *span = &chunk->span[i];

			rc = add_name(&names, o->has_header ? chunk->text + span->start : "",
				o->has_header ? span->length : 0, o->path, p->fault);
		}
	}
	if (rc == 0 && names.count == 0)
		rc = fault_set(p->fault, "'%s' has no %s", o->path,
			o->format == FORMAT_CSV ? "records" : "objects");
	if (rc == 0 && o->names.count != 0 && o->names.count != names.count)
		rc = fault_set(p->fault, "with.names has %u names, but '%s' has %u columns",
			o->names.count, o->path, names.count);
	if (rc == 0)
		set_names(p->reading, o->names.count != 0 ? &o->names : &names);
	dictionary_release(&names);
	return rc;
}

static int begin(void *context, void *given)
{
	struct pass *p = context;
	struct job *job = given;
	struct reading *r = p->reading;
	int rc;

	if ((p->first_chunk_only && p->chunks == 1) || p->at_end)
		return 0;
	if (r->host->cancelled(r->ctx))
		return fault_set(p->fault, "stopped");
	rc = fill(p, &job->chunk);
	if (rc <= 0)
		return rc;
	p->chunks++;
	if (p->chunks == 1)
		drop_mark(p, &job->chunk);
	if (p->kind == PASS_NAMES)
		return find_names(p, &job->chunk) < 0 ? -1 : 0;
	if (p->chunks == 1)
		drop_header(p, &job->chunk);
	return 1;
}

static void read_rows(const struct pass *p, struct job *job)
{
	const struct reading *r = p->reading;

	chunk_begin(&job->chunk, r->fields);
	if (r->options->format == FORMAT_CSV)
		csv_read(&job->chunk, r->options->delimiter);
	else
		jsonl_read(&job->chunk, p->keys);
	job->rows_read = job->chunk.rows;
}

static void survey(const struct pass *p, struct job *job)
{
	const struct reading *r = p->reading;

	for (size_t i = 0; i < r->fields; i++) {
		job->seen[i] = 0;
		job->kinds[i] = r->field[i].is_declared
					? KINDS_ALL
					: convert_survey(&job->chunk, i, &r->options->missing,
						  KINDS_ALL, &job->seen[i]);
	}
}

static uint8_t *keep_all(struct job *job)
{
	if (job->keep_room < job->chunk.rows) {
		free(job->keep);
		job->keep_room = 2 * job->chunk.rows;
		job->keep = array_new(job->keep_room, 1);
	}
	if (job->chunk.rows != 0)
		memset(job->keep, 1, job->chunk.rows);
	return job->keep;
}

static long convert(const struct reading *r, struct job *job, size_t field, struct cells *cells,
	struct dictionary *names, uint8_t *keep)
{
	const struct field *f = &r->field[field];
	const struct convert how = { .column = field,
		.name = f->name,
		.type = f->type,
		.is_guess = !f->is_declared,
		.words = &r->options->missing };

	return convert_column(cells, names, &job->chunk, &how, keep);
}

/* Rows that the conditions leave, before anything else of them is looked at. */
static int filter(const struct reading *r, struct job *job)
{
	const struct where *w = &r->where;
	uint8_t *keep;

	if (w->count == 0)
		return 0;
	keep = keep_all(job);
	for (size_t i = 0; i < w->count; i++) {
		size_t f = 0;

		while (strcmp(r->field[f].name, w->condition[i].column) != 0)
			f++;
		dictionary_clear(&job->condition_names);
		if (convert(r, job, f, &job->condition, &job->condition_names, keep) < 0)
			return -1;
		where_apply(w, i, &job->condition, &job->condition_names, keep);
	}
	chunk_select(&job->chunk, keep);
	return 0;
}

static int convert_all(const struct reading *r, struct job *job)
{
	uint8_t *keep = keep_all(job);
	long bad = 0;

	for (size_t i = 0, k = 0; i < r->fields; i++) {
		long rc;

		if (!r->field[i].is_kept)
			continue;
		rc = convert(r, job, i, &job->cells[k], &job->names[k], keep);
		if (rc < 0)
			return -1;
		bad += rc;
		k++;
	}
	if (bad == 0)
		return 0;
	/* Few files have bad rows, so only those pay for them: without the rows, all again. */
	chunk_select(&job->chunk, keep);
	return convert_all(r, job);
}

static void work(void *context, void *given)
{
	const struct pass *p = context;
	struct job *job = given;

	read_rows(p, job);
	if (p->kind == PASS_SURVEY)
		survey(p, job);
	else
		job->is_misfit = filter(p->reading, job) < 0 || convert_all(p->reading, job) < 0;
}

static int take_bad_rows(struct pass *p, const struct chunk *chunk)
{
	struct reading *r = p->reading;
	const struct options *o = r->options;

	for (size_t i = 0; i < chunk->bad_count; i++) {
		unsigned long long line = p->lines + chunk->bad[i].line + 1;
		struct jsonout json = { .out = &r->bad_list, .compact = 1 };

		if (r->bad_rows++ == 0)
			(void)snprintf(r->first_bad, sizeof r->first_bad, "line %llu: %s", line,
				chunk->bad[i].why);
		if (!o->skip_bad_rows)
			return fault_set(p->fault, "%s:%llu: %s", o->path, line, chunk->bad[i].why);
		if (r->bad_rows > (uint64_t)o->bad_rows_max)
			return fault_set(p->fault,
				"'%s' has more than %ld bad rows (with.bad_rows_max); the first is "
				"%s",
				o->path, o->bad_rows_max, r->first_bad);
		jsonout_open(&json, '{');
		jsonout_key(&json, "line");
		jsonout_integer(&json, line);
		jsonout_text(&json, "why", chunk->bad[i].why);
		jsonout_close(&json);
		text_add(&r->bad_list, "\n", 1);
	}
	return 0;
}

/* What the file calls a name of the job; names get their numbers in the order of the rows. */
static uint32_t file_code(struct field *f, struct file_codes *known, const struct dictionary *names, uint32_t code)
{
	size_t length;
	const char *name;

	if (code >= known->room) {
		size_t room = 2 * ((size_t)names->count + 32);

		known->code = array_grown(known->code, room, sizeof *known->code);
		memset(known->code + known->room, 0xff, (room - known->room) * sizeof *known->code);
		known->room = room;
	}
	if (known->code[code] == DICTIONARY_NONE) {
		name = dictionary_text(names, code, &length);
		known->code[code] = dictionary_add(&f->names, name, length);
	}
	return known->code[code];
}

/* The job's codes become those of the file. */
static int take_categories(
	struct pass *p, struct field *f, struct cells *cells, struct dictionary *names, struct file_codes *known)
{
	uint32_t *code = (uint32_t *)(void *)cells->data;
	const struct options *o = p->reading->options;

	for (size_t row = 0; row < cells->rows; row++)
		if (code[row] != CATEGORY_MISSING)
			code[row] = file_code(f, known, names, code[row]);
	f->present += cells->rows - cells->missing;
	if (names->count > NAMES_KEPT) {
		dictionary_clear(names);
		free(known->code);
		*known = (struct file_codes){ 0 };
	}
	if (!f->is_declared && f->names.count > (uint64_t)o->categories_max)
		return PASS_MISFIT;
	if (f->names.count > CATEGORIES_LIMIT)
		return fault_set(p->fault, "column '%s' has more than %d categories; make it text",
			f->name, CATEGORIES_LIMIT);
	return 0;
}

static int take_cells(struct pass *p, struct job *job)
{
	struct reading *r = p->reading;
	int rc = 0;

	for (size_t i = 0, k = 0; i < r->fields && rc == 0; i++) {
		if (!r->field[i].is_kept)
			continue;
		if (r->field[i].type == COLUMN_CATEGORY)
			rc = take_categories(p, &r->field[i], &job->cells[k], &job->names[k], &job->file_codes[k]);
		k++;
	}
	if (rc != 0)
		return rc;
	shardout_add(p->out, job->cells, 0, job->chunk.rows);
	r->rows += job->chunk.rows;
	return 0;
}

static int end(void *context, void *given)
{
	struct pass *p = context;
	struct job *job = given;
	struct reading *r = p->reading;

	if (p->kind == PASS_SURVEY) {
		for (size_t i = 0; i < r->fields; i++) {
			r->field[i].kinds &= job->kinds[i];
			r->field[i].seen += job->seen[i];
		}
		return 0;
	}
	p->rc = job->is_misfit ? PASS_MISFIT : take_bad_rows(p, &job->chunk);
	if (p->rc == 0)
		p->rc = take_cells(p, job);
	if (p->rc != 0)
		return -1;
	r->rows_read += job->rows_read;
	p->lines += job->chunk.lines;
	if (p->stream.size != 0)
		r->host->progress(r->ctx, (double)p->stream.taken, (double)p->stream.size, "read");
	return 0;
}

static struct job *jobs_new(const struct reading *r, size_t count)
{
	struct job *job = array_new(count, sizeof *job);

	for (size_t j = 0; j < count; j++) {
		job[j].cells = array_new(r->fields, sizeof *job[j].cells);
		job[j].names = array_new(r->fields, sizeof *job[j].names);
		job[j].file_codes = array_new(r->fields, sizeof *job[j].file_codes);
		job[j].kinds = array_new(r->fields, sizeof *job[j].kinds);
		job[j].seen = array_new(r->fields, sizeof *job[j].seen);
	}
	return job;
}

static void jobs_free(struct job *job, const size_t fields, size_t count)
{
	for (size_t j = 0; j < count; j++) {
		for (size_t i = 0; i < fields; i++) {
			cells_release(&job[j].cells[i]);
			dictionary_release(&job[j].names[i]);
			free(job[j].file_codes[i].code);
		}
		chunk_release(&job[j].chunk);
		cells_release(&job[j].condition);
		dictionary_release(&job[j].condition_names);
		free(job[j].keep);
		free(job[j].cells);
		free(job[j].names);
		free(job[j].file_codes);
		free(job[j].kinds);
		free(job[j].seen);
	}
	free(job);
}

int pass_run(struct pass *pass, struct fault *fault)
{
	struct reading *r = pass->reading;
	size_t fields = r->fields;
	struct workers w = { .threads = pass->first_chunk_only ? 1 : r->options->threads,
		.job_size = sizeof(struct job),
		.context = pass,
		.begin = begin,
		.work = work,
		.end = end };

	pass->fault = fault;
	if (stream_open(&pass->stream, r->options->path, fault) < 0)
		return -1;
	w.job_count = w.threads == 1 ? 1 : 2 * (size_t)w.threads;
	if (w.job_count > JOBS_MAX)
		w.job_count = JOBS_MAX;
	w.jobs = jobs_new(r, w.job_count);
	if (workers_run(&w) < 0 && pass->rc == 0)
		pass->rc = -1;
	jobs_free(w.jobs, fields, w.job_count);
	free(pass->left);
	pass->left = NULL;
	stream_close(&pass->stream);
	return pass->rc;
}
