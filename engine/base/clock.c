#include "base/clock.h"
#include "base/failpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t now_ns(clockid_t which)
{
	struct timespec t;

	if (clock_gettime(which, &t) < 0)
		abort();
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + FAILPOINT_SHIFT_NS(which);
}

int64_t clock_wall_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

int64_t clock_wall_ms(void)
{
	return clock_wall_ns() / 1000000;
}

int64_t clock_mono_ns(void)
{
	return now_ns(CLOCK_BOOTTIME);
}

int64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}

const char *time_text(int64_t wall_ms, char text[32])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	size_t n;

	if (gmtime_r(&seconds, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, 32 - n, ".%03dZ", (int)(wall_ms % 1000));
	return text;
}

const char *took_text(int64_t ms, char text[32])
{
	if (ms < 0)
		(void)snprintf(text, 32, "-");
	else if (ms < 1000)
		(void)snprintf(text, 32, "%d ms", (int)ms);
	else if (ms < 60000)
		(void)snprintf(text, 32, "%.1fs", (double)(ms / 100) / 10);
	else if (ms < 3600000)
		(void)snprintf(text, 32, "%dm%02ds", (int)(ms / 60000), (int)(ms / 1000 % 60));
	else
		(void)snprintf(
			text, 32, "%lldh%02dm", (long long)(ms / 3600000), (int)(ms / 60000 % 60));
	return text;
}

const char *ago_text(int64_t then_ms, int64_t now_ms, char text[32])
{
	int64_t s = now_ms / 1000 - then_ms / 1000;

	if (s < 5)
		(void)snprintf(text, 32, "just now");
	else if (s < 60)
		(void)snprintf(text, 32, "%d s ago", (int)s);
	else if (s < 3600)
		(void)snprintf(text, 32, "%d min ago", (int)(s / 60));
	else if (s < 48 * 3600)
		(void)snprintf(text, 32, "%d h ago", (int)(s / 3600));
	else
		(void)snprintf(text, 32, "%lld days ago", (long long)(s / 86400));
	return text;
}

void uuid7(int64_t wall_ms, char text[37])
{
	unsigned char b[16];
	int i;

	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		abort();
	for (i = 0; i < 6; i++)
		b[i] = (unsigned char)(wall_ms >> (40 - 8 * i));
	b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	(void)snprintf(text, 37,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}
