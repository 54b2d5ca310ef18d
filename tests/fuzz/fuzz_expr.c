/* The input is a byte, where in a dag.yaml, and a text with ${...} in it that stands there. */
#include <stdlib.h>

#include "base/buf.h"
#include "fuzz.h"
#include "world.h"

static const char params[] =
	"params: {lr: 0.10, name: \"it's\", list: [1, two, {a: b}], sub: {a: 1, b: {c: 2}}, none: ~, empty: ''}\n"
	"env: {MODE: fast one}\n"
	"stages:\n";

/* Where @ stands, the text comes in double quotes. One stage alone: it is the loading that takes the time. */
static const char *const stages[] = {
	"  shell: {cmd: @, deps: {raw: raw/in}, outs: {model: m.bin}}\n",
	"  words: {cmd: [a, @], deps: {raw: [raw/x]}, outs: {model: w.bin}, env: {X: @}}\n",
	"  with: {uses: u, with: {v: @, l: [@, {k: @}]}, deps: [raw/y], outs: {o: u.bin}}\n",
	"  paths: {cmd: 'true', deps: [@], outs: [p.bin]}\n",
	"  each: {foreach: {one: {f: 1}, two: {f: [2]}}, cmd: @, outs: ['each/${key}']}\n",
	"  list: {foreach: [1, two], cmd: @, outs: ['list/${item}']}\n",
	"  grid: {matrix: {a: [1, 2], b: [x]}, uses: u, with: {v: @}, outs: ['grid/${item.a}']}\n",
	"  from: {foreach: @, cmd: 'true ${item}'}\n",
	"  when: {cmd: 'true', cwd: @}\n",
};

static void quote(struct buf *out, const uint8_t *data, size_t size)
{
	size_t i;

	buf_char(out, '"');
	for (i = 0; i < size; i++) {
		if (data[i] < 0x20 || data[i] == 0x7f)
			buf_printf(out, "\\x%02x", data[i]);
		else if (data[i] == '"' || data[i] == '\\')
			buf_printf(out, "\\%c", data[i]);
		else
			buf_char(out, (char)data[i]);
	}
	buf_char(out, '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = { 0 };
	struct dag_input input;
	const char *at;

	if (size == 0)
		return 0;
	buf_str(&text, params);
	for (at = stages[data[0] % (sizeof stages / sizeof stages[0])]; *at != '\0'; at++) {
		if (*at == '@')
			quote(&text, data + 1, size - 1);
		else
			buf_char(&text, *at);
	}
	input = fuzz_input(buf_text(&text), text.len);
	fuzz_load(&input);
	buf_release(&text);
	return 0;
}
