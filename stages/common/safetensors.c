#include "common/safetensors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/jsonout.h"

#define HEADER_MAX   100000000u
#define HEADER_ALIGN 64u

static const struct {
	const char *name;
	size_t size;
} types[] = {
	[TENSOR_F32] = { "F32", 4 },
	[TENSOR_I64] = { "I64", 8 },
	[TENSOR_U8] = { "U8", 1 },
};

/* Copy text that is known to fit. */
static void keep(char *to, size_t room, const char *text)
{
	size_t length = strlen(text);

	assert(length < room);
	memcpy(to, text, length + 1);
}

/* One more item in a list that doubles. */
static void *more(void *items, size_t count, size_t *room, size_t size)
{
	void *grown;

	if (count < *room)
		return items;
	*room = *room != 0 ? *room * 2 : 8;
	grown = array_new(*room, size);
	if (count != 0)
		memcpy(grown, items, count * size);
	free(items);
	return grown;
}

static struct tensor *add_tensor(struct tensors *tensors)
{
	tensors->tensor =
		more(tensors->tensor, tensors->count, &tensors->room, sizeof *tensors->tensor);
	return &tensors->tensor[tensors->count++];
}

static struct tensor_note *add_note(struct tensors *tensors)
{
	tensors->note = more(
		tensors->note, tensors->note_count, &tensors->note_room, sizeof *tensors->note);
	return &tensors->note[tensors->note_count++];
}

void tensors_add(struct tensors *tensors, const char *name, enum tensor_type type,
	const uint64_t *shape, unsigned dimensions, const void *data)
{
	size_t start = 0, size = types[type].size;
	struct tensor *tensor;

	assert(dimensions <= TENSOR_DIMENSIONS_MAX);
	for (size_t i = 0; i < tensors->count; i++)
		start += tensors->tensor[i].size;
	for (unsigned i = 0; i < dimensions; i++)
		size *= (size_t)shape[i];
	tensor = add_tensor(tensors);
	*tensor = (struct tensor){ .type = type, .dimensions = dimensions, .data = data };
	tensor->start = start;
	tensor->size = size;
	keep(tensor->name, sizeof tensor->name, name);
	memcpy(tensor->shape, shape, dimensions * sizeof *shape);
}

void tensors_describe(struct tensors *tensors, const char *key, const char *text)
{
	struct tensor_note *note = add_note(tensors);

	keep(note->key, sizeof note->key, key);
	keep(note->text, sizeof note->text, text);
}

static void write_tensor(struct jsonout *json, const struct tensor *tensor)
{
	jsonout_key(json, tensor->name);
	jsonout_open(json, '{');
	jsonout_text(json, "dtype", types[tensor->type].name);
	jsonout_key(json, "shape");
	jsonout_open(json, '[');
	for (unsigned i = 0; i < tensor->dimensions; i++)
		jsonout_integer(json, tensor->shape[i]);
	jsonout_close(json);
	jsonout_key(json, "data_offsets");
	jsonout_open(json, '[');
	jsonout_integer(json, tensor->start);
	jsonout_integer(json, tensor->start + tensor->size);
	jsonout_close(json);
	jsonout_close(json);
}

static void write_header(struct text *header, const struct tensors *tensors)
{
	struct jsonout json = { .out = header, .compact = 1 };

	jsonout_open(&json, '{');
	if (tensors->note_count != 0) {
		jsonout_key(&json, "__metadata__");
		jsonout_open(&json, '{');
		for (size_t i = 0; i < tensors->note_count; i++) {
			jsonout_text(&json, tensors->note[i].key, tensors->note[i].text);
		}
		jsonout_close(&json);
	}
	for (size_t i = 0; i < tensors->count; i++)
		write_tensor(&json, &tensors->tensor[i]);
	jsonout_close(&json);
	while ((header->length + sizeof(uint64_t)) % HEADER_ALIGN != 0)
		text_add(header, " ", 1);
}

int tensors_write(const struct tensors *tensors, const char *path, struct fault *fault)
{
	struct text header = { 0 };
	struct output output;
	uint64_t length;
	int rc = output_open(&output, path, fault);

	if (rc < 0)
		return rc;
	output.is_durable = tensors->is_durable;
	write_header(&header, tensors);
	length = header.length;
	output_write(&output, &length, sizeof length);
	output_write(&output, header.data, header.length);
	for (size_t i = 0; i < tensors->count; i++)
		output_write(&output, tensors->tensor[i].data, tensors->tensor[i].size);
	text_release(&header);
	return output_commit(&output, fault);
}

static int read_type(struct tensor *tensor, struct jsonin *in, struct fault *fault)
{
	char name[16];

	if (jsonin_string(in, name, sizeof name, fault) < 0)
		return -1;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (strcmp(name, types[i].name) == 0) {
			tensor->type = (enum tensor_type)i;
			return 0;
		}
	}
	return fault_set(fault, "has dtype %s, only F32, I64 and U8 are read", name);
}

static int read_shape(struct tensor *tensor, struct jsonin *in, struct fault *fault)
{
	int following;

	if (jsonin_enter(in, '[', fault) < 0)
		return -1;
	while ((following = jsonin_item(in, fault)) == 1) {
		if (tensor->dimensions == TENSOR_DIMENSIONS_MAX)
			return fault_set(
				fault, "has more than %d dimensions", TENSOR_DIMENSIONS_MAX);
		if (jsonin_integer(in, &tensor->shape[tensor->dimensions++], fault) < 0)
			return -1;
	}
	return following;
}

static int read_offsets(uint64_t offset[2], struct jsonin *in, struct fault *fault)
{
	size_t count = 0;
	int following;

	if (jsonin_enter(in, '[', fault) < 0)
		return -1;
	while ((following = jsonin_item(in, fault)) == 1) {
		uint64_t value;

		if (jsonin_integer(in, &value, fault) < 0)
			return -1;
		if (count < 2)
			offset[count] = value;
		count++;
	}
	if (following == 0 && count != 2)
		return fault_set(fault, "needs two data_offsets, has %zu", count);
	return following;
}

/* Do offsets lie in the file, and are they as far apart as shape and type say? */
static int place(
	struct tensor *tensor, const uint64_t offset[2], size_t available, struct fault *fault)
{
	uint64_t size = types[tensor->type].size;

	for (unsigned i = 0; i < tensor->dimensions; i++) {
		if (tensor->shape[i] != 0 && size > UINT64_MAX / tensor->shape[i])
			return fault_set(fault, "has a shape too large to be true");
		size *= tensor->shape[i];
	}
	if (offset[0] > offset[1] || offset[1] > available)
		return fault_set(fault, "lies outside the file");
	if (offset[1] - offset[0] != size)
		return fault_set(fault, "has %llu bytes where its shape needs %llu",
			(unsigned long long)(offset[1] - offset[0]), (unsigned long long)size);
	tensor->start = (size_t)offset[0];
	tensor->size = (size_t)size;
	return 0;
}

static int read_tensor(
	struct tensor *tensor, struct jsonin *in, size_t available, struct fault *fault)
{
	enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
	unsigned seen = 0, now;
	uint64_t offset[2] = { 0, 0 };
	char key[32];
	int following, rc;

	if (jsonin_enter(in, '{', fault) < 0)
		return -1;
	while ((following = jsonin_key(in, key, sizeof key, fault)) == 1) {
		if (strcmp(key, "dtype") == 0) {
			now = DTYPE;
			rc = read_type(tensor, in, fault);
		} else if (strcmp(key, "shape") == 0) {
			now = SHAPE;
			rc = read_shape(tensor, in, fault);
		} else if (strcmp(key, "data_offsets") == 0) {
			now = OFFSETS;
			rc = read_offsets(offset, in, fault);
		} else {
			return fault_set(fault, "has an unknown key '%s'", key);
		}
		if (rc < 0)
			return -1;
		if ((seen & now) != 0)
			return fault_set(fault, "has '%s' twice", key);
		seen |= now;
	}
	if (following < 0)
		return -1;
	if (seen != (DTYPE | SHAPE | OFFSETS))
		return fault_set(fault, "lacks dtype, shape or data_offsets");
	return place(tensor, offset, available, fault);
}

static int read_notes(struct tensors *tensors, struct jsonin *in, struct fault *fault)
{
	char key[TENSOR_NAME_MAX], text[TENSOR_TEXT_MAX];
	int following;

	if (jsonin_enter(in, '{', fault) < 0)
		return -1;
	while ((following = jsonin_key(in, key, sizeof key, fault)) == 1) {
		if (jsonin_string(in, text, sizeof text, fault) < 0)
			return -1;
		if (tensors->note_count == TENSORS_MAX)
			return fault_set(fault, "more than %d notes", TENSORS_MAX);
		tensors_describe(tensors, key, text);
	}
	return following;
}

static int compare_names(const void *left, const void *right)
{
	const struct tensor *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static int compare_places(const void *left, const void *right)
{
	const struct tensor *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->size > b->size) - (a->size < b->size);
}

/* Every byte of the data belongs to exactly one tensor, and every name to one too. Leaves them in
 * order of place. */
static int check_all(struct tensors *tensors, size_t available, struct fault *fault)
{
	struct tensor *tensor = tensors->tensor;
	size_t end = 0;

	if (tensors->count == 0)
		return available == 0 ? 0 : fault_set(fault, "has bytes that belong to no tensor");
	qsort(tensor, tensors->count, sizeof *tensor, compare_names);
	for (size_t i = 1; i < tensors->count; i++)
		if (strcmp(tensor[i - 1].name, tensor[i].name) == 0)
			return fault_set(fault, "has two tensors '%s'", tensor[i].name);
	qsort(tensor, tensors->count, sizeof *tensor, compare_places);
	for (size_t i = 0; i < tensors->count; i++) {
		if (tensor[i].start < end)
			return fault_set(fault, "tensor '%s' overlaps another", tensor[i].name);
		if (tensor[i].start > end)
			return fault_set(
				fault, "has unused bytes before tensor '%s'", tensor[i].name);
		end = tensor[i].start + tensor[i].size;
	}
	if (end != available)
		return fault_set(fault, "has bytes after its last tensor");
	return 0;
}

static int read_entry(struct tensors *tensors, const char *key, struct jsonin *in, size_t available,
	struct fault *fault)
{
	struct tensor tensor = { .dimensions = 0 };

	if (strcmp(key, "__metadata__") == 0) {
		if (tensors->note_count != 0)
			return fault_set(fault, "'__metadata__' is there twice");
		return read_notes(tensors, in, fault);
	}
	if (tensors->count == TENSORS_MAX)
		return fault_set(fault, "more than %d tensors", TENSORS_MAX);
	if (read_tensor(&tensor, in, available, fault) < 0)
		return fault_context(fault, "tensor '%s'", key);
	keep(tensor.name, sizeof tensor.name, key);
	*add_tensor(tensors) = tensor;
	return 0;
}

static int read_header(struct tensors *tensors, struct fault *fault)
{
	const struct mapped *file = &tensors->file;
	char key[TENSOR_NAME_MAX];
	struct jsonin in;
	uint64_t length;
	size_t available;
	int following;

	if (file->size < sizeof length)
		return fault_set(fault, "is too short for a safetensors file");
	memcpy(&length, file->data, sizeof length);
	if (length > HEADER_MAX)
		return fault_set(fault, "has a header of %llu bytes, over 100 MB",
			(unsigned long long)length);
	if (length > file->size - sizeof length)
		return fault_set(fault, "ends inside its header");
	available = file->size - sizeof length - (size_t)length;
	jsonin_begin(&in, (const char *)file->data + sizeof length, (size_t)length);
	if (jsonin_enter(&in, '{', fault) < 0)
		return -1;
	while ((following = jsonin_key(&in, key, sizeof key, fault)) == 1)
		if (read_entry(tensors, key, &in, available, fault) < 0)
			return -1;
	if (following < 0 || check_all(tensors, available, fault) < 0)
		return -1;
	for (size_t i = 0; i < tensors->count; i++)
		tensors->tensor[i].data =
			file->data + sizeof length + length + tensors->tensor[i].start;
	return 0;
}

int tensors_read(struct tensors *tensors, const char *path, struct fault *fault)
{
	struct tensors made = { 0 };

	if (mapped_open(&made.file, path, fault) < 0)
		return -1;
	if (read_header(&made, fault) < 0) {
		tensors_release(&made);
		return fault_context(fault, "'%s'", path);
	}
	*tensors = made;
	return 0;
}

const struct tensor *tensors_find(const struct tensors *tensors, const char *name)
{
	for (size_t i = 0; i < tensors->count; i++)
		if (strcmp(tensors->tensor[i].name, name) == 0)
			return &tensors->tensor[i];
	return NULL;
}

const char *tensors_note(const struct tensors *tensors, const char *key)
{
	for (size_t i = 0; i < tensors->note_count; i++)
		if (strcmp(tensors->note[i].key, key) == 0)
			return tensors->note[i].text;
	return NULL;
}

void tensors_release(struct tensors *tensors)
{
	free(tensors->tensor);
	free(tensors->note);
	mapped_close(&tensors->file);
	*tensors = (struct tensors){ 0 };
}
