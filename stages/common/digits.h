/*
 * common/digits.h - digits to whole numbers, and decimals to the nearest double: the steps that
 * number.c (one text) and numbers.c (a column of them) have in common.
 *
 * In C for any processor, eight bytes at a time; sixteen where SSE2 is there, which x86-64 always has.
 */
#ifndef FLOW_STAGES_COMMON_DIGITS_H
#define FLOW_STAGES_COMMON_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define DIGITS_MAX         19 /* as many always fit 64 bits */
#define DIGITS_POWER_FIRST (-64)
#define DIGITS_POWER_LAST  40

/* 10 to each power, 128 bits from the highest that is set, rounded down below 1 and cut above. */
struct digits_power {
	uint64_t high, low;
};
extern const struct digits_power digits_powers[DIGITS_POWER_LAST - DIGITS_POWER_FIRST + 1];
extern const uint64_t digits_tens[17]; /* 10 to the power of 0 to 16 */

#define DIGITS_LOW_BITS ((uint64_t)0x0101010101010101u)
#define DIGITS_ZEROS    (DIGITS_LOW_BITS * '0')
#define DIGITS_POINTS   (DIGITS_LOW_BITS * ('.' ^ '0')) /* as digits_load() gives them */

/* Eight bytes, '0' to '9' as 0 to 9. */
static inline uint64_t digits_load(const char *at)
{
	uint64_t bytes;

	memcpy(&bytes, at, sizeof bytes);
	return bytes ^ DIGITS_ZEROS;
}

/* The high bit of each of eight bytes that is no digit. */
static inline uint64_t digits_others(uint64_t bytes)
{
	return (((bytes & DIGITS_LOW_BITS * 0x7f) + DIGITS_LOW_BITS * 0x76) | bytes) &
	       DIGITS_LOW_BITS * 0x80;
}

/* Only the first `count` of eight digits, 0 to 7, with zeros before them. */
static inline uint64_t digits_first(uint64_t bytes, size_t count)
{
	return bytes << (56 - 8 * count) << 8;
}

/* Pairs, then fours, then all eight are joined by three multiplications. */
static inline uint32_t digits_eight(uint64_t bytes)
{
	const uint64_t mask = 0x000000ff000000ffu;

	bytes = bytes * 10 + (bytes >> 8);
	return (uint32_t)(((bytes & mask) * (100 + ((uint64_t)1000000 << 32)) +
				  ((bytes >> 16) & mask) * (1 + ((uint64_t)10000 << 32))) >>
			  32);
}

/* The last `count` of the sixteen bytes at a place as a number; *wrong: they are no digits. */
#ifdef __SSE2__
static inline uint64_t digits_last(const char *at, size_t count, uint64_t *wrong)
{
	static const uint64_t masks[4] = { 0, 0, UINT64_MAX, UINT64_MAX };
	const __m128i tens = _mm_set1_epi16(10), hundreds = _mm_set1_epi32(100 | 1 << 16),
		      more = _mm_set1_epi32(10000 | 1 << 16);
	__m128i mask =
		_mm_loadu_si128((const __m128i *)(const void *)((const char *)masks + count));
	__m128i digits = _mm_loadu_si128((const __m128i *)(const void *)at);
	uint64_t halves;

	digits = _mm_and_si128(_mm_sub_epi8(digits, _mm_set1_epi8('0')), mask);
	*wrong = (unsigned)_mm_movemask_epi8(
			 _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) ^
		 0xffff;
	/* Pairs, fours, eights. */
	digits = _mm_add_epi16(_mm_mullo_epi16(_mm_and_si128(digits, _mm_set1_epi16(0xff)), tens),
		_mm_srli_epi16(digits, 8));
	digits = _mm_madd_epi16(digits, hundreds);
	digits = _mm_madd_epi16(_mm_packs_epi32(digits, digits), more);
	halves = (uint64_t)_mm_cvtsi128_si64(digits);
	return (uint32_t)halves * (uint64_t)100000000 + (halves >> 32);
}
#else
static inline uint64_t digits_last(const char *at, size_t count, uint64_t *wrong)
{
	uint64_t high = digits_load(at), low = digits_load(at + 8);

	/* Bytes that are shifted out and back are the digit 0. */
	if (count <= 8)
		high = 0;
	else
		high = high >> (64 - 8 * (count - 8)) << (64 - 8 * (count - 8));
	if (count < 8)
		low = count == 0 ? 0 : low >> (64 - 8 * count) << (64 - 8 * count);
	*wrong = digits_others(high) | digits_others(low);
	return (uint64_t)digits_eight(high) * 100000000 + digits_eight(low);
}
#endif

__extension__ typedef unsigned __int128 digits_wide;

/* The bits of the nearest double to mantissa * 10^power, for powers in the table; mantissa is not 0. */
static inline uint64_t digits_nearest(uint64_t mantissa, int64_t power)
{
	const struct digits_power *ten = &digits_powers[power - DIGITS_POWER_FIRST];
	int zeros = __builtin_clzll(mantissa), top, shift;
	digits_wide wide;
	uint64_t whole, high, low;
	int64_t exponent;

	mantissa <<= zeros;
	wide = (digits_wide)mantissa * ten->high;
	high = (uint64_t)(wide >> 64);
	low = (uint64_t)wide;
	if ((high & 0x1ff) == 0x1ff) {
		wide += (uint64_t)((digits_wide)mantissa * ten->low >> 64);
		high = (uint64_t)(wide >> 64);
		low = (uint64_t)wide;
	}
	top = (int)(high >> 63);
	shift = top + 64 - 52 - 3;
	whole = high >> shift;
	exponent = (((152170 + 65536) * power) >> 16) + 63 + top - zeros + 1023;
	/* Half way between two doubles, exactly: to the even one. */
	if (low <= 1 && power >= -4 && power <= 23 && (whole & 3) == 1 && whole << shift == high)
		whole &= ~(uint64_t)1;
	/* The highest bit of the mantissa, and a carry into one more, count up the exponent. */
	return ((uint64_t)(exponent - 1) << 52) + ((whole + (whole & 1)) >> 1);
}

#endif
