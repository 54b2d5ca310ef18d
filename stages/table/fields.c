#include "table/fields.h"

#include "common/text.h"
#include "table/chunk.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define BLOCK 64

/* A block with quotes in it, or within quotes: each place that matters in turn. */
static uint64_t pick(struct fields *f, uint32_t base, uint64_t quotes, uint64_t ends)
{
	uint64_t picked = 0;
	uint32_t start = f->start;

	for (uint64_t left = quotes | ends; left != 0; left &= left - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(left);
		uint32_t at = base + bit;

		if (!(quotes >> bit & 1)) {
			if (!f->quoted) {
				picked |= (uint64_t)1 << bit;
				start = at + 1;
			}
		} else if (!f->quoted) {
			f->quoted = at == start;
		} else if (at != f->skip) {
			if (at + 1 < f->size && f->text[at + 1] == '"')
				f->skip = at + 1;
			else
				f->quoted = 0;
		}
	}
	return picked;
}

/* For any processor. */
#define NAME(loop) loop##_any
#define TARGET
static inline uint64_t NAME(equal)(const char *text, char wanted)
{
	uint64_t bits = 0;

#ifdef __SSE2__
	__m128i all = _mm_set1_epi8(wanted);

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		__m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));

		bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, all)) << 16 * i;
	}
#else
	for (int i = 0; i < BLOCK; i++)
		bits |= (uint64_t)(text[i] == wanted) << i;
#endif
	return bits;
}

static inline void NAME(put)(struct span *to, uint64_t ends, uint32_t base, uint32_t start)
{
	for (; ends != 0; ends &= ends - 1) {
		uint32_t end = base + (uint32_t)__builtin_ctzll(ends);

		*to++ = (struct span){ start, end - start };
		start = end + 1;
	}
}
#include "table/fields.inc"

#if defined(__x86_64__)
#define NAME(loop) loop##_avx2
#define TARGET     __attribute__((target("avx2,bmi,popcnt")))
TARGET static inline uint64_t NAME(equal)(const char *text, char wanted)
{
	__m256i all = _mm256_set1_epi8(wanted);
	__m256i low = _mm256_loadu_si256((const __m256i *)(const void *)text);
	__m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(text + 32));

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, all)) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, all)) << 32;
}

/* Eight at a time, though some are none: how often it goes round is guessed right more often. */
TARGET static inline void NAME(put)(struct span *to, uint64_t ends, uint32_t base, uint32_t start)
{
	while (ends != 0) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			uint32_t end = base + (uint32_t)_tzcnt_u64(ends);

			*to++ = (struct span){ start, end - start };
			start = end + 1;
			ends &= ends - 1;
		}
	}
}
#include "table/fields.inc"

#define NAME(loop) loop##_avx512
#define TARGET     __attribute__((target("avx512f,avx512bw,avx512vbmi2,popcnt")))
TARGET static inline uint64_t NAME(equal)(const char *text, char wanted)
{
	return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(text), _mm512_set1_epi8(wanted));
}

/* Sixteen at a time; each begins behind the end of the one before. */
TARGET static inline void NAME(put)(struct span *to, uint64_t ends, uint32_t base, uint32_t start)
{
	static const uint8_t bytes[BLOCK] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
		22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
		49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63 };
	const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
	const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
	__m512i places = _mm512_maskz_compress_epi8(ends, _mm512_loadu_si512(bytes));
	__m512i before = _mm512_set1_epi32((int)start);

	for (int left = (int)__builtin_popcountll(ends); left > 0; left -= 16) {
		__m512i end = _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(places)),
			_mm512_set1_epi32((int)base));
		__m512i next = _mm512_add_epi32(end, _mm512_set1_epi32(1));
		__m512i starts = _mm512_alignr_epi32(next, before, 15), lengths = _mm512_sub_epi32(end, starts);

		_mm512_storeu_si512(to, _mm512_permutex2var_epi32(starts, first, lengths));
		_mm512_storeu_si512(to + 8, _mm512_permutex2var_epi32(starts, second, lengths));
		to += 16;
		before = next;
		places = _mm512_alignr_epi64(places, places, 2);
	}
}
#include "table/fields.inc"

#define CAN(what) (__builtin_cpu_supports(what) != 0)
#else
#define CAN(what)   0
#define find_avx2   find_any
#define find_avx512 find_any
#endif

static struct span *find(struct fields *f, size_t *at, struct span *to, const struct span *room)
{
	if (f->loops == FIELDS_AVX512)
		return find_avx512(f, at, to, room);
	return f->loops == FIELDS_AVX2 ? find_avx2(f, at, to, room) : find_any(f, at, to, room);
}

struct fields fields_of(const char *text, size_t size, char delimiter)
{
	struct fields f = { .text = text, .size = size, .delimiter = delimiter, .skip = UINT32_MAX };

	if (CAN("avx2") && CAN("bmi") && CAN("popcnt"))
		f.loops = CAN("avx512bw") && CAN("avx512vbmi2") ? FIELDS_AVX512 : FIELDS_AVX2;
	return f;
}

size_t fields_find(struct fields *f, struct chunk *chunk)
{
	size_t at = 0, count = 0;

	while (at < f->size) {
		if (chunk->span_room < count + 2 * BLOCK) {
			chunk->span_room = 2 * (count + 16 * BLOCK);
			chunk->span = array_grown(chunk->span, chunk->span_room, sizeof *chunk->span);
		}
		count = (size_t)(find(f, &at, chunk->span + count, chunk->span + chunk->span_room) - chunk->span);
	}
	/* The last record may have no line end: after a field, or after a delimiter. */
	if (f->size > 0 && (f->start < f->size || f->text[f->size - 1] != '\n')) {
		chunk->span[count++] = (struct span){ f->start, (uint32_t)f->size - f->start };
		f->line_ends++;
	}
	return count;
}

size_t fields_last_line(struct fields *f)
{
	size_t last = 0;

	for (size_t base = 0; base < f->size; base += BLOCK) {
		uint64_t lines, ends = look_any(f, (uint32_t)base, &lines);

		if (ends != 0)
			f->start = (uint32_t)base + BLOCK - (uint32_t)__builtin_clzll(ends);
		if (lines != 0)
			last = base + BLOCK - (size_t)__builtin_clzll(lines);
	}
	return last;
}
