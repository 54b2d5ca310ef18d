/*
 * store/gap.h - a log that grew too long keeps its first part and its last; what was between is given back to the disk.
 *
 *     if (gap_cut(fd, from, end, most)) ...          while it is written, again and again, and at its end
 *     gap_find(fd, at, end, &gap)                    the first gap from `at` on
 *     gap_text(&gap, text)                           the line that stands for it
 *
 * The gap is a hole in the file: whoever writes appends and is neither stopped nor slowed down, places in the file stay what they are,
 * and nothing has to be recorded that a crash could lose. A file system without holes keeps all.
 */
#ifndef FLOW_STORE_GAP_H
#define FLOW_STORE_GAP_H

#include <stdbool.h>
#include <stdint.h>

#define GAP_TEXT 80

struct gap {
	uint64_t from, to; /* both the end that was given when there is none */
};

/* Of the bytes [from, end) about the first and the last half of `most` stay, at least. Is more gone than before? */
bool gap_cut(int fd, uint64_t from, uint64_t end, uint64_t most);
void gap_find(int fd, uint64_t at, uint64_t end, struct gap *gap);
unsigned gap_text(const struct gap *gap, char text[GAP_TEXT]); /* its length */

#endif
