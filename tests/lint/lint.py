#!/usr/bin/env python3
"""What the compiler does not check.

    lint.py layers | headers | words | sizes | options | symbols BUILD | failpoints BUILD | docs BUILD
"""
import glob, os, re, shutil, subprocess, sys

root = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
os.chdir(root)
faults = []


def fault(place, text):
    faults.append(f"{place}: {text}")


def sources(pattern="engine/**/*.[ch]"):
    return sorted(glob.glob(pattern, recursive=True))


def code_of(path):
    """The text without comments and strings, lines kept."""
    text = open(path, encoding="utf-8").read()
    keep = lambda m: re.sub(r"[^\n]", " ", m[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(\\.|[^"\\\n])*"', keep, text, flags=re.S)


# What a stage may include beside <flow/plugin.h>, its own and the C library.
SYSTEM = ("sys/", "arpa/", "netinet/")
LIBRARIES = {"stages/fetch/": ("curl/curl.h", "openssl/evp.h"), "stages/trees/": ("xgboost/c_api.h",)}


def layers():
    """Includes point down, and go round in no circle; stages see the public header only."""
    order = [line for line in open("engine/LAYERS") if line.strip() and not line.startswith("#")][0].split()
    included = {}
    for path in sources():
        layer = path.split("/")[1]
        if layer == "include":
            continue
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            found = re.match(r'\s*#\s*include\s+"(\w+)/([^"]+)"', line)
            if not found:
                continue
            if found[1] not in order or order.index(found[1]) > order.index(layer):
                fault(f"{path}:{number}", f"layer {layer} may not include {found[1]}/{found[2]}")
            included.setdefault(path, []).append(f"engine/{found[1]}/{found[2]}")
    done, path_now = set(), []

    def walk(header):
        if header in path_now:
            fault(header, "includes itself: " + " -> ".join(path_now + [header]))
            return
        if header in done:
            return
        path_now.append(header)
        for other in included.get(header, []):
            walk(other)
        path_now.pop()
        done.add(header)

    for path in sources("engine/**/*.h"):
        walk(path)
    for path in sources("stages/**/*.[ch]"):
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            found = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
            if found and "/" in found[1] and not found[1].startswith(SYSTEM) and found[1] != "flow/plugin.h" \
                    and not os.path.exists(f"stages/{found[1]}") \
                    and found[1] not in LIBRARIES.get(os.path.dirname(path) + "/", ()):
                fault(f"{path}:{number}", f"a stage may not include {found[1]}")


def headers():
    """Every header compiles alone; the public one also as C89 and C++."""
    flags = ["-D_GNU_SOURCE", "-Iengine", "-Iengine/include", "-Istages", "-I/usr/include/lua5.4", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    for path in sources("engine/**/*.h") + sources("stages/**/*.h"):
        if path == "engine/dag/codes.def":
            continue
        done = subprocess.run(["cc", "-std=c11", *flags, "-x", "c", path], capture_output=True, text=True)
        if done.returncode:
            fault(path, "does not compile alone:\n" + done.stderr[:600])
    for how in (["cc", "-std=c89", "-x", "c"], ["c++", "-std=c++11", "-x", "c++"]):
        if not shutil.which(how[0]):
            fault("engine/include/flow/plugin.h", f"there is no {how[0]} to try it with")
            continue
        done = subprocess.run([*how, "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "engine/include/flow/plugin.h"],
                              capture_output=True, text=True)
        if done.returncode:
            fault("engine/include/flow/plugin.h", f"{how[1]}:\n{done.stderr[:600]}")


def words():
    """Nothing below cli/ prints or exits; some functions are not used at all; no build or host path is in the repository."""
    never = r"\b(strcat|strcpy|stpcpy|sprintf|vsprintf|gets|strtok|system|popen|atoi|atof|tmpnam|mktemp|alloca)\s*\("
    loud = r"\b(printf|puts|putchar|fputs|fprintf|perror|exit|_exit|_Exit)\s*\("
    programs = ("engine/stage/", "engine/cli/", "engine/serve/", "engine/store/source_main", "engine/base/failpoint.c")
    for path in sources() + sources("stages/**/*.[ch]"):
        for number, line in enumerate(code_of(path).split("\n"), 1):
            found = re.search(never, line)
            if found:
                fault(f"{path}:{number}", f"{found[1]}() is not used here")
            found = re.search(loud, line)
            if found and path.startswith("engine/") and not path.startswith(programs):
                fault(f"{path}:{number}", f"{found[1]}(): nothing below cli/ prints or exits")
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split("\n")
    for path in filter(os.path.isfile, listed):
        text = open(path, encoding="utf-8", errors="replace").read()
        for found in re.finditer(r"/(root|work|Users)/\w+|/home/\w\w+", text):
            if not path.startswith("tests/lint/"):
                fault(path, f"a path of some machine: {found[0]}")
        if path.endswith((".orig", ".rej", "~")):
            fault(path, "left behind by an editor or a merge")


def sizes():
    for path in sources() + sources("stages/**/*.[ch]"):
        lines = sum(1 for _ in open(path, encoding="utf-8"))
        if lines > 600:
            fault(path, f"{lines} lines; 600 is the ceiling")


def options():
    """What a stage's table of options says of bounds and defaults is what its getters ask for, where both are plain numbers."""
    number = r"(-?[0-9.]+(?:e-?[0-9]+)?)"
    compared = 0
    for folder in sorted(glob.glob("stages/*/")):
        text = "\n".join(open(path, encoding="utf-8").read() for path in sorted(glob.glob(folder + "*.c")))
        told = {m[1]: m for m in re.finditer(r'\{ "(\w+)", "(?:integer|number)(?: ' + number[:-1] + r')?\.\.' + number[:-1] + r')?)?", "([^"]*)"', text)}
        for call in re.finditer(r'host->(?:integer|number)\(\s*[\w>-]+,\s*"(\w+)",\s*([^;]*?),\s*' + number + r",\s*" + number + r"\)", text):
            key, least, most = call[1], float(call[3]), float(call[4])
            if re.search(r'\{ "' + key + r'", "any"', text):
                continue
            if key not in told:
                fault(folder, f"no row of the options tells of `{key}`, a number")
                continue
            low, high = told[key][2], told[key][3]
            if low is None or float(low) != least or (float(high) if high else 1e12) != min(most, 1e12):
                fault(folder, f"`{key}` is asked for from {least:g} to {most:g}, its row says {low}..{high}")
            compared += 1
    if compared < 20:
        fault("stages", "the getters were not found")


def symbols(build):
    """No two files of the libraries define one name: which one is linked would be chance."""
    seen = {}
    for library in ("libengine.a", "libcli.a"):
        out = subprocess.run(["nm", "-A", "--defined-only", "-g", f"{build}/{library}"], capture_output=True, text=True).stdout
        for line in out.split("\n"):
            parts = line.split()
            if len(parts) >= 3 and parts[-2] in "TDBR":
                seen.setdefault(parts[-1], []).append(parts[0])
    if len(seen) < 100:
        fault(build, "the libraries were not found")
    for name, places in seen.items():
        if len(places) > 1 and not name.startswith(("__asan", "__odr")):
            fault(name, "is defined in " + " and ".join(places))


def failpoints(build):
    """A build that is not for tests holds nothing of them: no symbol, no name of a step, no variable that would be asked."""
    names = re.findall(r'"([a-z]+\.[a-z-]+)"', open("engine/base/failpoint.c", encoding="utf-8").read())
    used = {name for path in sources() for name in re.findall(r'FAILPOINT\("([^"]+)"', open(path, encoding="utf-8").read())
            if not path.startswith("engine/base/failpoint")}
    for name in set(names) ^ used:
        fault("engine/base/failpoint.c", f"the step {name} is {'in the table only' if name in names else 'not in the table'}")
    for name in (n for n in names if names.count(n) > 1):
        fault("engine/base/failpoint.c", f"{name} is there twice")
    for program in ("flow", "flow-worker", "flow-source", *glob.glob("stages/*.so", root_dir=build)):
        said = "".join(subprocess.run([*tool, f"{build}/{program}"], capture_output=True, text=True).stdout
                       for tool in (["nm"], ["strings", "--data"]))
        if len(said) < 100:
            fault(program, "was not found")
        for word in ["FLOW_FAILPOINT", "failpoint", *names]:
            if re.search(rf"\b{re.escape(word)}\b" if "." in word else word, said):
                fault(program, f"holds `{word}`")


def docs(build):
    """Generated pages are what the tables say; every dag.yaml shown in the docs is one that flow accepts; links lead somewhere."""
    for page, command in (("docs/reference/command-line.md", ["help", "--reference"]), ("docs/reference/dag.md", ["help", "dag", "--reference"]), ("docs/reference/errors.md", ["help", "errors", "--reference"])):
        made = subprocess.run([f"{build}/flow", *command], capture_output=True, text=True).stdout
        if made != open(page, encoding="utf-8").read():
            fault(page, f"is not what `flow {' '.join(command)}` prints; make it again")
    made = subprocess.run([sys.executable, "tests/support/stages.py", build], capture_output=True, text=True).stdout
    if made != open("docs/reference/stages.md", encoding="utf-8").read():
        fault("docs/reference/stages.md", "is not what `tests/support/stages.py BUILD` prints; make it again")
    for page in glob.glob("docs/**/*.md", recursive=True) + ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + glob.glob("examples/*/README.md"):
        text = open(page, encoding="utf-8").read()
        for found in re.finditer(r"\]\(([^)#:\s]+)(#[^)]*)?\)", text):
            if not os.path.exists(os.path.join(os.path.dirname(page), found[1])):
                fault(page, f"link to {found[1]}, which is not there")
        for found in re.finditer(r"```yaml\n(.*?)```", text, flags=re.S):
            check_dag(build, page, text[: found.start()].count("\n") + 1, found[1])


def check_dag(build, page, line, text):
    """A whole dag.yaml; a part of one is put below `stages:`."""
    if not re.search(r"^version:", text, flags=re.M):
        text = "version: 1\n" + text
    if not re.search(r"^stages:", text, flags=re.M):
        text += "stages:\n  a: {cmd: 'true'}\n"
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/dag.yaml", "w") as f:
            f.write(text)
        done = subprocess.run([f"{build}/flow", "graph", "--json"], cwd=folder, capture_output=True, text=True)
        codes = set(re.findall(r'"code":"(E\d+)"', done.stdout))
        # Files that the page does not show may be missing.
        if done.returncode and not codes <= {"E0204", "E0301", "E0302"}:
            fault(f"{page}:{line}", f"this dag.yaml is refused: {done.stdout[:500]}")


checks = {"layers": layers, "headers": headers, "words": words, "sizes": sizes, "options": options, "symbols": symbols, "failpoints": failpoints, "docs": docs}
checks[sys.argv[1]](*sys.argv[2:])
for line in faults:
    print(line)
print(f"{sys.argv[1]}: {len(faults)} faults")
sys.exit(1 if faults else 0)
