#include "common/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/digits.h"

const struct digits_power digits_powers[DIGITS_POWER_LAST - DIGITS_POWER_FIRST + 1] = {
#include "common/powers.inc"
};

const uint64_t digits_tens[17] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
	1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
	1000000000000000, 10000000000000000 };

/* mantissa * 10 to the power, and what the text said beside it. */
struct decimal {
	uint64_t mantissa;
	int64_t power;
	int negative;
	int digits; /* that count: after leading zeros */
};

/* The first of eight bytes that is no digit; 8: all are. */
static inline unsigned digits_in(uint64_t bytes)
{
	uint64_t others = digits_others(bytes);

	return others == 0 ? 8 : (unsigned)__builtin_ctzll(others) >> 3;
}

/* Take digits on; returns where they end. More than 19 spoil the value, which the caller sees by
 * their count. */
static const char *take_digits(const char *at, const char *end, uint64_t *value)
{
	uint64_t v = *value;

	while (end - at >= 8) {
		uint64_t bytes = digits_load(at);
		unsigned count = digits_in(bytes);

		if (count != 8) {
			if (count != 0)
				v = v * digits_tens[count] +
				    digits_eight(digits_first(bytes, count));
			*value = v;
			return at + count;
		}
		v = v * 100000000 + digits_eight(bytes);
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

static double scale(uint64_t mantissa, int64_t power)
{
	uint64_t bits = mantissa == 0 ? 0 : digits_nearest(mantissa, power);
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
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
		(d.mantissa != 0 && (d.power < DIGITS_POWER_FIRST || d.power > DIGITS_POWER_LAST))) {
		*value = slow(text, length);
		return 1;
	}
	made = scale(d.mantissa, d.power);
	*value = d.negative ? -made : made;
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
