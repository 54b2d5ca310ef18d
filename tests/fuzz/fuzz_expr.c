/* The input is a text with ${...} in it, wherever a dag.yaml may have one. */
#include <stdlib.h>

#include "base/buf.h"
#include "fuzz.h"
#include "world.h"

static const char params[] =
	"params: {lr: 0.10, name: \"it's\", list: [1, two, {a: b}], sub: {a: 1, b: {c: 2}}, none: ~, empty: ''}\n"
	"env: {MODE: fast one}\n"
	"stages:\n";

/* Where @ stands, the text comes in double quotes. A fault in one stage does not hide those of another. */
static const char stages[] =
	"  shell: {cmd: @, deps: {raw: raw/in}, outs: {model: m.bin}}\n"
	"  words: {cmd: [a, @], deps: {raw: [raw/x]}, outs: {model: w.bin}, env: {X: @}}\n"
	"  with: {uses: u, with: {v: @, l: [@, {k: @}]}, deps: [raw/y], outs: {o: u.bin}}\n"
	"  paths: {cmd: 'true', deps: [@], outs: [p.bin]}\n"
	"  each: {foreach: {one: {f: 1}, two: {f: [2]}}, cmd: @, outs: ['each/${key}']}\n"
	"  list: {foreach: [1, two], cmd: @, outs: ['list/${item}']}\n"
	"  grid: {matrix: {a: [1, 2], b: [x]}, uses: u, with: {v: @}, outs: ['grid/${item.a}']}\n"
	"  from: {foreach: @, cmd: 'true ${item}'}\n"
	"  when: {cmd: 'true', cwd: @}\n";

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

/* One stage alone, so that what is right in it is looked at although it is wrong elsewhere. */
static const char *load_stage(const char *line, const uint8_t *data, size_t size)
{
	struct buf text = { 0 };
	struct dag_input input;

	buf_str(&text, params);
	for (; *line != '\n'; line++) {
		if (*line == '@')
			quote(&text, data, size);
		else
			buf_char(&text, *line);
	}
	buf_char(&text, '\n');
	input = fuzz_input(buf_text(&text), text.len);
	fuzz_load(&input);
	buf_release(&text);
	return line + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = stages;

	while (*line != '\0')
		line = load_stage(line, data, size);
	return 0;
}
