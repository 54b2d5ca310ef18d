#!/usr/bin/env python3
"""docs/reference/stages.md, as the built-in stages describe themselves.

    tests/support/stages.py BUILD > docs/reference/stages.md
"""
import json, os, subprocess, sys

environment = {k: v for k, v in os.environ.items() if k != "FLOW_STAGE_PATH"}
said = subprocess.run([f"{sys.argv[1]}/flow", "stage", "describe", "--json"], capture_output=True, check=True, env=environment).stdout


def cell(text):
    return text.replace("|", "\\|")


def ports(title, table):
    if table:
        print(f"| {title} | | |\n|---|---|---|")
        for p in table:
            print(f"| `{cell(p['name'])}` | {'required' if p['required'] else ''} | {cell(p['help'])} |")
        print()


def kind(option):
    low, high = option.get("min"), option.get("max")
    between = f" {low:.12g} to {high:.12g}" if low is not None and high is not None else f" from {low:.12g}" if low is not None \
        else f" to {high:.12g}" if high is not None else ""
    return cell(option["type"] + between)


print("# Built-in stages\n\nAs each describes itself: `flow stage describe` prints the same. A table is a file as in [shards.md](shards.md).")
for stage in json.loads(said)["stages"]:
    print(f"\n## {stage['name']}\n\n{stage['help'][0].upper() + stage['help'][1:]}. Version {stage['version']}.\n")
    ports("dep", stage["deps"])
    ports("out", stage["outs"])
    print("| `with:` | type | default | |\n|---|---|---|---|")
    for o in stage["options"]:
        value = "required" if o["default"] is None else f"`{cell(o['default'])}`" if o["default"] else ""
        print(f"| `{cell(o['key'])}` | {kind(o)} | {value} | {cell(o['help'])} |")
