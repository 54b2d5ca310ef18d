#include "store/gap.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define GRAIN ((uint64_t)65536) /* holes begin and end at blocks of the file system; none has larger ones */

bool gap_cut(int fd, uint64_t from, uint64_t end, uint64_t most)
{
	struct gap gap;
	uint64_t head, tail;

	if (end <= from || end - from <= most)
		return false;
	head = (from + most / 2 + GRAIN - 1) / GRAIN * GRAIN;
	tail = (end - most / 2) / GRAIN * GRAIN;
	if (tail <= head)
		return false;
	gap_find(fd, head, end, &gap);
	if (gap.from == head && gap.to >= tail)
		return false;
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)head, (off_t)(tail - head)) == 0;
}

void gap_find(int fd, uint64_t at, uint64_t end, struct gap *gap)
{
	off_t from = at < end ? lseek(fd, (off_t)at, SEEK_HOLE) : -1, to;

	*gap = (struct gap){ end, end };
	if (from < 0 || (uint64_t)from >= end)
		return;
	to = lseek(fd, from, SEEK_DATA);
	gap->from = (uint64_t)from;
	gap->to = to < 0 || (uint64_t)to > end ? end : (uint64_t)to;
}

unsigned gap_text(const struct gap *gap, char text[GAP_TEXT])
{
	return (unsigned)snprintf(text, GAP_TEXT, "\n[flow: %llu bytes of the log were left out here]\n",
		(unsigned long long)(gap->to - gap->from));
}
