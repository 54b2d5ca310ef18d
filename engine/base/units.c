#include "base/units.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

struct unit {
	const char *name;
	uint64_t value;
};

static const struct unit durations[] = {
	{ "d", 24ull * 3600 * 1000 },
	{ "h", 3600ull * 1000 },
	{ "m", 60ull * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "T", 1ull << 40 },
	{ "G", 1ull << 30 },
	{ "M", 1ull << 20 },
	{ "K", 1ull << 10 },
	{ "B", 1 },
	{ NULL, 0 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal number at *p, as thousandths so that 1.5 is exact. false: there is none, or it is
 * too large. */
static bool read_number(const char **p, uint64_t *thousandths)
{
	uint64_t whole = 0, part = 0, scale = 1000;
	const char *s = *p;

	if (!is_digit(*s))
		return false;
	for (; is_digit(*s); s++) {
		whole = whole * 10 + (uint64_t)(*s - '0');
		if (whole > 1ull << 61)
			return false;
	}
	if (*s == '.' && is_digit(s[1])) {
		for (s++; is_digit(*s); s++) {
			scale /= 10;
			part += (uint64_t)(*s - '0') * scale;
		}
	}
	*p = s;
	if (whole > (UINT64_MAX - part) / 1000)
		return false;
	*thousandths = whole * 1000 + part;
	return true;
}

static const struct unit *read_unit(const char **p, const struct unit *units)
{
	size_t n = strspn(*p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (; units->name != NULL; units++)
		if (strlen(units->name) == n && strncmp(*p, units->name, n) == 0)
			break;
	*p += n;
	return units->name != NULL ? units : NULL;
}

/* thousandths * unit / 1000, or false when it is over `most`. */
static bool scaled(uint64_t thousandths, uint64_t unit, uint64_t most, uint64_t *out)
{
	uint64_t whole = thousandths / 1000, part = thousandths % 1000;

	if (whole > most / unit)
		return false;
	*out = whole * unit + part * unit / 1000;
	return *out <= most;
}

int duration_parse(int64_t *ms, const char *text, struct err *e)
{
	uint64_t number, part, sum = 0;
	const struct unit *unit, *last = NULL;
	const char *p = text;

	do {
		if (!read_number(&p, &number))
			return err_set(e, ERR_INPUT,
				"`%.60s` is not a duration; write 250ms, 30s, 10m, 2h or 1d", text);
		if (*p == '\0')
			return err_set(e, ERR_INPUT,
				"`%.60s` has no unit; write %.60ss, %.60sm or %.60sh", text, text,
				text, text);
		unit = read_unit(&p, durations);
		if (unit == NULL || (last != NULL && unit <= last))
			return err_set(e, ERR_INPUT,
				"`%.60s` is not a duration; units are ms, s, m, h and d", text);
		if (!scaled(number, unit->value, DURATION_MAX_MS, &part) ||
			(sum += part) > DURATION_MAX_MS)
			return err_set(e, ERR_INPUT, "`%.60s` is over the limit of 3650d", text);
		last = unit;
	} while (*p != '\0');
	*ms = (int64_t)sum;
	return 0;
}

int size_parse(uint64_t *bytes, const char *text, struct err *e)
{
	const struct unit *unit;
	const char *p = text;
	uint64_t number;

	if (!read_number(&p, &number))
		return err_set(
			e, ERR_INPUT, "`%.60s` is not a size; write 64K, 512M or 1.5G", text);
	if (*p == '\0')
		return err_set(e, ERR_INPUT, "`%.60s` has no unit; write %.60sM or %.60sG", text,
			text, text);
	unit = read_unit(&p, sizes);
	if (unit == NULL || *p != '\0')
		return err_set(e, ERR_INPUT,
			"`%.60s` is not a size; units are B, K, M, G and T (powers of 1024)", text);
	if (!scaled(number, unit->value, SIZE_MAX_BYTES, bytes))
		return err_set(e, ERR_INPUT, "`%.60s` is over the limit of 1048576T", text);
	return 0;
}

const char *duration_text(int64_t ms, char text[UNITS_TEXT])
{
	uint64_t left = ms > 0 ? (uint64_t)ms : 0;
	const struct unit *unit;
	size_t used = 0;

	text[0] = '\0';
	for (unit = durations; unit->name != NULL; unit++) {
		uint64_t count = left / unit->value;

		if (count == 0)
			continue;
		used += (size_t)snprintf(text + used, UNITS_TEXT - used, "%llu%s",
			(unsigned long long)count, unit->name);
		left -= count * unit->value;
	}
	if (used == 0)
		memcpy(text, "0s", 3);
	return text;
}

const char *size_text(uint64_t bytes, char text[UNITS_TEXT])
{
	const struct unit *unit = sizes;
	uint64_t tenths;

	while (unit->value > 1 && bytes < unit->value)
		unit++;
	tenths = bytes / unit->value * 10 + bytes % unit->value * 10 / unit->value;
	if (tenths % 10 == 0 || unit->value == 1)
		(void)snprintf(
			text, UNITS_TEXT, "%llu%s", (unsigned long long)(tenths / 10), unit->name);
	else
		(void)snprintf(text, UNITS_TEXT, "%llu.%llu%s", (unsigned long long)(tenths / 10),
			(unsigned long long)(tenths % 10), unit->name);
	return text;
}
