#!/usr/bin/env python3
"""docs/reference/stages.md, as the built-in stages describe themselves.

    tests/support/stages.py BUILD > docs/reference/stages.md
"""
import ctypes as C, glob, os, sys


class Port(C.Structure):
    _fields_ = [("name", C.c_char_p), ("help", C.c_char_p), ("required", C.c_int)]


class Option(C.Structure):
    _fields_ = [("key", C.c_char_p), ("type", C.c_char_p), ("value", C.c_char_p), ("help", C.c_char_p)]


class Stage(C.Structure):
    _fields_ = [("size", C.c_uint), ("name", C.c_char_p), ("version", C.c_char_p), ("help", C.c_char_p), ("deps", C.POINTER(Port)),
                ("outs", C.POINTER(Port)), ("options", C.POINTER(Option)), ("run", C.c_void_p)]


class Plugin(C.Structure):
    _fields_ = [("abi", C.c_uint), ("size", C.c_uint), ("count", C.c_uint), ("stages", C.POINTER(Stage))]


def rows(table, first):
    i = 0
    while table and getattr(table[i], first):
        yield table[i]
        i += 1


def cell(text):
    return text.decode().replace("|", "\\|")


def ports(title, table):
    found = list(rows(table, "name"))
    if found:
        print(f"| {title} | | |\n|---|---|---|")
        for p in found:
            print(f"| `{cell(p.name)}` | {'required' if p.required else ''} | {cell(p.help)} |")
        print()


print("# Built-in stages\n\nAs each describes itself; made by `tests/support/stages.py`. A table is a file as in [shards.md](shards.md).")
for library in sorted(glob.glob(f"{sys.argv[1]}/stages/flow_stage_*.so")):
    plugin = Plugin.in_dll(C.CDLL(os.path.abspath(library)), "flow_plugin_stages")
    for i in range(plugin.count):
        stage = plugin.stages[i]
        print(f"\n## {stage.name.decode()}\n\n{stage.help.decode()[0].upper() + stage.help.decode()[1:]}. Version {stage.version.decode()}.\n")
        ports("dep", stage.deps)
        ports("out", stage.outs)
        print("| `with:` | type | default | |\n|---|---|---|---|")
        for o in rows(stage.options, "key"):
            value = "required" if o.value is None else f"`{cell(o.value)}`" if o.value else ""
            print(f"| `{cell(o.key)}` | {cell(o.type)} | {value} | {cell(o.help)} |")
