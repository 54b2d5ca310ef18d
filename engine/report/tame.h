/*
 * report/tame.h - the bytes of a log, made harmless for a terminal.
 *
 *     struct tamer t = { 0 };  tame(&t, &out, data, len);  ...the next piece...
 *
 * Colours (`ESC [ ... m`), text, tabs and line ends stay; a lone carriage return, as progress bars write it, ends a line. Whatever else
 * could move the cursor, write to the title or clipboard, or turn the direction of text shows up as `?`. An escape sequence or a character
 * may begin in one piece and end in the next.
 */
#ifndef FLOW_REPORT_TAME_H
#define FLOW_REPORT_TAME_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

struct tamer {
	char held[32];       /* of what has begun: an escape sequence or a character of several bytes */
	size_t count;
	bool was_return;
};

void tame(struct tamer *t, struct buf *out, const char *data, size_t len);

#endif
