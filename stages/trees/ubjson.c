#include "trees/ubjson.h"

#include <string.h>

#include "common/fault.h"

static int cut_short(struct fault *fault)
{
	return fault_set(fault, "the model is cut short, or no UBJSON of XGBoost's");
}

/* Whole numbers are big-endian. There are `bytes` of them. */
static int64_t number_at(const unsigned char *data, unsigned bytes)
{
	uint64_t number = data[0] >= 0x80 ? UINT64_MAX : 0;

	for (unsigned i = 0; i < bytes; i++)
		number = number << 8 | data[i];
	return (int64_t)number;
}

static int take_number(struct ubjson *in, unsigned bytes, int64_t *number, struct fault *fault)
{
	if ((size_t)(in->end - in->at) < bytes)
		return cut_short(fault);
	*number = number_at(in->at, bytes);
	in->at += bytes;
	return 0;
}

/* "L" and how many items of `size` bytes follow, which must be there. */
static int take_count(struct ubjson *in, size_t size, size_t *count, struct fault *fault)
{
	int64_t number = 0;

	if (in->at == in->end || *in->at != 'L')
		return cut_short(fault);
	in->at++;
	if (take_number(in, 8, &number, fault) < 0)
		return -1;
	if (number < 0 || (uint64_t)number > (size_t)(in->end - in->at) / size)
		return cut_short(fault);
	*count = (size_t)number;
	return 0;
}

static int take_text(struct ubjson *in, struct ubjson_text *text, struct fault *fault)
{
	if (take_count(in, 1, &text->length, fault) < 0)
		return -1;
	text->data = (const char *)in->at;
	in->at += text->length;
	return 0;
}

static unsigned size_of(char type)
{
	switch (type) {
	case 'i':
	case 'U': return 1;
	case 'I': return 2;
	case 'l':
	case 'd': return 4;
	case 'L':
	case 'D': return 8;
	default: return 0;
	}
}

/* "$", type, "#", count, numbers; or "#", count, values. */
static int take_array(struct ubjson *in, struct ubjson_value *value, struct fault *fault)
{
	unsigned size = 1;

	if (in->at < in->end && *in->at == '$') {
		if (in->end - in->at < 2)
			return cut_short(fault);
		value->kind = '$';
		value->type = (char)in->at[1];
		size = size_of(value->type);
		in->at += 2;
	}
	if (size == 0 || in->at == in->end || *in->at++ != '#' ||
		take_count(in, size, &value->count, fault) < 0)
		return cut_short(fault);
	if (value->kind == '$') {
		value->data = in->at;
		in->at += value->count * size;
	}
	return 0;
}

int ubjson_value(struct ubjson *in, struct ubjson_value *value, struct fault *fault)
{
	int64_t unused;
	char marker;

	if (in->at == in->end)
		return cut_short(fault);
	marker = (char)*in->at++;
	*value = (struct ubjson_value){ .kind = marker };
	switch (marker) {
	case '{':
	case 'T':
	case 'F':
	case 'Z': return 0;
	case '[': return take_array(in, value, fault);
	case 'S': return take_text(in, &value->text, fault);
	case 'i':
	case 'U':
	case 'I':
	case 'l':
	case 'L':
		value->kind = 'i';
		return take_number(in, size_of(marker), &value->integer, fault);
	case 'd':
	case 'D': value->kind = 'd'; return take_number(in, size_of(marker), &unused, fault);
	default: return cut_short(fault);
	}
}

int ubjson_key(struct ubjson *in, struct ubjson_text *key, struct fault *fault)
{
	if (in->at == in->end)
		return cut_short(fault);
	if (*in->at == '}') {
		in->at++;
		return 0;
	}
	return take_text(in, key, fault) < 0 ? -1 : 1;
}

int ubjson_is(const struct ubjson_text *text, const char *word)
{
	return text->length == strlen(word) && memcmp(text->data, word, text->length) == 0;
}

int64_t ubjson_integer(const struct ubjson_value *array, size_t i)
{
	if (array->type == 'U')
		return array->data[i];
	return number_at(array->data + i * size_of(array->type), size_of(array->type));
}
