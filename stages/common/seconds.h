/* common/seconds.h - how long something takes: the difference of two calls, whatever happens to the date meanwhile. */
#ifndef FLOW_STAGES_COMMON_SECONDS_H
#define FLOW_STAGES_COMMON_SECONDS_H

#include <time.h>

static inline double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
