/* Small binary lists inside journal rows. */
#include <string.h>

#include "base/buf.h"
#include "plan/past.h"
#include "store/journal.h"

static void put_number(unsigned char *to, uint64_t n, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		to[i] = (unsigned char)(n >> (8 * i));
}

static uint64_t get_number(const unsigned char *from, size_t bytes)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < bytes; i++)
		n |= (uint64_t)from[i] << (8 * i);
	return n;
}

void made_pack(struct buf *out, const struct made *outs, uint32_t count)
{
	unsigned char row[MADE_PACKED];
	uint32_t i;

	for (i = 0; i < count; i++) {
		memcpy(row, outs[i].digest.bytes, DIGEST_SIZE);
		put_number(row + 32, outs[i].size, 8);
		put_number(row + 40, outs[i].mode, 4);
		buf_add(out, row, sizeof row);
	}
}

size_t made_unpack(struct made *outs, uint32_t room, const void *data, size_t len)
{
	size_t count = len / MADE_PACKED, i;
	const unsigned char *row = data;

	for (i = 0; i < count && i < room; i++, row += MADE_PACKED) {
		memcpy(outs[i].digest.bytes, row, DIGEST_SIZE);
		outs[i].size = get_number(row + 32, 8);
		outs[i].mode = (uint32_t)get_number(row + 40, 4);
	}
	return count;
}

void ids_pack(struct buf *out, const int64_t *ids, size_t count)
{
	int64_t last = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		uint64_t delta = (uint64_t)(ids[i] - last);

		while (delta >= 0x80) {
			buf_char(out, (char)(delta | 0x80));
			delta >>= 7;
		}
		buf_char(out, (char)delta);
		last = ids[i];
	}
}

size_t ids_unpack(int64_t *ids, size_t room, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t delta = 0, last = 0;
	unsigned shift = 0;
	size_t count = 0, i;

	for (i = 0; i < len; i++) {
		if (shift < 63)
			delta |= (uint64_t)(p[i] & 0x7f) << shift;
		shift += 7;
		if ((p[i] & 0x80) != 0)
			continue;
		last += delta;
		if (count < room)
			ids[count] = (int64_t)last;
		count++;
		delta = 0;
		shift = 0;
	}
	return count;
}
