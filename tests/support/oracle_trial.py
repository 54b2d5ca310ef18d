"""A small project to hurt flow in: a command with a file and a folder, a C plugin, a Lua script, a command that fails once.

    trial = Trial(build, folder)
    trial.prepare()                 a first run, so that there are previous outs
    trial.next()                    another parameter: everything is out of date; the user's own file lies where `own` will write
    trial.flow("run", ...)          flow, with a prefix (strace) or environment (a preloaded library) of the caller's
    trial.settle()                  after the fault: what is wrong, as a list of lines

settle() looks at what lives, lets flow recover without running a stage and looks whether what lay there before is back, runs flow
to its end, asks the oracle, and sees that there is nothing left to do and that nothing finished was done twice.
"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import command  # noqa: E402
import oracle  # noqa: E402

DAG = """version: 1
params: {salt: 0}
stages:
  prep:
    cmd: |
      echo $FLOW_ATTEMPT >> starts
      (setsid sleep 300 &)
      printf 'one\\ntwo\\n%s\\n' ${params.salt} > out/text
      mkdir -p out/folder/deep && echo a${params.salt} > out/folder/a && echo b > out/folder/deep/b
    outs: [out/text, out/folder]
  count: {uses: "./ok.so#count", deps: {text: out/text}, outs: {counts: out/counts}, with: {epochs: "${params.salt}"}}
  script:
    deps: {text: out/text, counts: out/counts}
    outs: {copy: out/copy}
    lua: |
      return { run = function(ctx) ctx:metric("size", #ctx:read("text")); ctx:write("copy", ctx:read("text")) end }
  own:
    cmd: |
      echo $FLOW_ATTEMPT >> starts
      printf half > out/own; echo half done
      [ $FLOW_ATTEMPT_NUMBER -gt 1 ] || exit 1
      cat out/folder/a > out/own
    deps: [out/folder]
    outs: [out/own]
    retry: {limit: 1, delay: 1ms}
  idle: {cmd: "echo idle > out/idle", outs: [out/idle]}
"""
MINE = "the user's own\n"
OUTS = ("out/text", "out/folder", "out/counts", "out/copy", "out/own", "out/idle")


class Trial:
    def __init__(self, build, folder):
        self.program, self.folder, self.salt = os.path.join(build, "flow"), folder, 0
        self.plugin = os.path.join(build, "zoo_ok.so")
        self.before = set()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def clear(self):
        """As a project is before its first run; the user's own file is there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.path("out"))
        shutil.copy(self.plugin, self.path("ok.so"))
        with open(self.path("dag.yaml"), "w") as file:
            file.write(DAG)
        self.next()

    def prepare(self):
        self.clear()
        done = self.run()
        if done.returncode != 0:
            raise SystemExit("the project does not run:\n" + done.stdout)

    def next(self):
        self.salt += 1
        if os.path.lexists(self.path("out/own")):
            os.unlink(self.path("out/own"))
        with open(self.path("out/own"), "w") as file:
            file.write(MINE)
        time.sleep(0.02)  # younger than the attempt, it could be taken for what the attempt wrote
        self.before = {out for out in OUTS if os.path.lexists(self.path(out))}

    def flow(self, *words, prefix=(), env=None, timeout=30):
        return command.run([*prefix, self.program, *words], said=self.folder + ".said", cwd=self.folder,
                           env={**os.environ, **(env or {})}, seconds=timeout)

    def run(self, *words, **how):
        return self.flow("run", "-q", "-j2", "-p", "salt=%d" % self.salt, *words, **how)

    def settle(self, whole=True, **oracle_how):
        """What is wrong after a fault, as lines."""
        wrong = self.nothing_lives()
        finished = self.finished()
        recovered = self.run("idle")
        if recovered.returncode != 0:
            wrong.append("recovering ends with %s: %s" % (recovered.returncode, recovered.stdout))
        wrong += self.is_back()
        done = self.run()
        if done.returncode != 0:
            wrong.append("the next run ends with %s: %s" % (done.returncode, done.stdout))
        if whole:
            wrong += oracle.violations(self.folder, **oracle_how)
        again = self.run()
        if again.returncode != 0 or "nothing to do" not in again.stdout:
            wrong.append("a further run does not say that there is nothing to do: %s" % again.stdout)
        return wrong + self.repeated(finished) + self.results() + self.starts() + self.left_behind()

    def nothing_lives(self):
        journal = oracle.read_journal(self.folder)
        if journal is None:
            return []
        with journal:
            runs = [uuid for (uuid,) in journal.rows("SELECT uuid FROM run ORDER BY id DESC LIMIT 3")]
        until = time.monotonic() + 5
        while (found := oracle.living(self.folder, runs)) and time.monotonic() < until:
            time.sleep(0.005)
        return found

    def finished(self):
        """(task, id of the last success) of the last run."""
        journal = oracle.read_journal(self.folder)
        if journal is None:
            return {}
        with journal:
            return dict(journal.rows("""SELECT task, attempt.id FROM attempt JOIN run ON run.id = attempt.run
                WHERE attempt.state = 'SUCCEEDED' AND instr(run.changed, 'salt=' || ?) > 0""", str(self.salt)))

    def repeated(self, finished):
        with oracle.read_journal(self.folder) as journal:
            return ["%s had succeeded and started again" % task for task, attempt in finished.items()
                    if journal.rows("SELECT 1 FROM attempt WHERE task = ? AND id > ?", task, attempt)]

    def is_back(self):
        """Before any stage ran again: what lay at the place of an out lies there still, whole, or the new result does."""
        wrong = ["%s lay there before and is gone" % out for out in sorted(self.before) if not os.path.lexists(self.path(out))]
        if os.path.exists(self.path("out/own")):
            with open(self.path("out/own")) as file:
                text = file.read()
            if text not in (MINE, "a%d\n" % self.salt):
                wrong.append("out/own holds what a failed attempt wrote, or a lost one: %r" % text)
        # Where nothing lay, the whole result of a recorded success does, or nothing again.
        finished = self.finished()
        for task, outs in (("prep", ("out/text", "out/folder")), ("count", ("out/counts",)), ("script", ("out/copy",)), ("idle", ("out/idle",))):
            wrong += ["%s is there, %s has not succeeded" % (out, task) for out in outs
                      if out not in self.before and task not in finished and os.path.lexists(self.path(out))]
        return wrong

    def results(self):
        want = {"out/text": "one\ntwo\n%d\n", "out/counts": "3\n", "out/copy": "one\ntwo\n%d\n", "out/own": "a%d\n",
                "out/folder/a": "a%d\n", "out/folder/deep/b": "b\n", "out/idle": "idle\n"}
        wrong = []
        for path, text in want.items():
            text = text.replace("%d", str(self.salt))
            try:
                with open(self.path(path)) as file:
                    have = file.read()
            except OSError as error:
                have = str(error)
            if have != text:
                wrong.append("%s holds %r" % (path, have))
        return wrong

    def left_behind(self):
        """`prep` leaves a process behind each time: it ended with the attempt, not with the worker."""
        with oracle.read_journal(self.folder) as journal:
            rows = journal.rows("SELECT strays FROM attempt WHERE task = 'prep' AND state = 'SUCCEEDED' ORDER BY id DESC LIMIT 1")
        return [] if rows and rows[0][0] == 1 else ["the process that prep left behind was not ended with it: %r" % rows]

    def starts(self):
        """Every start of a command has its row in the journal, and was one start."""
        with open(self.path("starts")) as file:
            starts = file.read().split()
        with oracle.read_journal(self.folder) as journal:
            known = {"%s.%d" % row for row in journal.rows("SELECT uuid, attempt.id FROM attempt JOIN run ON run.id = attempt.run")}
        wrong = ["attempt %s started and is not in the journal" % token for token in sorted(set(starts) - known)]
        return wrong + ["attempt %s started twice" % token for token in sorted(set(starts)) if starts.count(token) > 1]
