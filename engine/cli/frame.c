#include "cli/frame.h"

#include <string.h>

#include "base/err.h"
#include "cli/screen.h"

#define SYNC_BEGIN "\033[?2026h" /* terminals that know it show a frame at once */
#define SYNC_END   "\033[?2026l"

static bool is_same(const struct frame *f, const struct block *b, unsigned columns)
{
	if (f->block.count == 0 || b->count == 0)
		return f->block.count == b->count;
	return f->columns == columns && f->block.text.len == b->text.len &&
	       memcmp(buf_text(&f->block.text), buf_text(&b->text), b->text.len) == 0;
}

/* Take the last frame away. The terminal may have become narrower: then its lines take more rows than they did. */
static void erase(struct frame *f, struct screen *o)
{
	unsigned rows = block_rows(&f->block, o->columns);

	/* Line by line: some terminals keep a screen that is cleared at once in their history. */
	if (rows > 0)
		screen_str(o, "\r\033[K");
	for (; rows > 1; rows--)
		screen_str(o, "\033[A\033[K");
}

void frame_draw(struct frame *f, struct screen *o, const char *text, size_t len, struct block *next, bool again)
{
	struct err e;

	if (len == 0 && !again && is_same(f, next, o->columns)) {
		block_release(next);
		return;
	}
	screen_str(o, SYNC_BEGIN);
	if (!again)
		erase(f, o);
	buf_add(&o->text, text, len);
	buf_add(&o->text, buf_text(&next->text), next->text.len);
	screen_str(o, SYNC_END);
	(void)screen_flush(o, &e);
	block_release(&f->block);
	f->block = *next;
	f->columns = o->columns;
}
