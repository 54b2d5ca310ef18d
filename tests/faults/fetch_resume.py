#!/usr/bin/env python3
"""The stage fetch over https, from a server whose authority is our own, and what a later attempt or run goes on from.

    fetch_resume.py BUILD
"""
import hashlib, http.server, json, os, shutil, signal, ssl, subprocess, sys, tempfile, threading, time

flow = os.path.abspath(sys.argv[1]) + "/flow"
BODY = bytes(range(256)) * 4000
OTHER = BODY[::-1]
CUT = 400000
seen = []  # the ranges that were asked for
served = {"body": BODY, "etag": '"v1"', "cut": False, "stall": False}


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.close_connection = True
        if self.path == "/to_http":
            self.send_response(302)
            self.send_header("Location", plain)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body, etag = served["body"], served["etag"]
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        seen.append(begin)
        begin = begin if self.headers.get("If-Range") == etag else 0
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body) - begin))
        self.end_headers()
        try:
            self.wfile.write(body[begin:CUT] if served["cut"] and len(seen) == 1 else body[begin:])
            self.wfile.flush()
            while served["stall"] and len(seen) == 1:
                time.sleep(0.05)
        except OSError:
            pass


def openssl(*words, folder):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certificates(folder):
    """ca.pem, and server.pem with its key for 127.0.0.1 but not for localhost."""
    with open(f"{folder}/names", "w") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=authority of a test",
            "-keyout", "ca.key", "-out", "ca.pem", folder=folder)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out",
            "server.csr", folder=folder)
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out",
            "server.pem", folder=folder)


def serve(context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


keys = tempfile.mkdtemp()
certificates(keys)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{keys}/server.pem", f"{keys}/server.key")
port = serve(context)
base = f"https://127.0.0.1:{port}/"
plain = f"http://127.0.0.1:{serve()}/"
environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
failures = 0


class Project:
    def __init__(self, url, retry=0, **options):
        self.folder = tempfile.mkdtemp()
        shutil.copy(f"{keys}/ca.pem", self.folder)
        with open(f"{self.folder}/none.pem", "w") as f:
            f.write("no certificate\n")
        stage = {"uses": "fetch", "with": {"url": url, "delay": 0.05, "retries": 0, "stall": 20, **options},
                 "outs": {"data": "x.bin", "kept": {"path": "kept", "kind": "checkpoint"}}, "retry": {"limit": retry, "delay": "0s"}}
        with open(f"{self.folder}/dag.yaml", "w") as f:
            json.dump({"version": 1, "stages": {"get": stage}}, f)

    def run(self):
        done = subprocess.run([flow, "run"], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)
        log = subprocess.run([flow, "log"], cwd=self.folder, env=environment, capture_output=True, text=True)
        self.status, self.told = done.returncode, done.stdout + done.stderr + log.stdout

    def killed_in_the_middle(self):
        """flow and all it started are killed when the server has sent a part."""
        run = subprocess.Popen([flow, "run"], cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        part, until = f"{self.folder}/kept/part", time.time() + 20
        while time.time() < until and not (os.path.exists(part) and os.path.getsize(part) == CUT):
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait()
        served["stall"] = served["cut"] = False

    def got(self):
        path = f"{self.folder}/x.bin"
        return open(path, "rb").read() if os.path.exists(path) else None


def row(name, url, expect, says="", asked=None, before=None, **options):
    """What `flow run` gets, says, and asks the server for; before(project) is done first."""
    global failures
    seen.clear()
    served.update({"body": BODY, "etag": '"v1"', "cut": False, "stall": False, **options.pop("server", {})})
    project = Project(url, **options)
    try:
        if before:
            before(project)
        project.run()
        wrong = []
        if project.got() != expect or (project.status == 0) != (expect is not None):
            wrong.append(f"got {project.got() and len(project.got())} bytes, status {project.status}")
        if says not in project.told:
            wrong.append(f"does not say {says!r}")
        if asked is not None and seen != asked:
            wrong.append(f"asked for {seen}, wanted {asked}")
        if expect is not None and os.path.exists(f"{project.folder}/kept/part.validator"):
            wrong.append("something was left in the folder of the checkpoint")
        print(f"{'FAILED' if wrong else 'ok':7}{name}" + (": " + "; ".join(wrong) + "\n" + project.told if wrong else ""))
        failures += bool(wrong)
    finally:
        shutil.rmtree(project.folder)


def cut_then(**change):
    """A run that ends with a part; then the server has changed."""
    def before(project):
        project.run()
        served.update(change)
    return before


def killed_then(reboot=False):
    def before(project):
        project.killed_in_the_middle()
        if reboot:
            path = f"{project.folder}/kept/part.validator"
            lines = open(path).read().split("\n")
            lines[1] = "00000000-0000-0000-0000-000000000000"
            open(path, "w").write("\n".join(lines))
    return before


def long_part(project):
    """What an earlier run left when more was allowed."""
    os.mkdir(f"{project.folder}/kept")
    with open(f"{project.folder}/kept/part", "wb") as f:
        f.write(BODY[:1010000])
    with open(f"{project.folder}/kept/part.validator", "w") as f:
        f.write(f"{plain}\n{open('/proc/sys/kernel/random/boot_id').read().strip()}\n\"v1\"\n")


digest = hashlib.sha256(BODY).hexdigest()
cut, stall = {"cut": True}, {"cut": True, "stall": True}
row("https, the authority is named", base, BODY, "", [0], ca="ca.pem")
row("https, an authority that nobody knows", base, None, "with.ca names the certificate", [], retries=3)
row("https, no certificates in the file", base, None, "none.pem", [], ca="none.pem", retries=3)
row("https, no such file", base, None, "absent.pem", [], ca="absent.pem", retries=3)
row("https, a certificate for another name", base.replace("127.0.0.1", "localhost"), None, "localhost", [], ca="ca.pem", retries=3)
row("https, leads to http", base + "to_http", None, "rotocol", [], ca="ca.pem")
row("https, ends early, goes on in the same attempt", base, BODY, f"resumed after {CUT} bytes", [0, CUT], ca="ca.pem", retries=1, server=cut)
row("the next attempt goes on", base, BODY, f"resumed after {CUT} bytes", [0, CUT], ca="ca.pem", retry=1, server=cut)
row("the next run goes on", plain, BODY, f"resumed after {CUT} bytes", [0, CUT], before=cut_then(), server=cut)
row("the next run finds another file", plain, OTHER, "", [0, CUT], before=cut_then(body=OTHER, etag='"v2"'), server=cut)
row("killed, the next run goes on", plain, BODY, f"resumed after {CUT} bytes", [0, CUT], before=killed_then(), server=stall)
row("the machine was started anew: all of it again", plain, BODY, "", [0, 0], before=killed_then(reboot=True), server=stall)
row("started anew, and a digest to check", plain, BODY, f"resumed after {CUT} bytes", [0, CUT], sha256=digest, before=killed_then(reboot=True), server=stall)
row("a part that is larger than allowed", plain, None, "more than 1000000 bytes (with.max_mb)", [1010000], max_mb=1, before=long_part)
shutil.rmtree(keys)
print(f"{failures} failed")
sys.exit(failures != 0)
