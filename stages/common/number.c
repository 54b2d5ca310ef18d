#include "common/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define POWER_FIRST (-64)
#define POWER_LAST  40
#define DIGITS_MAX  19 /* as many always fit 64 bits */

static const struct {
	uint64_t high, low;
} powers[POWER_LAST - POWER_FIRST + 1] = {
#include "common/powers.inc"
};

static const double exact_power[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
#define EXACT_POWER_MAX 22

static const uint64_t whole_power[17] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
	100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
	100000000000000, 1000000000000000, 10000000000000000 };
#define EXACT_WHOLE_MAX ((uint64_t)1 << 53)

/* mantissa * 10 to the power, and what the text said beside it. */
struct decimal {
	uint64_t mantissa;
	int64_t power;
	int negative;
	int digits; /* that count: after leading zeros */
};

#define LOW_BITS ((uint64_t)0x0101010101010101u)
#define ZEROS    (LOW_BITS * '0')
#define POINTS   (LOW_BITS * ('.' ^ '0')) /* as load() gives them */

/* Eight bytes, '0' to '9' as 0 to 9. */
static inline uint64_t load(const char *at)
{
	uint64_t bytes;

	memcpy(&bytes, at, sizeof bytes);
	return bytes ^ ZEROS;
}

/* The high bit of each of eight bytes that is no digit. */
static inline uint64_t no_digits(uint64_t bytes)
{
	return (((bytes & LOW_BITS * 0x7f) + LOW_BITS * 0x76) | bytes) & LOW_BITS * 0x80;
}

/* The first of eight bytes that is no digit; 8: all are. */
static inline unsigned digits_in(uint64_t bytes)
{
	uint64_t others = no_digits(bytes);

	return others == 0 ? 8 : (unsigned)__builtin_ctzll(others) >> 3;
}

/* Only the first `count` of eight digits, 0 to 7, with zeros before them. */
static inline uint64_t first_digits(uint64_t bytes, size_t count)
{
	return bytes << (56 - 8 * count) << 8;
}

/* Pairs, then fours, then all eight are joined by three multiplications. */
static inline uint32_t eight_digits(uint64_t bytes)
{
	const uint64_t mask = 0x000000ff000000ffu;

	bytes = bytes * 10 + (bytes >> 8);
	return (uint32_t)(((bytes & mask) * (100 + ((uint64_t)1000000 << 32)) +
				  ((bytes >> 16) & mask) * (1 + ((uint64_t)10000 << 32))) >>
			  32);
}

/* Take digits on; returns where they end. More than 19 spoil the value, which the caller sees by
 * their count. */
static const char *take_digits(const char *at, const char *end, uint64_t *value)
{
	uint64_t v = *value;

	while (end - at >= 8) {
		uint64_t bytes = load(at);
		unsigned count = digits_in(bytes);

		if (count != 8) {
			if (count != 0)
				v = v * whole_power[count] +
				    eight_digits(first_digits(bytes, count));
			*value = v;
			return at + count;
		}
		v = v * 100000000 + eight_digits(bytes);
		at += 8;
	}
	for (; at < end && (unsigned char)(*at - '0') < 10; at++)
		v = v * 10 + (uint64_t)(*at - '0');
	*value = v;
	return at;
}

static const char *take_exponent(const char *at, const char *end, int64_t *power)
{
	const char *digits;
	uint64_t value = 0;
	int negative;

	if (at == end || (*at | 0x20) != 'e')
		return at;
	at++;
	negative = at < end && *at == '-';
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	digits = at;
	at = take_digits(at, end, &value);
	if (at == digits)
		return NULL;
	if (at - digits > 9)
		value = 999999999;
	*power += negative ? -(int64_t)value : (int64_t)value;
	return at;
}

/* Digits that count: zeros before the first other one do not. */
static int count_digits(const char *at, const char *end)
{
	int count = 0;

	while (at < end && (*at == '0' || *at == '.'))
		at++;
	for (; at < end; at++)
		count += *at != '.';
	return count;
}

static int read_decimal(struct decimal *d, const char *at, const char *end)
{
	const char *first, *point, *last;

	*d = (struct decimal){ .negative = at < end && *at == '-' };
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	first = at;
	at = take_digits(at, end, &d->mantissa);
	d->digits = (int)(at - first);
	if (at < end && *at == '.') {
		point = ++at;
		at = take_digits(at, end, &d->mantissa);
		d->power = point - at;
		d->digits += (int)(at - point);
	}
	if (d->digits == 0)
		return 0;
	last = at;
	if (d->digits > DIGITS_MAX)
		d->digits = count_digits(first, last);
	if (at < end) {
		at = take_exponent(at, end, &d->power);
		return at == end;
	}
	return 1;
}

static double from_parts(uint64_t mantissa, int64_t exponent)
{
	uint64_t bits = (mantissa & (((uint64_t)1 << 52) - 1)) | (uint64_t)exponent << 52;
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

struct product {
	uint64_t high, low;
};

static struct product multiply(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 wide = (unsigned __int128)a * b;

	return (struct product){ (uint64_t)(wide >> 64), (uint64_t)wide };
}

/* The nearest double to mantissa * 10^power, for powers in the table; mantissa is not 0. */
static inline double nearest(uint64_t mantissa, int64_t power)
{
	int zeros = __builtin_clzll(mantissa), top, shift;
	uint64_t whole, high = powers[power - POWER_FIRST].high;
	struct product p, more;
	int64_t exponent;

	mantissa <<= zeros;
	p = multiply(mantissa, high);
	if ((p.high & 0x1ff) == 0x1ff) {
		more = multiply(mantissa, powers[power - POWER_FIRST].low);
		p.low += more.high;
		p.high += more.high > p.low;
	}
	top = (int)(p.high >> 63);
	shift = top + 64 - 52 - 3;
	whole = p.high >> shift;
	exponent = (((152170 + 65536) * power) >> 16) + 63 + top - zeros + 1023;
	/* Half way between two doubles, exactly: to the even one. */
	if (p.low <= 1 && power >= -4 && power <= 23 && (whole & 3) == 1 &&
		whole << shift == p.high)
		whole &= ~(uint64_t)1;
	whole += whole & 1;
	whole >>= 1;
	if (whole >= (uint64_t)2 << 52) {
		whole = (uint64_t)1 << 52;
		exponent++;
	}
	return from_parts(whole, exponent);
}

static double slow(const char *text, size_t length)
{
	char copy[NUMBER_LENGTH_MAX + 1];

	memcpy(copy, text, length);
	copy[length] = '\0';
	return strtod(copy, NULL);
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *trim(const char *text, size_t *length)
{
	while (*length > 0 && is_blank(text[0])) {
		text++;
		--*length;
	}
	while (*length > 0 && is_blank(text[*length - 1]))
		--*length;
	return text;
}

static int read_infinity(double *value, const char *text, size_t length)
{
	size_t sign = text[0] == '-' || text[0] == '+';

	if (!(length - sign == 3 && strncasecmp(text + sign, "inf", 3) == 0) &&
		!(length - sign == 8 && strncasecmp(text + sign, "infinity", 8) == 0))
		return 0;
	*value = text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
	return 1;
}

static inline double scale(uint64_t mantissa, int64_t power)
{
	double made = (double)mantissa;

	if (mantissa <= EXACT_WHOLE_MAX && power >= -EXACT_POWER_MAX && power <= EXACT_POWER_MAX)
		return power < 0 ? made / exact_power[-power] : made * exact_power[power];
	return mantissa == 0 ? 0 : nearest(mantissa, power);
}

int number_float(double *value, const char *text, size_t length)
{
	struct decimal d;
	double made;

	if (length == 0 || length > NUMBER_LENGTH_MAX)
		return 0;
	if (is_blank(text[0]) || is_blank(text[length - 1])) {
		text = trim(text, &length);
		if (length == 0)
			return 0;
	}
	if (!read_decimal(&d, text, text + length))
		return read_infinity(value, text, length);
	if (d.digits > DIGITS_MAX ||
		(d.mantissa != 0 && (d.power < POWER_FIRST || d.power > POWER_LAST))) {
		*value = slow(text, length);
		return 1;
	}
	made = scale(d.mantissa, d.power);
	*value = d.negative ? -made : made;
	return 1;
}

/* The last `count` of the sixteen bytes at a place as a number; *wrong: they are no digits. */
#ifdef __SSE2__
static inline uint64_t last_digits(const char *at, size_t count, uint64_t *wrong)
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
static inline uint64_t last_digits(const char *at, size_t count, uint64_t *wrong)
{
	uint64_t high = load(at), low = load(at + 8);

	/* Bytes that are shifted out and back are the digit 0. */
	if (count <= 8)
		high = 0;
	else
		high = high >> (64 - 8 * (count - 8)) << (64 - 8 * (count - 8));
	if (count < 8)
		low = count == 0 ? 0 : low >> (64 - 8 * count) << (64 - 8 * count);
	*wrong = no_digits(high) | no_digits(low);
	return (uint64_t)eight_digits(high) * 100000000 + eight_digits(low);
}
#endif

/* The shapes that most have: [-] digits, a point, digits; either 8 bytes at most, or 16 and more. Jumps only where one column goes
 * the same way in every row. All others go to number_float(). */
int number_float_ahead(double *value, const char *text, size_t length)
{
	size_t negative = length > 0 && text[0] == '-', size = length - negative, before, after,
	       beyond;
	uint64_t head = load(text + negative), points = head ^ POINTS, wrong = 0, low = 0;
	double made;

	points = (points - LOW_BITS) & ~points & (LOW_BITS << 7);
	if (points == 0)
		return number_float(value, text, length);
	before = (size_t)__builtin_ctzll(points) >> 3;
	after = size - before - 1;
	/* A point that lies behind the text makes `after` a huge number. */
	if (before == 0 || after == 0 || after > DIGITS_MAX - before || (size > 8 && size < 16))
		return number_float(value, text, length);
	beyond = after;
	if (size > 8) {
		low = last_digits(text + length - 16, after < 16 ? after : 16, &wrong);
		beyond = after < 16 ? 0 : after - 16;
	}
	/* The digits before the point, and those behind it that are not in `low` */
	points = ((points & -points) >> 7) - 1;
	head = first_digits((head & points) | (head >> 8 & ~points), before + beyond);
	if ((wrong | no_digits(head)) != 0)
		return number_float(value, text, length);
	made = scale(eight_digits(head) * whole_power[after - beyond] + low, -(int64_t)after);
	*value = negative ? -made : made;
	return 1;
}

int number_integer(int64_t *value, const char *text, size_t length)
{
	const char *end, *digits;
	uint64_t made = 0;
	int negative;

	if (length == 0 || length > NUMBER_LENGTH_MAX)
		return 0;
	if (is_blank(text[0]) || is_blank(text[length - 1])) {
		text = trim(text, &length);
		if (length == 0)
			return 0;
	}
	end = text + length;
	negative = text[0] == '-';
	if (text[0] == '-' || text[0] == '+')
		text++;
	for (digits = text; end - text > DIGITS_MAX && *text == '0'; text++)
		;
	if (end == digits || end - text > DIGITS_MAX || take_digits(text, end, &made) != end)
		return 0;
	if (made > (uint64_t)INT64_MAX + (uint64_t)negative)
		return 0;
	*value = negative ? (int64_t)(0 - made) : (int64_t)made;
	return 1;
}

int number_integer_ahead(int64_t *value, const char *text, size_t length)
{
	size_t negative = length > 0 && text[0] == '-', digits = length - negative;
	uint64_t bytes = load(text + negative);

	if (digits == 0 || digits > 8)
		return number_integer(value, text, length);
	if (digits < 8)
		bytes = first_digits(bytes, digits);
	if (no_digits(bytes) != 0)
		return number_integer(value, text, length);
	*value = negative ? -(int64_t)eight_digits(bytes) : (int64_t)eight_digits(bytes);
	return 1;
}

int number_boolean(uint8_t *value, const char *text, size_t length)
{
	static const char *const words[2][3] = { { "false", "False", "FALSE" },
		{ "true", "True", "TRUE" } };

	for (unsigned v = 0; v < 2; v++) {
		for (unsigned i = 0; i < 3; i++) {
			if (length == strlen(words[v][i]) &&
				memcmp(text, words[v][i], length) == 0) {
				*value = (uint8_t)v;
				return 1;
			}
		}
	}
	return 0;
}

/* `count` digits at a place; -1: there are other things. */
static int fixed(const char *text, size_t length, size_t at, size_t count)
{
	int value = 0;

	if (at + count > length)
		return -1;
	for (size_t i = at; i < at + count; i++) {
		if ((unsigned char)(text[i] - '0') >= 10)
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

/* Days from 1970-01-01, of the Gregorian calendar; -1 in *ok: there is no such day. */
static int64_t days_of(int year, int month, int day, int *ok)
{
	static const int month_days[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t y = month <= 2 ? year - 1 : year, era, of_era, of_year;

	*ok = month >= 1 && month <= 12 && day >= 1 && day <= month_days[month - 1] &&
	      (month != 2 || day <= 28 + leap) && year >= 1;
	if (!*ok)
		return 0;
	era = y / 400;
	of_era = y - era * 400;
	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* .f to .fffffff...: microseconds; what is finer is cut off. */
static size_t take_fraction(const char *text, size_t length, size_t at, int64_t *micro)
{
	int64_t unit = 100000;

	if (at >= length || text[at] != '.')
		return at;
	for (at++; at < length && (unsigned char)(text[at] - '0') < 10; at++) {
		*micro += unit * (text[at] - '0');
		unit /= 10;
	}
	return at;
}

/* Z, +HH:MM, +HHMM or nothing to the end. */
static int take_zone(const char *text, size_t length, size_t at, int64_t *seconds)
{
	int hours, minutes, sign;

	if (at == length)
		return 1;
	if (text[at] == 'Z')
		return at + 1 == length;
	if (text[at] != '+' && text[at] != '-')
		return 0;
	sign = text[at] == '-' ? -1 : 1;
	hours = fixed(text, length, at + 1, 2);
	at += at + 3 < length && text[at + 3] == ':' ? 4 : 3;
	minutes = fixed(text, length, at, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || at + 2 != length)
		return 0;
	*seconds -= sign * (hours * 3600 + minutes * 60);
	return 1;
}

int number_time(int64_t *value, const char *text, size_t length)
{
	int64_t seconds, micro = 0;
	int ok, hour, minute, second = 0;
	size_t at = 16;

	if (length < 10 || length > 40 || text[4] != '-' || text[7] != '-')
		return 0;
	seconds = 86400 * days_of(fixed(text, length, 0, 4), fixed(text, length, 5, 2),
				  fixed(text, length, 8, 2), &ok);
	if (!ok)
		return 0;
	if (length > 10) {
		hour = fixed(text, length, 11, 2);
		minute = fixed(text, length, 14, 2);
		if ((text[10] != 'T' && text[10] != ' ') || length < 16 || text[13] != ':' ||
			hour < 0 || hour > 23 || minute < 0 || minute > 59)
			return 0;
		if (at < length && text[at] == ':') {
			second = fixed(text, length, 17, 2);
			at = take_fraction(text, length, 19, &micro);
		}
		if (second < 0 || second > 59 || !take_zone(text, length, at, &seconds))
			return 0;
		seconds += hour * 3600 + minute * 60 + second;
	}
	*value = seconds * 1000000 + micro;
	return 1;
}
