#!/usr/bin/env python3
"""Runs console transcripts and compares what they show with what happens.

    console.py --build BUILD [--record] FILE...

--record writes what happens into FILE instead: read it before you keep it.

FILE is a `case` of tests/cli (a transcript; its folder is the project) or a Markdown page (its ```console blocks, in order). Each
works in a copy of a project of its own, under a temporary folder, with BUILD first in PATH, then tests/support/bin.

A case may begin with `# needs: COMMAND`: where that fails, the case ends with status 77, which ctest reports as skipped.

A transcript: `$ command` (continued by `> ` lines), then its output, stdout and stderr together. `[exit 3]` ends a block whose status is
not 0. A line `...` stands for any lines. Of what differs from run to run, any value of the same form is accepted: durations (1.4s, 12 ms), run
ids, digests, times, process ids, numbers with four digits or more behind the point. Blanks count as one blank. Lines that begin with a time stamp or a mark of a finished task may
come in any order among themselves, as tasks do.

In Markdown, comments steer: <!-- project: examples/fashion --> starts in a copy of that folder (<!-- project: X git -->: and
makes it a repository with one commit), <!-- file: dag.yaml --> writes the next
fenced block to that file, <!-- show: PATH --> says that the next block must be the text of that file of the project.
"""
import argparse, difflib, os, re, shutil, subprocess, sys, tempfile

FORMS = [
    (r"/tmp/flow-console-\w+", "folder"),  # first: its name may look like a digest
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "run"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}\b", "run"),
    (r"\[[0-9:.]{5,10}\]", "stamp"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?", "time"),
    (r"\b(just now|\d+ (s|min|h|days) ago|yesterday)\b", "ago"),
    (r"\b(\d+h\d\dm|\d+m\d\ds|\d+(\.\d+)?s|\d+ ms)(?![\w.])", "took"),
    (r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f0-9])[0-9a-f]{7,64}\b(…|\.\.\.)?", "hex"),
    (r"samples_per_second .*", "speed"),
    (r"\b\d+\.\d{4,}(e-?\d+)?\b", "number"),
    (r"[+-]\d+\.\d %", "percent"),
    (r"\b(pid|process) \d+", "pid"),
]


def plain(line):
    """A line with every value that differs from run to run replaced by the name of its form."""
    for pattern, name in FORMS:
        line = re.sub(pattern, f"<{name}>", line)
    # Whether a second was saved depends on how fast the machine is.
    line = line.replace(" (saved <took>)", "")
    return re.sub(r"\s+", " ", line).strip()


def same(want, got):
    """Both are lists of plain lines; `...` in want stands for any lines."""
    if not want:
        return not got
    if want[0] == "...":
        return any(same(want[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and want[0] == got[0] and same(want[1:], got[1:])


def ordered(lines):
    """Groups of neighbouring lines of finished tasks are sorted."""
    out, group = [], []
    # How often a running task is told of depends on the machine.
    lines = [line for line in lines if not re.match(r"<stamp> \S+ running ", line)]
    for line in lines + [None]:
        if line is not None and line.startswith("<stamp>"):
            group.append(line)
            continue
        out += sorted(group)
        group = []
        if line is not None:
            out.append(line)
    return out


def blocks(text):
    """(number, command, expected lines, exit status) of a transcript."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            found.append([number, line[2:], [], 0])
        elif line.startswith("> ") and found and not found[-1][2]:
            found[-1][1] += "\n" + line[2:]
        elif found and re.fullmatch(r"\[exit \d+\]", line):
            found[-1][3] = int(line[6:-1])
        elif found:
            found[-1][2].append(line)
    return found


def trim(lines):
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    while lines and not lines[0].strip():
        lines = lines[1:]
    return lines


class Place:
    """A project of its own."""

    def __init__(self, build):
        self.top = tempfile.mkdtemp(prefix="flow-console-")
        self.folder = f"{self.top}/project"
        os.mkdir(self.folder)
        self.env = dict(os.environ, PATH=f"{build}:{os.path.abspath(os.path.dirname(__file__))}/bin:{os.environ['PATH']}", LC_ALL="C.UTF-8", FLOW_SOURCE=os.path.abspath(f"{os.path.dirname(__file__)}/../.."), HOME=self.top, TERM="dumb", COLUMNS="100",
                        GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@example.org", GIT_COMMITTER_NAME="A", GIT_COMMITTER_EMAIL="a@example.org",
                        GIT_CONFIG_NOSYSTEM="1", CPATH=os.path.abspath(os.path.join(os.path.dirname(__file__), "../../engine/include")))
        for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "FLOW_COLOR"):
            self.env.pop(name, None)

    def copy(self, source):
        shutil.rmtree(self.folder)
        shutil.copytree(source, self.folder, symlinks=True, ignore=shutil.ignore_patterns("case", ".flow"))

    def commit(self):
        for argv in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
            subprocess.run(["git", *argv], cwd=self.folder, env=self.env, check=True)

    def close(self):
        subprocess.run(["chmod", "-R", "u+rwX", self.top], check=False)
        shutil.rmtree(self.top, ignore_errors=True)

    def record(self, text):
        out = []
        for _, command, _, _ in blocks(text):
            done = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
            out.append("$ " + command.replace("\n", "\n> "))
            out += trim(done.stdout.decode("utf-8", "replace").splitlines())
            if done.returncode:
                out.append(f"[exit {done.returncode}]")
        return "\n".join(out) + "\n"

    def run(self, name, base, text):
        faults = 0
        for number, command, want, status in blocks(text):
            # The state of the shell (cd, variables) does not carry over: each command starts in the project.
            done = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
            raw = trim(done.stdout.decode("utf-8", "replace").splitlines())
            got, expected = ordered([plain(l) for l in raw]), ordered([plain(l) for l in trim(want)])
            if done.returncode == status and same(expected, got):
                continue
            faults += 1
            print(f"{name}:{base + number}: $ {command}")
            if done.returncode != status:
                print(f"  exit status {done.returncode}, expected {status}")
            for line in difflib.unified_diff(trim(want), raw, "expected", "got", lineterm="", n=100):
                print("  " + line)
        return faults


def run_case(build, path, record):
    text = open(path, encoding="utf-8").read()
    needs = re.match(r"# needs: (.*)", text)
    if needs and subprocess.run(["bash", "-c", needs[1]], capture_output=True).returncode:
        print(f"{path}: not possible on this machine: {needs[1]}")
        sys.exit(77)
    place = Place(build)
    place.copy(os.path.dirname(path))
    if record:
        text = (needs[0] + "\n" if needs else "") + place.record(text)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        place.close()
        return 0
    faults = place.run(path, 0, text)
    place.close()
    return faults


def run_page(build, path, source, record):
    place, faults, pending = Place(build), 0, None
    lines = open(path, encoding="utf-8").read().split("\n")
    i = executed = 0
    while i < len(lines):
        comment = re.fullmatch(r"\s*<!-- (project|file|show): (\S+)( git)? -->\s*", lines[i])
        fence = re.match(r"```(\w*)", lines[i])
        i += 1
        if comment and comment[1] == "project":
            place.copy(f"{source}/{comment[2]}")
            if comment[3]:
                place.commit()
        elif comment:
            pending = comment
        elif fence:
            begin = i
            while i < len(lines) and not lines[i].startswith("```"):
                i += 1
            text = "\n".join(lines[begin:i]) + "\n"
            i += 1
            if fence[1] == "console":
                executed += 1
                if record:
                    new = place.record(text).rstrip("\n").split("\n")
                    lines[begin : i - 1] = new
                    i = begin + len(new) + 1
                    continue
                faults += place.run(path, begin, text)
            elif pending and pending[1] == "file":
                file = f"{place.folder}/{pending[2]}"
                os.makedirs(os.path.dirname(file), exist_ok=True)
                with open(file, "w", encoding="utf-8") as f:
                    f.write(text)
            elif pending and open(f"{place.folder}/{pending[2]}", encoding="utf-8").read().strip() != text.strip():
                print(f"{path}:{begin}: is not the text of {pending[2]}")
                faults += 1
            pending = None
    place.close()
    if record:
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))
    print(f"{path}: {executed} console blocks")
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("files", nargs="+")
    o = parser.parse_args()
    build = os.path.abspath(o.build)
    source = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
    faults = 0
    for path in o.files:
        faults += run_page(build, path, source, o.record) if path.endswith(".md") else run_case(build, path, o.record)
    sys.exit(1 if faults else 0)


main()
