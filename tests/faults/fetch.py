#!/usr/bin/env python3
"""The stage fetch against servers that misbehave: each row is what a server does and what must come of it.

    fetch.py BUILD
"""
import hashlib, http.server, json, os, shutil, subprocess, sys, tempfile, threading, time

flow = os.path.abspath(sys.argv[1]) + "/flow"
BODY = bytes(range(256)) * 4000
OTHER = BODY[::-1]
digest = lambda data: hashlib.sha256(data).hexdigest()
seen = []  # (path, headers) of the row under way


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.close_connection = True
        what = self.path.strip("/").split("/")[0]
        seen.append((what, self.headers))
        tries = sum(w == what for w, _ in seen)
        getattr(self, what)(tries)

    def answer(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Connection", "close")
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def good(self, tries):
        self.answer(200, BODY)

    def empty(self, tries):
        self.answer(200, b"")

    def missing(self, tries):
        self.answer(404, b"not here")

    def busy(self, tries):
        self.answer([503, 429, 408, 425][tries - 1] if tries < 5 else 200, BODY)

    def late(self, tries):
        self.answer(429, b"", Retry_After="9999")

    def cut(self, tries):
        """Ends in the middle; goes on where it is asked to."""
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if begin and self.headers.get("If-Range") == '"v1"':
            self.answer(206, BODY[begin:begin + 400000], len(BODY) - begin, ETag='"v1"', Content_Range=f"bytes {begin}-{len(BODY) - 1}/{len(BODY)}")
        else:
            self.answer(200, BODY[:400000], len(BODY), ETag='"v1"')

    def ignores(self, tries):
        """Knows no ranges."""
        self.answer(200, BODY[:400000] if tries == 1 else BODY, len(BODY), ETag='"v1"')

    def changed(self, tries):
        """Another file the second time."""
        self.answer(200, BODY[:400000] if tries == 1 else OTHER, len(BODY), ETag='"v1"' if tries == 1 else '"v2"')

    def mixed(self, tries):
        """Answers with another part than was asked for."""
        if "Range" in self.headers:
            self.answer(206, BODY[7:], None, ETag='"v1"', Content_Range=f"bytes 7-{len(BODY) - 1}/{len(BODY)}")
        else:
            self.answer(200, BODY[:400000] if tries == 1 else BODY, len(BODY), ETag='"v1"')

    def unknown(self, tries):
        """No validator: what came must be thrown away."""
        assert "Range" not in self.headers
        self.answer(200, OTHER[:400000] if tries == 1 else BODY, len(BODY))

    def gone(self, tries):
        """The range cannot be satisfied any more."""
        if "Range" in self.headers:
            self.answer(416)
        else:
            self.answer(200, BODY[:400000] if tries == 1 else BODY, len(BODY), ETag='"v1"')

    def loop(self, tries):
        self.answer(302, Location="/loop")

    def to_file(self, tries):
        self.answer(302, Location="file:///etc/passwd")

    def to_link(self, tries):
        self.answer(302, Location="http://169.254.169.254/latest/meta-data/")

    def to_good(self, tries):
        self.answer(302, Location="/good")

    def rubbish(self, tries):
        self.wfile.write(b"\0\xff" * 500 + b"\r\n\r\n")

    def nothing(self, tries):
        pass

    def slow(self, tries):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.1)
        except OSError:
            pass

    def headers_without_end(self, tries):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            for i in range(20000):
                self.wfile.write(b"X-%d: " % i + b"y" * 100 + b"\r\n")
        except OSError:
            pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}/"
environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
failures = 0


def run(name, url, expect, says="", tries=None, **options):
    """expect: the bytes, or None for a failure."""
    global failures
    seen.clear()
    options = {"delay": 0.05, "retries": 6, "stall": 1, **options}
    folder = tempfile.mkdtemp()
    try:
        with open(f"{folder}/local.bin", "wb") as f:
            f.write(BODY)
        os.symlink("/etc/passwd", f"{folder}/outside")
        with open(f"{folder}/dag.yaml", "w") as f:
            json.dump({"version": 1, "stages": {"get": {"uses": "fetch", "with": {"url": url, **options}, "outs": {"data": "x.bin", "record": "x.json"}}}}, f)
        begun = time.time()
        done = subprocess.run([flow, "run"], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
        told = done.stdout + done.stderr + subprocess.run([flow, "log"], cwd=folder, env=environment, capture_output=True, text=True).stdout
        got = open(f"{folder}/x.bin", "rb").read() if os.path.exists(f"{folder}/x.bin") else None
        wrong = []
        if got != expect:
            wrong.append(f"got {got and len(got)} bytes, wanted {expect and len(expect)}")
        if expect is not None and got == expect and json.load(open(f"{folder}/x.json"))["sha256"] != digest(expect):
            wrong.append("the record has another digest")
        if (done.returncode == 0) != (expect is not None):
            wrong.append(f"exit {done.returncode}")
        if says not in told:
            wrong.append(f"does not say {says!r}")
        if tries is not None and len(seen) != tries:
            wrong.append(f"{len(seen)} requests, wanted {tries}")
        if time.time() - begun > 40:
            wrong.append("took too long")
        print(f"{'FAILED' if wrong else 'ok':7}{name}" + (": " + "; ".join(wrong) + "\n" + told if wrong else ""))
        failures += bool(wrong)
    finally:
        shutil.rmtree(folder)


run("a file", base + "good", BODY, f"sha256 {digest(BODY)}", 1)
run("an empty file", base + "empty", b"", "", 1)
run("the digest that is wanted", base + "good", BODY, "", 1, sha256=digest(BODY).upper())
run("another digest", base + "good", None, f"its sha256 is {digest(BODY)}, not {'0' * 64}", 1, sha256="0" * 64)
run("another digest, then a good mirror", base + "changed", OTHER, "", 3, sha256=digest(OTHER), mirrors=[base + "missing"])
run("404", base + "missing", None, "the server says 404", 1)
run("404, then a mirror", base + "missing", BODY, "missing: the server says 404", 2, mirrors=[base + "good"])
run("503, 429, 408, 425, then the file", base + "busy", BODY, "", 5)
run("503 for too long", base + "busy", None, "given up after 2 tries", 2, retries=1)
run("Retry-After of hours", base + "late", None, "wants to be left alone for 9999 s", 1)
run("ends early, goes on", base + "cut", BODY, "resumed after 800000 bytes", 3)
run("ends early, knows no ranges", base + "ignores", BODY, "", 2)
run("ends early, then is another file", base + "changed", OTHER, "", 2)
run("ends early, then sends another part", base + "mixed", BODY, "another part than it was asked for", 3)
run("ends early, says not what it was", base + "unknown", BODY, "", 2)
run("ends early, then 416", base + "gone", BODY, "", 3)
run("a redirect", base + "to_good", BODY, "", 2)
run("redirects without end", base + "loop", None, "redirects", 6)
run("a redirect to a file", base + "to_file", None, "rotocol", 1)
run("a redirect to an address of the link", base + "to_link", None, "one of the link", 1)
run("more bytes than allowed", base + "good", None, "more than 1000000 bytes (with.max_mb)", 1, max_mb=1)
run("no HTTP", base + "rubbish", None, "HTTP/0.9 when not allowed", 1)
run("closed without an answer", base + "nothing", None, "given up after 2 tries", None, retries=1)
run("a byte now and then", base + "slow", None, "given up after 1 tries", 1, retries=0)
run("headers without end", base + "headers_without_end", None, "given up after 1 tries", 1, retries=0)
run("nobody listens", "http://127.0.0.1:9/", None, "given up after 2 tries", 0, retries=1)
run("a file of the project", "file:local.bin", BODY, "", 0)
run("a file outside", "file:../../etc/passwd", None, "", 0)
run("a link that leads outside", "file:outside", None, "outside of the project's folder", 0)
run("a file: with a host", "file:///etc/passwd", None, "below the project's folder", 0)
run("another protocol", "ftp://127.0.0.1/x", None, "does not begin with https://", 0)
run("a password in the address", "http://me:secret@127.0.0.1/", None, "must hold no user and password", 0)
run("a digest that is none", base + "good", None, "is not 64 hexadecimal digits", 0, sha256="abc")
print(f"{failures} failed")
sys.exit(failures != 0)
