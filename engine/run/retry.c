#include "run/retry.h"

#include "dag/graph.h"

int64_t retry_delay_ms(const struct retry *r, uint32_t number, double draw)
{
	double delay = (double)r->delay_ms;
	uint32_t i;

	for (i = 1; i < number && delay < (double)r->max_delay_ms; i++)
		delay *= r->backoff;
	if (delay > (double)r->max_delay_ms)
		delay = (double)r->max_delay_ms;
	return (int64_t)(delay * (1 - r->jitter * draw));
}

int64_t retry_scaled(int64_t value, double factor, uint32_t retries)
{
	double x = (double)value;
	uint32_t i;

	for (i = 0; i < retries && x < (double)(INT64_MAX / 4); i++)
		x *= factor;
	return x < (double)(INT64_MAX / 4) ? (int64_t)x : INT64_MAX / 4;
}

/* The shell says so: what it was to run is not there (127) or no program (126). It will not be the next time. */
static bool is_not_found(int exit_code)
{
	return exit_code == 126 || exit_code == 127;
}

static bool exit_listed(const struct retry *r, int exit_code)
{
	return exit_code >= 0 && exit_code < 256 &&
	       (r->exit_codes[exit_code / 64] >> (exit_code % 64) & 1) != 0;
}

bool retry_allows(const struct retry *r, enum outcome outcome, int exit_code, uint32_t retries,
	uint32_t losses)
{
	uint32_t want = 0;

	switch (outcome) {
	case OUTCOME_LOST: return losses < LOST_BUDGET;
	case OUTCOME_ERROR: want = is_not_found(exit_code) ? 0 : RETRY_ERROR; break;
	case OUTCOME_SIGNAL: want = RETRY_SIGNAL; break;
	case OUTCOME_TIMEOUT: want = RETRY_TIMEOUT; break;
	case OUTCOME_OOM: want = RETRY_OOM; break;
	case OUTCOME_MISSING_OUT: want = RETRY_MISSING_OUT; break;
	case OUTCOME_SUCCEEDED:
	case OUTCOME_UNSTARTABLE:
	case OUTCOME_CANCELLED: return false;
	}
	if (retries >= r->limit)
		return false;
	return (r->on & want) != 0 || (outcome == OUTCOME_ERROR && exit_listed(r, exit_code));
}
