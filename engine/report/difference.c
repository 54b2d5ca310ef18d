#include "report/difference.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "report/tensors.h"

#define CHUNK     ((size_t)16 << 10)
#define JSON_MAX  ((uint64_t)64 << 20)
#define DEPTH_MAX 64

struct differ {
	struct difference *out;
	struct arena *arena;
	int was, is;
};

/* As much of a chunk as the file has. */
static ssize_t read_chunk(int fd, char *chunk, size_t len, uint64_t at)
{
	ssize_t n;

	do
		n = pread(fd, chunk, len, (off_t)at);
	while (n < 0 && errno == EINTR);
	return n;
}

static int compare_bytes(struct differ *d, struct err *e)
{
	char was[4096], is[4096];
	uint64_t at = 0;

	for (;;) {
		ssize_t n = read_chunk(d->was, was, sizeof was, at);
		ssize_t m = read_chunk(d->is, is, sizeof is, at);
		size_t i, common = (size_t)(n < m ? n : m);

		if (n < 0 || m < 0)
			return err_system(e, "cannot read");
		for (i = 0; i < common && was[i] == is[i]; i++)
			;
		d->out->first = at + i;
		if (i < common || n != m || n == 0) {
			d->out->same = i == common && n == m;
			return 0;
		}
		at += i;
	}
}

/* -- numbers -------------------------------------------------------------------------------------------------------- */

/* True: it is the largest so far, and `where` is to be set. */
static bool take_number(struct differ *d, double was, double is)
{
	struct difference *out = d->out;
	double by;

	out->numbers++;
	if ((isnan(was) && isnan(is)) || !(was < is || was > is || isnan(was) || isnan(is)))
		return false;
	out->differing++;
	by = isfinite(was) && isfinite(is) ? fabs(was - is) : (double)INFINITY;
	if (out->where[0] != '\0' && !(by > out->most))
		return false;
	out->most = by;
	out->was = was;
	out->is = is;
	return true;
}

static void note_other(struct differ *d, const char *text)
{
	if (d->out->other[0] == '\0')
		d->out->other = text;
}

/* -- tensors -------------------------------------------------------------------------------------------------------- */

static int compare_tensor(
	struct differ *d, const struct tensor *a, const struct tensor *b, struct err *e)
{
	char was[CHUNK], is[CHUNK];
	double was_numbers[CHUNK / 8], is_numbers[CHUNK / 8];
	unsigned width = tensor_width(a->type);
	uint64_t done, step = CHUNK / 8;

	for (done = 0; done < a->count; done += step) {
		size_t n = (size_t)(a->count - done < step ? a->count - done : step), i;
		ssize_t len = (ssize_t)(n * width);

		if (read_chunk(d->was, was, n * width, a->offset + done * width) != len ||
			read_chunk(d->is, is, n * width, b->offset + done * width) != len)
			return err_system(e, "cannot read tensor `%s`", a->name);
		if (memcmp(was, is, n * width) == 0) {
			d->out->numbers += n;
			continue;
		}
		tensor_numbers(a->type, was, n, was_numbers);
		tensor_numbers(a->type, is, n, is_numbers);
		for (i = 0; i < n; i++)
			if (take_number(d, was_numbers[i], is_numbers[i]))
				d->out->where = arena_printf(d->arena, "%s[%llu]", a->name,
					(unsigned long long)(done + i));
	}
	return 0;
}

static int compare_tensors(
	struct differ *d, const struct tensor_list *a, const struct tensor_list *b, struct err *e)
{
	size_t i = 0, k = 0;
	int rc = 0;

	while (rc == 0 && (i < a->count || k < b->count)) {
		const struct tensor *was = i < a->count ? &a->items[i] : NULL;
		const struct tensor *is = k < b->count ? &b->items[k] : NULL;
		int order = was == NULL ? 1 : is == NULL ? -1 : strcmp(was->name, is->name);

		i += order <= 0;
		k += order >= 0;
		if (order < 0)
			note_other(d, arena_printf(d->arena, "tensor `%s` is gone", was->name));
		else if (order > 0)
			note_other(d, arena_printf(d->arena, "tensor `%s` is new", is->name));
		else if (strcmp(was->shape, is->shape) != 0)
			note_other(d,
				arena_printf(d->arena, "%s was %s and is %s",
					was->name[0] != '\0'
						? arena_printf(d->arena, "tensor `%s`", was->name)
						: "the array",
					was->shape, is->shape));
		else
			rc = compare_tensor(d, was, is, e);
	}
	return rc;
}

/* -- JSON ----------------------------------------------------------------------------------------------------------- */

static json_t *load_json(int fd, uint64_t size)
{
	struct buf text = { 0 };
	json_t *root = NULL;
	ssize_t n;

	if (size > JSON_MAX)
		return NULL;
	while ((n = read_chunk(fd, buf_room(&text, CHUNK), CHUNK, text.len)) > 0 &&
		text.len <= JSON_MAX)
		text.len += (size_t)n;
	if (n == 0 && text.len > 0)
		root = json_loadb(text.data, text.len, 0, NULL);
	buf_release(&text);
	return root;
}

static void compare_values(
	struct differ *d, const char *name, const json_t *a, const json_t *b, unsigned depth);

static void compare_objects(
	struct differ *d, const char *name, json_t *a, json_t *b, unsigned depth)
{
	const char *dot = name[0] != '\0' ? "." : "", *key;
	json_t *value;

	json_object_foreach(a, key, value)
	{
		const char *full = arena_printf(d->arena, "%s%s%s", name, dot, key);

		if (json_object_get(b, key) == NULL)
			note_other(d, arena_printf(d->arena, "key `%s` is gone", full));
		else
			compare_values(d, full, value, json_object_get(b, key), depth + 1);
	}
	json_object_foreach(b, key, value)
	{
		if (json_object_get(a, key) == NULL)
			note_other(
				d, arena_printf(d->arena, "key `%s%s%s` is new", name, dot, key));
	}
}

static void compare_arrays(
	struct differ *d, const char *name, const json_t *a, const json_t *b, unsigned depth)
{
	size_t i, n = json_array_size(a);

	if (n != json_array_size(b))
		note_other(d, arena_printf(d->arena, "list `%s` had %zu items and has %zu", name, n,
				      json_array_size(b)));
	for (i = 0; i < n && i < json_array_size(b); i++)
		compare_values(d, arena_printf(d->arena, "%s[%zu]", name, i), json_array_get(a, i),
			json_array_get(b, i), depth + 1);
}

static void compare_values(
	struct differ *d, const char *name, const json_t *a, const json_t *b, unsigned depth)
{
	if (depth > DEPTH_MAX)
		note_other(d, arena_printf(d->arena, "`%s` is too deep to look at", name));
	else if (json_is_number(a) && json_is_number(b)) {
		if (take_number(d, json_number_value(a), json_number_value(b)))
			d->out->where = name;
	} else if (json_is_object(a) && json_is_object(b))
		compare_objects(d, name, (json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b, depth);
	else if (json_is_array(a) && json_is_array(b))
		compare_arrays(d, name, a, b, depth);
	else if (!json_equal(a, b))
		note_other(d, arena_printf(d->arena, "key `%s` has another value", name));
}

static bool compare_json(struct differ *d)
{
	json_t *a = load_json(d->was, d->out->was_size), *b = load_json(d->is, d->out->is_size);
	bool known = a != NULL && b != NULL;

	if (known)
		compare_values(d, "", a, b, 0);
	json_decref(a);
	json_decref(b);
	return known;
}

/* -- all of it ------------------------------------------------------------------------------------------------------ */

static int compare_numbers(struct differ *d, struct err *e)
{
	struct tensor_list a, b;

	if (tensor_list_read(&a, d->was, d->arena) > 0 &&
		tensor_list_read(&b, d->is, d->arena) > 0 && a.format == b.format) {
		d->out->format = a.format;
		return compare_tensors(d, &a, &b, e);
	}
	if (compare_json(d))
		d->out->format = "json";
	return 0;
}

int difference_of(struct difference *out, int was_fd, int is_fd, struct arena *a, struct err *e)
{
	struct difference found = { .format = "", .other = "", .where = "" };
	struct differ d = { .out = &found, .arena = a, .was = was_fd, .is = is_fd };
	struct stat was, is;

	if (fstat(was_fd, &was) < 0 || fstat(is_fd, &is) < 0)
		return err_system(e, "cannot stat");
	found.was_size = (uint64_t)was.st_size;
	found.is_size = (uint64_t)is.st_size;
	if (compare_bytes(&d, e) < 0 || (!found.same && compare_numbers(&d, e) < 0))
		return e->code;
	*out = found;
	return 0;
}

bool difference_within(const struct difference *d, double tolerance)
{
	if (d->same)
		return true;
	return d->format[0] != '\0' && d->other[0] == '\0' &&
	       (d->where[0] == '\0' || d->most <= tolerance);
}
