#include "common/numbers_eight.h"

#include "common/digits.h"
#include "common/numbers.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define EIGHT     __attribute__((target("avx512f,avx512bw,avx512dq,avx512cd,avx512vl"))) static inline
#define AFTER_MAX 19
#define LENGTH_MAX 22 /* see numbers.c */

/* The texts of eight rows; a row is a lane of 64 bits. */
struct rows {
	__m512i start, length;
	__m512i head;         /* the first eight bytes */
	__m512i tail0, tail1; /* the last sixteen bytes, of the even and of the odd rows */
};

/* Powers of ten by digits after the point. */
struct powers {
	__m512i tens[2];                    /* 10^n; n is 1 to 16, which stands at 0 */
	__m512i inverse[3], inverse_low[3]; /* 10^-n, 128 bits */
};

EIGHT __m512i all(uint64_t value)
{
	return _mm512_set1_epi64((long long)value);
}

EIGHT __m512i join(__m256i low, __m256i high)
{
	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* Eight bytes at each of eight places. */
EIGHT __m512i load_eights(const char *const at[8])
{
	__m128i pair[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		pair[i] = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)at[2 * i]),
			_mm_loadl_epi64((const __m128i *)(const void *)at[2 * i + 1]));
	return join(_mm256_inserti128_si256(_mm256_castsi128_si256(pair[0]), pair[1], 1),
		_mm256_inserti128_si256(_mm256_castsi128_si256(pair[2]), pair[3], 1));
}

/* Sixteen bytes before each of four places, of every second row. */
EIGHT __m512i load_sixteens(const char *const *end)
{
	__m128i one[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		one[i] = _mm_loadu_si128((const __m128i *)(const void *)(end[2 * i] - 16));
	return join(_mm256_inserti128_si256(_mm256_castsi128_si256(one[0]), one[1], 1),
		_mm256_inserti128_si256(_mm256_castsi128_si256(one[2]), one[3], 1));
}

/* 0: one of them is missing, too long, or too near to the beginning. */
EIGHT int load_rows(struct rows *r, const char *text, const struct span *span, size_t stride)
{
	const char *at[8], *end[8];
	__m512i both;

#pragma GCC unroll 8
	for (size_t i = 0; i < 8; i++)
		at[i] = (const char *)&span[i * stride];
	both = load_eights(at);
	r->start = _mm512_and_si512(both, all(UINT32_MAX));
	r->length = _mm512_srli_epi64(both, 32);
	if ((_mm512_cmplt_epu64_mask(r->start, all(16)) |
		    _mm512_cmpge_epu64_mask(_mm512_sub_epi64(r->length, all(1)), all(LENGTH_MAX))) != 0)
		return 0;
#pragma GCC unroll 8
	for (size_t i = 0; i < 8; i++) {
		at[i] = text + span[i * stride].start;
		end[i] = at[i] + span[i * stride].length;
	}
	r->head = load_eights(at);
	r->tail0 = load_sixteens(end);
	r->tail1 = load_sixteens(end + 1);
	return 1;
}

/* The last `count` bytes of sixteen, 16 at most, as digits, four rows; *wrong: some are none. */
EIGHT __m512i tail_digits(__m512i tail, __m512i count, __mmask64 *wrong)
{
	const __m512i before_end = _mm512_broadcast_i32x4(_mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
	const __m512i to_all = _mm512_setzero_si512();
	__mmask64 used = _mm512_cmplt_epu8_mask(before_end, _mm512_shuffle_epi8(count, to_all));
	__m512i digits = _mm512_maskz_sub_epi8(used, tail, _mm512_set1_epi8('0'));

	*wrong |= _mm512_cmpgt_epu8_mask(digits, _mm512_set1_epi8(9));
	/* Pairs, then fours. */
	digits = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(10 | 1 << 8));
	return _mm512_madd_epi16(digits, _mm512_set1_epi32(100 | 1 << 16));
}

/* The last `count` bytes of each row as a number. */
EIGHT __m512i tail_numbers(const struct rows *r, __m512i count, __mmask64 *wrong)
{
	__m512i even = tail_digits(r->tail0, _mm512_unpacklo_epi64(count, count), wrong);
	__m512i odd = tail_digits(r->tail1, _mm512_unpackhi_epi64(count, count), wrong);
	__m512i eights = _mm512_madd_epi16(_mm512_packus_epi32(even, odd), _mm512_set1_epi32(10000 | 1 << 16));

	return _mm512_add_epi64(_mm512_mul_epu32(eights, all(100000000)), _mm512_srli_epi64(eights, 32));
}

/* Eight digits, a byte each, as a number. */
EIGHT __m512i head_numbers(__m512i digits)
{
	digits = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(10 | 1 << 8));
	digits = _mm512_madd_epi16(digits, _mm512_set1_epi32(100 | 1 << 16));
	return _mm512_add_epi64(_mm512_mul_epu32(digits, all(10000)), _mm512_srli_epi64(digits, 32));
}

/* 128 bits of each product. */
EIGHT __m512i multiply(__m512i a, __m512i b, __m512i *low)
{
	const __m512i half = all(UINT32_MAX);
	__m512i a_high = _mm512_srli_epi64(a, 32), b_high = _mm512_srli_epi64(b, 32);
	__m512i first = _mm512_mul_epu32(a, b);
	__m512i second = _mm512_add_epi64(_mm512_mul_epu32(a, b_high), _mm512_srli_epi64(first, 32));
	__m512i third = _mm512_add_epi64(_mm512_mul_epu32(a_high, b), _mm512_and_si512(second, half));

	*low = _mm512_or_si512(_mm512_slli_epi64(third, 32), _mm512_and_si512(first, half));
	return _mm512_add_epi64(_mm512_add_epi64(_mm512_mul_epu32(a_high, b_high), _mm512_srli_epi64(second, 32)),
		_mm512_srli_epi64(third, 32));
}

/* An entry of 24. */
EIGHT __m512i look_up(const __m512i table[3], __m512i index)
{
	return _mm512_mask_permutexvar_epi64(_mm512_permutex2var_epi64(table[0], index, table[1]),
		_mm512_cmpge_epu64_mask(index, all(16)), index, table[2]);
}

/* digits_nearest(mantissa, -after); *half: lanes half way between two doubles. */
EIGHT __m512i nearest(const struct powers *p, __m512i mantissa, __m512i after, __mmask8 *half)
{
	__m512i zeros = _mm512_lzcnt_epi64(mantissa), low, high, top, whole, shift, exponent;
	__mmask8 close;

	mantissa = _mm512_sllv_epi64(mantissa, zeros);
	high = multiply(mantissa, look_up(p->inverse, after), &low);
	close = _mm512_cmpeq_epi64_mask(_mm512_and_si512(high, all(0x1ff)), all(0x1ff));
	if (close != 0) {
		__m512i unused, more = multiply(mantissa, look_up(p->inverse_low, after), &unused);

		low = _mm512_mask_add_epi64(low, close, low, more);
		high = _mm512_mask_add_epi64(high, _mm512_mask_cmplt_epu64_mask(close, low, more), high, all(1));
	}
	top = _mm512_srli_epi64(high, 63);
	shift = _mm512_add_epi64(top, all(64 - 52 - 3));
	whole = _mm512_srlv_epi64(high, shift);
	*half = _mm512_cmple_epu64_mask(low, all(1)) &
		_mm512_cmpeq_epi64_mask(_mm512_and_si512(whole, all(3)), all(1)) &
		_mm512_cmpeq_epi64_mask(_mm512_sllv_epi64(whole, shift), high);
	whole = _mm512_srli_epi64(_mm512_add_epi64(whole, _mm512_and_si512(whole, all(1))), 1);
	exponent = _mm512_srai_epi64(_mm512_mul_epi32(after, all(-(uint64_t)(152170 + 65536))), 16);
	exponent = _mm512_add_epi64(_mm512_sub_epi64(_mm512_add_epi64(exponent, top), zeros), all(63 + 1023 - 1));
	return _mm512_add_epi64(_mm512_slli_epi64(exponent, 52), whole);
}

/* 1: eight values are made. See read_float() of numbers.c; here the sign takes one of the first eight bytes. */
EIGHT int read_floats(double *value, const struct rows *r, const struct powers *p)
{
	__mmask8 negative = _mm512_cmpeq_epi64_mask(_mm512_and_si512(r->head, all(0xff)), all('-'));
	__m512i head = _mm512_mask_srli_epi64(r->head, negative, r->head, 8);
	__m512i points = _mm512_movm_epi8(_mm512_cmpeq_epi8_mask(head, _mm512_set1_epi8('.')));
	/* The bits below the point: 8 for each byte. */
	__m512i below = _mm512_andnot_si512(points, _mm512_add_epi64(points, all(UINT64_MAX)));
	__m512i before_bits = _mm512_sub_epi64(all(64), _mm512_lzcnt_epi64(below));
	__m512i size = _mm512_mask_sub_epi64(r->length, negative, r->length, all(1));
	__m512i after = _mm512_sub_epi64(size, _mm512_srli_epi64(_mm512_add_epi64(before_bits, all(8)), 3));
	__m512i tail = _mm512_min_epu64(after, all(16)), beyond_bits = _mm512_slli_epi64(_mm512_sub_epi64(after, tail), 3);
	__mmask8 zero_first = _mm512_cmpeq_epi64_mask(_mm512_and_si512(head, all(0xff)), all('0'));
	__mmask8 short_before = _mm512_cmple_epu64_mask(before_bits, all(8)), unusual, half, nonzero;
	__mmask64 wrong;
	__m512i mantissa, bits;

	/* As many digits as fit, and no more than one leading zero, which does not count. */
	__m512i limit = _mm512_sub_epi64(all(DIGITS_MAX), _mm512_srli_epi64(before_bits, 3));
	limit = _mm512_mask_add_epi64(limit, zero_first, limit, all(1));
	unusual = (__mmask8)(_mm512_cmpge_epu64_mask(_mm512_sub_epi64(before_bits, all(8)), all(56)) |
		_mm512_cmpge_epu64_mask(_mm512_sub_epi64(after, all(1)), limit) | (zero_first & ~short_before));
	head = _mm512_xor_si512(_mm512_or_si512(_mm512_and_si512(head, below),
		_mm512_andnot_si512(below, _mm512_srli_epi64(head, 8))), all(DIGITS_ZEROS));
	head = _mm512_sllv_epi64(head, _mm512_sub_epi64(all(64), _mm512_add_epi64(before_bits, beyond_bits)));
	wrong = _mm512_cmpgt_epu8_mask(head, _mm512_set1_epi8(9));
	mantissa = tail_numbers(r, tail, &wrong);
	mantissa = _mm512_add_epi64(mantissa, _mm512_mullo_epi64(head_numbers(head),
		_mm512_permutex2var_epi64(p->tens[0], tail, p->tens[1])));
	nonzero = _mm512_test_epi64_mask(mantissa, mantissa);
	bits = nearest(p, mantissa, after, &half);
	bits = _mm512_maskz_mov_epi64(nonzero, bits);
	bits = _mm512_mask_or_epi64(bits, negative, bits, all((uint64_t)1 << 63));
	if ((wrong | unusual | (half & nonzero)) != 0)
		return 0;
	_mm512_storeu_si512(value, bits);
	return 1;
}

EIGHT void load_powers(struct powers *p)
{
	uint64_t tens[16], inverse[24] = { 0 }, inverse_low[24] = { 0 };

	memcpy(tens, digits_tens, sizeof tens);
	tens[0] = digits_tens[16];
	for (int after = 1; after <= AFTER_MAX; after++) {
		inverse[after] = digits_powers[-after - DIGITS_POWER_FIRST].high;
		inverse_low[after] = digits_powers[-after - DIGITS_POWER_FIRST].low;
	}
	for (int i = 0; i < 2; i++)
		p->tens[i] = _mm512_loadu_si512(tens + 8 * i);
	for (int i = 0; i < 3; i++) {
		p->inverse[i] = _mm512_loadu_si512(inverse + 8 * i);
		p->inverse_low[i] = _mm512_loadu_si512(inverse_low + 8 * i);
	}
}

__attribute__((target("avx512f,avx512bw,avx512dq,avx512cd,avx512vl")))
size_t numbers_eight_floats(double *value, const char *text, const struct span *span, size_t stride, size_t count)
{
	struct powers p;
	struct rows r;
	size_t i;

	load_powers(&p);
	for (i = 0; i + 8 <= count; i += 8, span += 8 * stride)
		if (!load_rows(&r, text, span, stride) || !read_floats(value + i, &r, &p))
			break;
	return i;
}

__attribute__((target("avx512f,avx512bw,avx512dq,avx512cd,avx512vl")))
size_t numbers_eight_integers(int64_t *value, const char *text, const struct span *span, size_t stride, size_t count)
{
	size_t i;

	for (i = 0; i + 8 <= count; i += 8, span += 8 * stride) {
		__mmask64 wrong = 0;
		__mmask8 negative, unusual;
		__m512i size, made, first;
		struct rows r;

		if (!load_rows(&r, text, span, stride))
			break;
		negative = _mm512_cmpeq_epi64_mask(_mm512_and_si512(r.head, all(0xff)), all('-'));
		first = _mm512_mask_srli_epi64(r.head, negative, r.head, 8);
		size = _mm512_mask_sub_epi64(r.length, negative, r.length, all(1));
		unusual = (__mmask8)(_mm512_cmpge_epu64_mask(_mm512_sub_epi64(size, all(1)), all(16)) |
			(_mm512_cmpeq_epi64_mask(_mm512_and_si512(first, all(0xff)), all('0')) &
				_mm512_cmpgt_epu64_mask(size, all(1))));
		made = tail_numbers(&r, size, &wrong);
		if ((wrong | unusual) != 0)
			break;
		_mm512_storeu_si512(value + i, _mm512_mask_sub_epi64(made, negative, _mm512_setzero_si512(), made));
	}
	return i;
}

int numbers_eight(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
	       __builtin_cpu_supports("avx512vl");
}

#else

int numbers_eight(void)
{
	return 0;
}

size_t numbers_eight_floats(double *value, const char *text, const struct span *span, size_t stride, size_t count)
{
	(void)value, (void)text, (void)span, (void)stride, (void)count;
	return 0;
}

size_t numbers_eight_integers(int64_t *value, const char *text, const struct span *span, size_t stride, size_t count)
{
	(void)value, (void)text, (void)span, (void)stride, (void)count;
	return 0;
}

#endif
