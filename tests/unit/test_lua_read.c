#include "support/zoo/client.h"

static struct wire_ended script(struct client *c, const char *text)
{
	struct wire_start s = client_task(c, WIRE_LUA);

	client_clear(c);
	s.text = text;
	s.entry = "dag.yaml:12";
	return client_run(c, &s);
}

/* The body of run(ctx). */
static struct wire_ended body(struct client *c, const char *text)
{
	char whole[8192];

	(void)snprintf(whole, sizeof whole, "return { run = function(ctx) %s end }", text);
	return script(c, whole);
}

static void assert_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("`%s` is not in:\n%s", part, text);
}

static void succeeds(struct client *c, const char *text, const char *log)
{
	struct wire_ended ended = body(c, text);

	if (ended.end != END_EXIT || ended.value != 0)
		fail_msg("`%s` ended with %u/%u: %s", text, ended.end, ended.value, client_log(c));
	assert_in(client_log(c), log);
	assert_in(client_report(c), "{\"end\":0}\n");
}

static void fails(struct client *c, const char *text, const char *why)
{
	struct wire_ended ended = body(c, text);

	if (ended.end != END_EXIT || ended.value != 1)
		fail_msg("`%s` ended with %u/%u: %s", text, ended.end, ended.value, client_log(c));
	assert_in(client_report(c), "{\"fail\":");
	assert_in(client_report(c), why);
	assert_null(strstr(client_report(c), "\"end\""));
}

static void put_file(struct client *c, const char *name, const void *data, size_t len)
{
	char path[CLIENT_PATH];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/%s", c->dir, name);
	assert_int_equal(file_write_atomic(AT_FDCWD, path, data, len, 0600, &e), 0);
}

/* Run a body with one dep `x` at that path. */
static void reads(
	struct client *c, const char *path, const char *text, uint32_t value, const char *log)
{
	struct wire_start s = client_task(c, WIRE_LUA);
	struct wire_pair dep = { "x", path };
	char whole[4096];

	client_clear(c);
	(void)snprintf(whole, sizeof whole, "return { run = function(ctx) %s end }", text);
	s.text = whole;
	s.deps.items = &dep;
	s.deps.count = 1;
	if (client_run(c, &s).value != value)
		fail_msg("%s: %s", text, client_log(c));
	assert_in(client_log(c), log);
}

static void csv_is_read_and_written(void **state)
{
	static const char csv[] = "\xEF\xBB\xBF"
				  "name,age\r\n\"a,\"\"b\"\"\nc\",3\r\n\nd,\n";
	static const struct wire_pair outs[] = { { "y", "y.csv" } };
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);
	struct wire_pair dep = { "x", "x.csv" };

	put_file(c, "x.csv", csv, sizeof csv - 1);
	reads(c, "x.csv",
		"local t = ctx:read('x') print(#t, t.columns[2], t[1].name, t[2].age == '')", 0,
		"2\tage\ta,\"b\"\nc\ttrue\n");
	client_clear(c);
	s.text = "return { run = function(ctx) ctx:write('y', ctx:read('x')) end }";
	s.deps.items = &dep;
	s.deps.count = 1;
	s.outs.items = outs;
	s.outs.count = 1;
	assert_int_equal(client_run(c, &s).value, 0);
	assert_string_equal(client_text(c, "y.csv"), "name,age\n\"a,\"\"b\"\"\nc\",3\nd,\n");
	put_file(c, "x.csv", "a,b\n1\n", 6);
	reads(c, "x.csv", "ctx:read('x')", 1, "x.csv:2: 1 fields, the header has 2");
	put_file(c, "x.csv", "a,b\n1,2,3\n", 10);
	reads(c, "x.csv", "ctx:read('x')", 1, "x.csv:2: more fields than the header's 2");
	put_file(c, "x.csv", "a\n\"1\n", 5);
	reads(c, "x.csv", "ctx:read('x')", 1, "x.csv:2: a quote is not closed");
}

static void json_is_read(void **state)
{
	struct client *c = *state;

	put_file(c, "x.json", "{\"a\":[1,2.5,null,\"\\u00e9\"],\"n\":9007199254740993}", 48);
	reads(c, "x.json", "local t = ctx:read('x') print(t.n, #t.a, t.a[3] == json.null, t.a[4])",
		0, "9007199254740993\t4\ttrue\t\xC3\xA9\n");
	put_file(c, "x.json", "{\n \"a\": }", 9);
	reads(c, "x.json", "ctx:read('x')", 1, "x.json:2:");
}

static void npy_is_read(void **state)
{
	static const char head[] =
		"\x93NUMPY\x01\x00\x46\x00"
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }          \n";
	struct client *c = *state;
	float values[4] = { 1.5f, -2.0f, 0.0f, 4.0f };
	struct buf b = { 0 };

	buf_add(&b, head, sizeof head - 1);
	assert_int_equal(b.len, 80);
	buf_add(&b, values, sizeof values);
	put_file(c, "x.npy", b.data, b.len);
	reads(c, "x.npy", "local t = ctx:read('x') print(#t, t[1], t.data[2], t.shape[2], t.dtype)",
		0, "4\t1.5\t-2.0\t2\t<f4\n");
	put_file(c, "x.npy", b.data, b.len - 1);
	reads(c, "x.npy", "ctx:read('x')", 1, "its header and its length do not agree");
	put_file(c, "x.npy", b.data, 40);
	reads(c, "x.npy", "ctx:read('x')", 1, "not an NPY file");
	buf_release(&b);
}

static void idx_and_bytes_are_read(void **state)
{
	static const char idx[] = "\0\0\x08\x02\0\0\0\x02\0\0\0\x03\x01\x02\x02\x03\x03\x03";
	struct client *c = *state;

	put_file(c, "t-idx2-ubyte", idx, sizeof idx - 1);
	reads(c, "t-idx2-ubyte",
		"local t = ctx:read('x') local h = bytes.histogram(t.data)\n"
		"print(t.dims[1], t.dims[2], t.type, #t.data, h[3], h[0], bytes.sum(t.data), "
		"bytes.slice(t.data, 2, 3) == '\\2\\2')",
		0, "2\t3\tu8\t6\t3\t0\t14\ttrue\n");
	put_file(c, "t-idx2-ubyte", idx, sizeof idx - 2);
	reads(c, "t-idx2-ubyte", "ctx:read('x')", 1, "its header and its length do not agree");
	succeeds(c, "print(bytes.u32be('\\0\\1\\2\\3\\4', 2))", "16909060\n");
	fails(c, "bytes.u32be('abcd', 2)", "position 2 is outside of the 4 bytes");
	succeeds(c, "print(bytes.sum('abc', -2), bytes.sum('abc', 5), #bytes.slice('abc', 0, 99))",
		"197\t0\t3\n");
}

static void text_and_lines_are_read(void **state)
{
	struct client *c = *state;

	put_file(c, "x.txt", "one\r\ntwo\n\nlast", 14);
	reads(c, "x.txt", "print(#ctx:read('x'))", 0, "14\n");
	reads(c, "x.txt", "for line in ctx:lines('x') do print('[' .. line .. ']') end", 0,
		"[one]\n[two]\n[]\n[last]\n");
	reads(c, "work", "ctx:read('x')", 1, "is a folder");
	reads(c, "absent", "ctx:read('x')", 1, "cannot read `x`: ");
	reads(c, "absent", "ctx:lines('x')", 1, "cannot read `x`: absent: No such file");
	reads(c, "x.txt", "print(ctx:input('x'))", 0, "x.txt\n");
}

static void json_encodes(void **state)
{
	struct client *c = *state;

	succeeds(c, "print(json.encode({b = 1, a = {1, 'x', true}, [5] = 0.1}))",
		"{\"5\":0.1,\"a\":[1,\"x\",true],\"b\":1}\n");
	succeeds(c,
		"print(json.encode({}), json.encode(json.array()), json.encode('a\"\\n\\0\\xff'))",
		"{}\t[]\t\"a\\\"\\n\\u0000\xEF\xBF\xBD\"\n");
	succeeds(c, "print(json.encode(json.decode('[[],{},[1]]')))", "[[],{},[1]]\n");
	succeeds(c, "print(json.encode(0/0), json.encode(1e300), json.encode(1 << 62))",
		"null\t1e+300\t4611686018427387904\n");
	fails(c, "local t = {} t.t = t json.encode(t)", "nested too deep, or holds itself");
	fails(c, "json.encode({print})",
		"a function, thread or userdata cannot be written as JSON");
	fails(c, "json.decode('{')", "json:1:");
	succeeds(c, "for k, v in sorted_pairs({b = 1, a = 2, [2] = 3, [1] = 4}) do print(k, v) end",
		"1\t4\n2\t3\na\t2\nb\t1\n");
}

int main(void)
{
#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, client_setup, client_teardown)
	const struct CMUnitTest tests[] = {
		WITH_WORKER(csv_is_read_and_written),
		WITH_WORKER(json_is_read),
		WITH_WORKER(npy_is_read),
		WITH_WORKER(idx_and_bytes_are_read),
		WITH_WORKER(text_and_lines_are_read),
		WITH_WORKER(json_encodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
