#!/usr/bin/env python3
"""No secret in what flow keeps, whatever happened: runs that go well, that fail while they print their environment, that are killed; every
command that looks back; a work tree that differs from its commit by the secret itself. Then all of .flow is searched for each secret, as it
is, in base64, in a URL, in JSON.

    tests/faults/secrets.py BUILD
"""
import base64, json, os, shutil, signal, subprocess, sys, tempfile, time, urllib.parse

BUILD = os.path.realpath(sys.argv[1])
SECRETS = {"TOKEN": 'hf_Ab+c/d"e %fg', "PASSWORD": "p@ss wörd\\x/y", "PIN": "0123456789abcdef", "KEY": "-----BEGIN-----\nMIIEvgIBADAN\nBgkqhkiG9w0B\n-----END-----"}
DAG = """\
version: 1
params: {n: 1, word: none}
secrets:
  TOKEN: {env: HF_TOKEN}
  PASSWORD: {file: private/password}
  PIN: {command: "tr A-P 0-9a-f < private/pin"}
  KEY: {file: private/key}
stages:
  speak:
    cmd: python3 speak.py ${params.n} ${params.word} > ${outs.o}
    deps: [speak.py]
    outs: {o: out/speak}
    metrics: [metrics.json]
    secrets: [TOKEN, PASSWORD, PIN, KEY]
  other:
    cmd: |
      env > ${outs.o}; echo ${params.n}
    outs: {o: out/env}
  script:
    lua: |
      return { run = function(ctx) ctx:fail("the script was told " .. ctx:secret("PIN")) end }
    secrets: [PIN]
    allow_failure: true
  fails:
    cmd: |
      env; env | base64; env > $FLOW_TMPDIR/kept; mkdir $FLOW_TMPDIR/d; env > $FLOW_TMPDIR/d/e; cp speak.py ${outs.o}; env >> ${outs.o}; sh -c 'echo "{\\"fail\\": \\"$PIN\\"}"' >> $FLOW_METRICS; exit 3
    outs: {o: out/fails}
    secrets: [TOKEN, PASSWORD, PIN, KEY]
    retry: {limit: 1, delay: 1ms}
  stores:
    cmd: |
      mkdir -p ${outs.o}/in; echo "pin=$PIN" > ${outs.o}/in/file
    outs: {o: out/stores}
    secrets: [PIN]
  slow:
    cmd: |
      if grep -q go slow; then while :; do env; env | base64; env > $FLOW_TMPDIR/now; done; fi; echo > ${outs.o}
    deps: [slow]
    outs: {o: out/slow}
    secrets: [TOKEN, PASSWORD, PIN, KEY]
"""
SPEAK = """\
import base64, json, os, sys, time, urllib.parse
def put(text):
    data = text.encode()
    while data:                      # in pieces, so that values are cut anywhere
        n = 1 + len(data) % 5
        os.write(1 if len(data) % 2 else 2, data[:n]); data = data[n:]
sys.stdout = sys.stderr
for name in ("TOKEN", "PASSWORD", "PIN", "KEY"):
    v = os.environ[name]
    for text in (v, json.dumps(v), json.dumps(v, ensure_ascii=False), urllib.parse.quote(v), urllib.parse.quote_plus(v), urllib.parse.quote(v, safe="")):
        os.write(2, (text + "\\n").encode())
        for i in range(0, len(text.encode()), 3):
            os.write(2, text.encode()[i : i + 3])
        os.write(2, b"\\n")
    for before in ("", "x", "xy"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes):
            os.write(2, encode((before + v + "\\n").encode()) + b"\\n")
with open(os.environ["FLOW_METRICS"], "a") as f:
    f.write(json.dumps({"key": "told " + os.environ["PIN"], "value": 1}) + "\\n")
    f.write(json.dumps({"progress": 1, "total": 2, "what": os.environ["TOKEN"]}) + "\\n")
with open("metrics.json", "w") as f:
    json.dump({"a": 1}, f)
"""
said = []


def flow(*args, status=None, env=True, kill_after=None):
    variables = dict(os.environ, NO_COLOR="1")
    variables.pop("HF_TOKEN", None)
    if env:
        variables["HF_TOKEN"] = SECRETS["TOKEN"]
    p = subprocess.Popen([f"{BUILD}/flow", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=variables)
    if kill_after is not None:
        time.sleep(kill_after)
        p.send_signal(signal.SIGKILL)
    try:
        out = p.communicate(timeout=120)[0]
    except subprocess.TimeoutExpired:
        p.kill()
        raise SystemExit(f"flow {' '.join(args)} does not end")
    said.append((args, out))
    if status is not None and p.returncode != status:
        raise SystemExit(f"flow {' '.join(args)}: status {p.returncode}, expected {status}\n{out.decode(errors='replace')}")
    return out


def forms(value):
    """What a secret looks like, without what its neighbours decide."""
    raw = value.encode()
    yield raw
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + raw)
        core = encoded[(0, 2, 3)[before] : len(encoded) - (4 if encoded.endswith(b"=") else 0)]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")
    for text in (urllib.parse.quote(value), urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value), json.dumps(value)[1:-1],
                 json.dumps(value, ensure_ascii=False)[1:-1]):
        yield text.encode()
    if "\n" in value:
        for line in value.split("\n"):
            if len(line) >= 8:
                yield line.encode()


def search(where, data):
    found = 0
    for name, value in SECRETS.items():
        for form in set(forms(value)):
            if form in data or form in data.replace(b"\n", b"").replace(b"\r", b""):
                print(f"{where}: holds {name} as {form!r}")
                found += 1
    return found


def search_state(when):
    found = 0
    for folder, _, files in os.walk(".flow"):
        for file in files:
            path = os.path.join(folder, file)
            with open(path, "rb") as f:
                found += search(f"{when}: {path}", path.encode() + b"\0" + f.read())
    for args, out in said:
        found += search(f"{when}: flow {' '.join(args)} said", out)
    return found


def set_up():
    os.mkdir("private", 0o700)
    os.mkdir("out")
    for path, text in (("password", SECRETS["PASSWORD"]), ("pin", "ABCDEFGHIJKLMNOP"), ("key", SECRETS["KEY"])):
        with open(f"private/{path}", "w") as f:
            f.write(text + "\n")
        os.chmod(f"private/{path}", 0o600)
    for path, text in (("dag.yaml", DAG), ("speak.py", SPEAK), ("notes", "nothing\n"), ("slow", "no\n")):
        with open(path, "w") as f:
            f.write(text)
    with open(".gitignore", "w") as f:
        f.write("out\nprivate\nmetrics.json\n")
    for args in (["init", "-q", "-b", "main"], ["add", "-A"], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *args], check=True)
    with open("notes", "a") as f:        # now the patch holds them
        f.write("\n".join(SECRETS.values()) + "\n")


def everything():
    flow("run", "speak", env=False, status=5)
    flow("run", "-k", "-v", "--until", "speak", status=0)
    flow("run", "-k", "-v", status=1)
    flow("run", "-k", "--json", "-p", "n=2", status=1)
    for args in (["status"], ["status", "--json"], ["runs"], ["runs", "show", "--json"], ["runs", "show", "@{1}"], ["log"], ["log", "speak"], ["log", "fails", "--json"],
                 ["diff"], ["diff", "--json"], ["artifact", "trace", "speak:o"], ["artifact", "trace", "speak:o", "--json"], ["artifact", "show", "speak:o"],
                 ["plan"], ["plan", "--json"], ["explain", "speak", "--all"], ["explain", "speak", "-p", "n=3", "--json"], ["params"], ["metrics"], ["metrics", "--json"],
                 ["graph"], ["lint"], ["attempt", "shell", "fails", "-c", "cat *; env | grep -v ^HF_TOKEN"]):
        flow(*args)
    for value in (SECRETS["PIN"], "x" + SECRETS["PASSWORD"]):
        if b"E0521" not in flow("run", "-p", f"word={value}", status=7):
            raise SystemExit("a parameter that is a secret was taken")
        said[-1] = (("run", "-p", "word=..."), said[-1][1])
    with open("notes", "w") as f:        # what a command gives is known only where a task needs it
        f.write("".join(value + "\n" for name, value in SECRETS.items() if name != "PIN"))
    with open("speak.py", "a") as f:
        f.write("# a comment\n")
    flow("cache", "accept", "speak", "-p", "n=2", status=0)


def crashes():
    with open("slow", "w") as f:
        f.write("go\n")
    for _ in range(4):
        flow("run", "slow", kill_after=0.5)
    log = b"".join(open(os.path.join(d, f), "rb").read() for d, _, fs in os.walk(".flow/logs") for f in fs)
    if log.count(b"TOKEN=***") < 20:
        raise SystemExit("the killed attempts have written nothing: they show nothing")
    with open("slow", "w") as f:
        f.write("no more\n")
    flow("run", "slow", status=0)


def main():
    home = tempfile.mkdtemp(prefix="flow-secrets-")
    os.chdir(home)
    try:
        set_up()
        everything()
        found = search_state("after the runs")
        crashes()
        found += search_state("after the crashes")
        if not any(out.count(b"***") > 20 for args, out in said if args == ("log", "speak")):
            raise SystemExit("nothing was masked: the test shows nothing")
        if b"HF_TOKEN" in open("out/env", "rb").read() or SECRETS["PIN"].encode() in open("out/env", "rb").read():
            raise SystemExit("a stage that lists no secret was given one")
        # A check that cannot fail is none.
        print("of itself it finds:")
        if search("a text with one", f"x{SECRETS['PIN']}x".encode()) == 0:
            raise SystemExit("the search finds nothing at all")
        print(f"{len(said)} commands, {found} places with a secret")
        sys.exit(found > 0)
    finally:
        os.chdir("/")
        shutil.rmtree(home)


main()
