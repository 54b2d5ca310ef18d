"""Runs a built-in stage by itself, without flow: its plugin is loaded into a child of this process.

    seconds = stage.run("build/stages/flow_stage_table.so", deps={"data": "x.csv"}, outs={"table": "x.shard"}, options={"threads": 1})

Returns the CPU seconds of run() alone, loading left out.
"""
import ctypes, json, os, time

C = ctypes
FIELDS = "fail dep out dep_name out_name has number integer boolean text json param failed metric progress log seed cancelled tmpdir checkpoint threads".split()
KINDS = {
    "fail": C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_char_p), "dep": C.CFUNCTYPE(C.c_void_p, C.c_void_p, C.c_char_p),
    "dep_name": C.CFUNCTYPE(C.c_void_p, C.c_void_p, C.c_uint), "has": C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_char_p),
    "number": C.CFUNCTYPE(C.c_double, C.c_void_p, C.c_char_p, C.c_double, C.c_double, C.c_double),
    "integer": C.CFUNCTYPE(C.c_long, C.c_void_p, C.c_char_p, C.c_long, C.c_long, C.c_long),
    "boolean": C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_char_p, C.c_int), "text": C.CFUNCTYPE(C.c_void_p, C.c_void_p, C.c_char_p, C.c_void_p),
    "failed": C.CFUNCTYPE(C.c_int, C.c_void_p), "metric": C.CFUNCTYPE(None, C.c_void_p, C.c_char_p, C.c_double, C.c_long),
    "progress": C.CFUNCTYPE(None, C.c_void_p, C.c_double, C.c_double, C.c_char_p), "log": C.CFUNCTYPE(None, C.c_void_p, C.c_char_p),
    "seed": C.CFUNCTYPE(C.c_ulong, C.c_void_p), "tmpdir": C.CFUNCTYPE(C.c_void_p, C.c_void_p), "threads": C.CFUNCTYPE(C.c_uint, C.c_void_p),
}
SAME = {"out": "dep", "out_name": "dep_name", "json": "dep", "param": "dep", "cancelled": "failed", "checkpoint": "tmpdir"}


class Host(C.Structure):
    _fields_ = [("abi", C.c_uint), ("size", C.c_uint)] + [(f, KINDS[SAME.get(f, f)]) for f in FIELDS]


class Stage(C.Structure):
    _fields_ = [("size", C.c_uint), ("name", C.c_char_p), ("version", C.c_char_p), ("help", C.c_char_p), ("deps", C.c_void_p),
                ("outs", C.c_void_p), ("options", C.c_void_p), ("run", C.CFUNCTYPE(C.c_int, C.POINTER(Host), C.c_void_p))]


class Plugin(C.Structure):
    _fields_ = [("abi", C.c_uint), ("size", C.c_uint), ("count", C.c_uint), ("stages", C.POINTER(Stage))]


def call(library, deps, outs, options, threads):
    kept, failure = {}, []

    def text(value):
        if value is None:
            return None
        kept[value] = C.create_string_buffer(value.encode())
        return C.addressof(kept[value])

    def fail(_, why):
        failure.append(why.decode())
        return -1

    value = lambda key, fallback: options.get(key.decode(), fallback)
    names = lambda ports: lambda _, i: text(list(ports)[i] if i < len(ports) else None)
    made = {
        "fail": fail, "dep": lambda _, n: text(deps.get(n.decode())), "out": lambda _, n: text(outs.get(n.decode())),
        "dep_name": names(deps), "out_name": names(outs), "has": lambda _, k: k.decode() in options,
        "number": lambda _, k, f, a, b: value(k, f), "integer": lambda _, k, f, a, b: value(k, f), "boolean": lambda _, k, f: value(k, f),
        "text": lambda _, k, f: text(options[k.decode()]) if k.decode() in options else f,
        "json": lambda _, k: text(json.dumps(options[k.decode()])) if k.decode() in options else None,
        "param": lambda _, k: None, "failed": lambda _: int(bool(failure)), "metric": lambda *_: None, "progress": lambda *_: None,
        "log": lambda *_: None, "seed": lambda _: 1, "cancelled": lambda _: 0, "tmpdir": lambda _: text("/tmp"),
        "checkpoint": lambda _: None, "threads": lambda _: threads,
    }
    host = Host(1, C.sizeof(Host), *[KINDS[SAME.get(f, f)](made[f]) for f in FIELDS])
    plugin = Plugin.in_dll(C.CDLL(os.path.abspath(library)), "flow_plugin_stages")
    start = time.process_time()
    rc = plugin.stages[0].run(C.byref(host), None)
    seconds = time.process_time() - start
    if rc != 0:
        raise SystemExit(f"{library}: {failure}")
    return seconds


def in_child(work):
    """What work() returns, anything that JSON can say, done in a process of its own."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, json.dumps(work()).encode())
        except BaseException as e:
            print(e, flush=True)
            os._exit(1)
        os._exit(0)
    os.close(writer)
    data = os.read(reader, 4096)
    os.close(reader)
    if os.waitpid(pid, 0)[1] != 0:
        raise SystemExit("the child failed")
    return json.loads(data)


def run(library, deps, outs, options=None, threads=1):
    return in_child(lambda: call(library, deps, outs, options or {}, threads))
