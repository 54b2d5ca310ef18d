#!/usr/bin/env python3
"""Does the harness catch bugs? Each of these faults is planted in a copy of the source, built, and looked for with the test that is
there to catch it. By hand only: it takes half a minute a fault.

    tests/crash/planted.py [NAME...] [--seconds N] [--jobs N] [--limit SECONDS] [--sure]     a table; status 1 when a fault is not caught
    tests/crash/planted.py --check                                                  can every fault still be planted?

A row: name, where it must be caught (one or several tests, tried in this order), file, text, what stands there instead. White space of the
text counts as one space. A fault that cannot be planted or built is an error, and so is a test that does not pass without any.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PUBLISH, RECOVER, OBJECTS, RUN = "engine/run/publish.c", "engine/run/recover.c", "engine/store/objects.c", "engine/run/run.c"
DURABLE, GROUP, SESSION = "engine/run/durable.c", "engine/stage/cgroup.c", "engine/run/session.c"
PLANTED = [
    # The order of effects.
    ("told-and-shown-before-the-commit", "points", RUN, "if (db_commit(db, e) < 0) return e->code; durable_committed",
     "if (after_commit(n, e) < 0 || db_commit(db, e) < 0)\n\t\treturn e->code;\n\tdurable_committed"),
    ("artifacts-outside-the-transaction", "run", PUBLISH, 'engine_writes(n, e) < 0) return e->code; for (i = 0; i < node->outs',
     "false)\n\t\treturn e->code;\n\tfor (i = 0; i < node->outs"),
    ("success-in-two-commits", "points", "engine/run/ending.c", "record_attempt(n, a, OUTCOME_SUCCEEDED",
     "db_commit(&n->s->db, e) < 0 || record_attempt(n, a, OUTCOME_SUCCEEDED"),
    ("recorded-but-not-stored", "run", OBJECTS, "if (o != NULL && put_in(o, &t, e) < 0)", "if (false)"),
    ("started-before-it-is-recorded", "points", "engine/run/attempt.c", "vec_push(&n->launches, slot); return 0;",
     "return attempt_launch(n, a, e);"),
    ("no-sync", "faults", DURABLE, "project_sync(d->project) < 0", "false"),
    ("no-sync-before-a-cut", "cut", DURABLE, "project_sync(d->project) < 0", "false"),
    ("sync-error-is-ignored", "points:sync.begin", DURABLE, "if (d->rc == 0)", "if (true)"),
    ("schema-in-pieces", "points first", "engine/store/schema.c", 'int rc = execute(handle, "BEGIN IMMEDIATE"); if (rc == SQLITE_OK) '
     'rc = execute(handle, flow_schema_sql); return rc == SQLITE_OK ? commit(handle) : rc;',
     "return FAILPOINT(\"db.schema\", NULL) < 0 ? SQLITE_FULL : execute(handle, flow_schema_sql);"),
    # Power loss, with the outcome at which it matters.
    ("durable-before-the-sync", "directed:sync_under_way", DURABLE, "d->busy = true;", "d->busy = true;\n\td->synced = d->covering;"),
    ("young-outs-are-not-checked", "directed:object_of_a_young_success", RECOVER, "check_young(v, durable, e) < 0)", "false)"),
    ("no-sync-after-a-quarantine", "directed:mended_and_lost_again", RECOVER, "v->put_aside > 0 && project_sync(v->project) < 0", "false"),
    ("damage-is-called-durable", "directed:damaged_and_lost_again", RECOVER, "v->found->damaged > 0 ? durable : last", "last"),
    ("times-are-believed-after-a-reboot", "directed:edited_in_place", SESSION, "if (!rebooted && stats_load", "if (s->has_db && stats_load"),
    ("plans-believe-times-after-a-reboot", "directed:edited_in_place", SESSION, "if (!rebooted &&",
     "if (s->has_db && (!rebooted || s->options.mode == PROJECT_READ) &&"),
    ("times-outlive-a-reboot", "directed:out_with_its_times", RECOVER, '"DELETE FROM file"', '"DELETE FROM file WHERE 0"'),
    ("shared-store-is-not-synced", "directed:store_of_its_own", "engine/store/project.c",
     "p->store_fd != p->flow_fd && syncfs(p->store_fd) < 0", "false"),
    # The journal.
    ("no-unique-success", "run", "engine/store/schema.sql", "CREATE UNIQUE INDEX attempt_one_success", "CREATE INDEX attempt_one_success"),
    ("an-event-is-not-written", "run", "engine/store/schema.sql", "CREATE TRIGGER attempt_event AFTER UPDATE OF state ON attempt BEGIN",
     "CREATE TRIGGER attempt_event AFTER UPDATE OF state ON attempt WHEN NEW.state <> 'LOST' BEGIN"),
    ("any-move-is-allowed", "unit.db", "engine/store/schema.sql", "BEGIN SELECT RAISE(ABORT, 'an attempt may not move so'); END;",
     "BEGIN SELECT 1; END;"),
    ("back-off-is-lost", "cli.wait-survives-a-crash", "engine/run/act.c", "if (a->state == TASK_BACKOFF &&", "if (false &&"),
    ("lost-attempts-are-free", "unit.retry", "engine/run/retry.c", "return losses < LOST_BUDGET;", "return true;"),
    ("log-of-a-failure-is-not-kept", "run", "engine/run/slots.c", "return copy_log(s, slot, folder, e);", "return 0;"),
    # The lock, descriptors, processes.
    ("lock-is-not-taken", "cli.busy", "engine/store/project.c", "fcntl(p->lock_fd, F_OFD_SETLK, &lock) < 0", "lock.l_type != F_WRLCK"),
    ("lock-without-cloexec", "unit.project", "engine/store/project.c", '"writer.lock", O_RDWR | O_CREAT | O_CLOEXEC',
     '"writer.lock", O_RDWR | O_CREAT'),
    ("worker-outlives-flow", "run", "engine/stage/worker.c", "if (rc == 0) return -1;", "if (rc == 0)\n\t\treturn 0;"),
    ("worker-is-no-subreaper", "run", "engine/stage/supervise.c", "prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0", "false"),
    ("strays-outlive-their-attempt", "run", "engine/stage/supervise.c", "owner->has_left = false; kill_tree(s, stray->pid);", ";"),
    ("recovery-kills-of-other-runs", "unit.exec", "engine/run/exec_local.c", "strncmp(at + 13, run, n) == 0", "n > 0"),
    ("recovery-kills-after-a-reboot", "cli.rebooted", RECOVER, "if (strcmp(run->boot, boot_id(boot)) == 0)", "(void)boot;\n\tif (true)"),
    ("no-sweep-of-strays", "kills cli.both-killed", RECOVER, "v->found->processes += exec_sweep(run->name, SWEEP_MS);", ";"),
    ("attempts-of-a-dead-worker-are-forgotten", "points:worker.ended", "engine/run/inbox.c", "if (lose(n, a, e) < 0) return e->code;", ""),
    # What lies in the work tree.
    ("previous-outs-stay-away", "run", RECOVER, "rc = bring_back(v, folder, entry->d_name, e);", "rc = 0;"),
    ("partial-outs-stay", "first points", RECOVER, "return tree_remove(v->project->root_fd, path, e); }", "return 0;\n}"),
    ("restored-outs-are-removed", "recovery", RECOVER, "was_moved_by_any(v, a, path)", "false"),
    ("link-of-a-restored-out-is-lost", "run", RECOVER, "was_moved(v, a->earlier, path)", "false"),
    ("undone-attempts-are-undone-again", "points:slots.kept", RECOVER, "if (!file_exists(v->project->flow_fd, a->folder))", "if (false)"),
    ("undo-forgets-partial-outs", "cli.failing cli.previous-outs-come-back", PUBLISH, "(tree_move(root, path, flow, name, e) < 0 && e->code", "(false && e->code"),
    ("undo-forgets-previous-outs", "run", PUBLISH, "if (a->moved == 0 || !file_exists(flow, name))", "if (true)"),
    ("nothing-is-moved-aside", "run", "engine/run/attempt.c", "if (!file_exists(root, path)) return 0;", "if (true)\n\t\treturn 0;"),
    ("slot-is-given-up-too-early", "points:slots.keep", "engine/run/slots.c", "int flow = s->project->flow_fd; struct stat st;",
     "int flow = s->project->flow_fd;\n\tstruct stat st;\n\tslot->taken = false;"),
    ("no-clearing-of-work", "run", RECOVER, 'clear_all_work(v, e) < 0 ||', ""),
    ("no-clearing-of-tmp", "points:file.rename", RECOVER, 'return clear_folder(v, ".", is_temporary, e);', "return 0;"),
    # What stays open.
    ("run-stays-open", "run", RECOVER, "return rc == 0 ? journal_run_end(v->db, run->id, &end, e) : rc;", "return rc;"),
    ("attempt-stays-open", "run", RECOVER, "return journal_attempt_end(v->db, &end, e);", "(void)end;\n\treturn 0;"),
    ("tasks-stay-open", "run", RECOVER, "\"('PENDING','READY','RUNNING','BACKOFF')\",", "\"('PENDING')\","),
    # The store, and what it is told.
    ("object-keeps-its-mode", "run", OBJECTS, "if ((t->st.st_mode & 07777) != t->mode && fchmod(t->fd, t->mode) < 0)", "if (false)"),
    ("object-may-be-written", "run", OBJECTS, "rc = file_write_atomic(o->store_fd, temp, data, len, 0444, e);",
     "rc = file_write_atomic(o->store_fd, temp, data, len, 0644, e);"),
    ("cut-objects-are-believed", "unit.objects", OBJECTS, "sys == EEXIST && !is_sound(o, path, t->made)", "sys == -1"),
    ("damaged-objects-are-served", "unit.objects", OBJECTS,
     "if (fstat(fd, &st) < 0 || file_hash(fd, &st, &found, e) < 0 || !digest_same(&found, d))", "(void)found;\n\tif (fstat(fd, &st) < 0)"),
    ("missing-out-is-a-success", "cli.out-missing", PUBLISH, "t->rc == ERR_NOTFOUND && (out->flags & OUT_OPTIONAL) != 0",
     "t->rc == ERR_NOTFOUND"),
    ("disk-error-is-the-stage's", "points:object.take", PUBLISH, "if (err_is_machine(t->error)) {", "if (false) {"),
    ("young-files-are-believed", "unit.stats", "engine/store/stats.c", "(state_of(s, entry) != ENTRY_FRESH && is_racy(entry))", "false"),
    # gc.
    ("gc-takes-from-others", "race", "engine/store/gc.c", "shared_each(p, claim_of_other, g, e) < 0 ||", ""),
    ("gc-takes-from-the-pinned", "race", "engine/store/needs.c", "pinned_ms IS NOT NULL", "pinned_ms IS NULL AND 1 = 0"),
    ("gc-while-others-work", "race", "engine/store/shared.c", "try_lock(p, F_WRLCK, e)", "0"),
    ("gc-does-not-record", "gc", "engine/store/gc.c", "if (record_evicted(g, e) < 0 ||", "if ("),
    # Control groups.
    ("pids-before-memory", "vm", GROUP, "if (move_processes(c->fd)) {", 'c->has_pids = enable(c->fd, "pids");\n\tif (move_processes(c->fd)) {'),
    ("half-a-group-is-killed", "vm", GROUP, 'write_file(g->fd, "memory.oom.group", "1") &&', ""),
    ("groups-outlive-their-worker", "vm", "engine/stage/supervise.c", "are_gone = remove_groups(s);", "are_gone = true;"),
    ("groups-of-the-dead-stay", "vm", GROUP, "clear_old(c->fd);", ";"),
    ("groups-in-groups-stay", "vm", GROUP, "remove_nested(g->fd, 0);", ";"),
    ("groups-that-none-may-enter", "vm", GROUP, "if (!may_enter(c)) {", "if (false) {"),
    ("the-root-is-divided", "vm", GROUP, 'faccessat(fd, "cgroup.type", F_OK, 0) == 0', "true"),
    ("a-group's-dead-are-the-machine's", "vm", "engine/stage/supervise.c", "s->kills += kills - a->kills;", ";"),
    ("the-machine's-dead-are-a-group's", "vm", GROUP, 'read_event(g->fd, "memory.events", "oom") > 0 &&', ""),
    ("parameters-are-not-in-the-key", "unit.key", "engine/plan/key.c", "put_fields(out, PART_PARAM, g, n->params);", ""),
]
BUILT = ("flow", "flow-worker", "flow-source", "zoo_ok", "zoo_folder", "zoo_leaks", "fault_preload", "power_record", "other_boot", "slow_sync")


def command_of(test, source, build, options, short):
    """How the harness is asked."""
    tests, jobs = os.path.join(source, "tests"), ["--jobs", str(options.jobs), "--stop"]
    if test == "race":
        return [tests + "/crash/gc_race.py", build, "--seconds", str(short)]
    if test in ("run", "first", "recovery", "gc", "migration"):
        times = {"run": 2, "first": 4, "recovery": 3, "gc": 20, "migration": 20}[test]
        return [tests + "/crash/sweep.py", build, "--only", test, "--seconds", str(times * short), *jobs]
    if test.startswith("points"):  # all of them, or one by its name
        one = ["--point", test[7:]] if test != "points" else []
        return [tests + "/crash/points.py", build, "--seconds", str(2 * short), *one, *jobs]
    if test == "faults":
        return [tests + "/faults/sweep.py", build, "--seconds", str(short), *jobs]
    if test == "kills":
        return ["env", "KILLS=60", "LANES=%d" % options.jobs, "SEED=1", tests + "/crash/kill.sh", build + "/flow"]
    if test == "vm":
        return [tests + "/vm/run.sh", build]
    if test == "cut":
        return [tests + "/vm/cut.py", build, "--rounds", str(int(short // 2))]
    if test.startswith("directed:"):
        return [sys.executable, tests + "/power/directed.py", build, test[9:]]
    return ["ctest", "--test-dir", build, "-R", "^%s$" % re.escape(test), "--output-on-failure", "--no-tests=error"]


class Garden:
    """A copy of the source with its build, and the processes that were started in it."""

    def __init__(self, options):
        self.options = options
        self.home = tempfile.mkdtemp(prefix="planted-")
        self.source, self.build = os.path.join(self.home, "source"), os.path.join(self.home, "build")
        temp = os.path.join(self.home, "tmp")
        os.mkdir(temp)
        self.env, self.temp = {**os.environ, "FLOW_TEST_GARDEN": self.home}, temp
        shutil.copytree(ROOT, self.source, ignore=lambda folder, names: [
            name for name in names if folder == ROOT and (name == ".git" or name.startswith("build"))])

    def run(self, *words, limit=None):
        """Exit status ("late" when the limit ends it) and what it said. All of its processes are gone afterwards."""
        # Transcripts know /tmp.
        env = self.env if words[0] == "ctest" else {**self.env, "TMPDIR": self.temp}
        with open(os.path.join(self.home, "said"), "w+") as said:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, env=env,
                                       start_new_session=True)
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                code = "late"
            self.clear_away()
            process.wait()
            said.seek(0)
            return code, said.read()

    def clear_away(self):
        """A planted fault may leave anything running: whatever bears our mark, or is a program of ours."""
        mark, prefix, found = b"FLOW_TEST_GARDEN=" + self.home.encode(), self.home + "/", True
        while found:
            found = False
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open("/proc/%s/environ" % pid, "rb") as file:
                        ours = mark in file.read().split(b"\0") or os.readlink("/proc/%s/exe" % pid).startswith(prefix)
                    if ours:
                        with open("/proc/%s/stat" % pid) as file:
                            ours = file.read().rpartition(")")[2].split()[0] not in "ZX"
                    if ours:
                        found = True
                        os.kill(int(pid), signal.SIGKILL)
                except OSError:
                    continue
            if found:
                time.sleep(0.02)

    def make(self, targets=BUILT):
        return self.run("cmake", "--build", self.build, "-j", str(self.options.jobs), "--target", *targets)

    def prepare(self):
        code, said = self.run("cmake", "-S", self.source, "-B", self.build, "-DFLOW_FAILPOINTS=ON", "-DCMAKE_C_FLAGS_RELEASE=-O0")
        if code == 0:
            code, said = self.make()
        if code != 0:
            raise SystemExit("the source does not build as it is:\n" + said[-2000:])

    def look(self, tests, seconds):
        """(the test that catches it or None, the line that says so)"""
        for test in tests:
            if test.startswith("unit."):
                code, said = self.make(["test_" + test[5:]])
                if code != 0:
                    raise SystemExit("%s does not build:\n%s" % (test, said[-2000:]))
            command = command_of(test, self.source, self.build, self.options, seconds)
            code, said = self.run(*command, limit=self.options.limit)
            if code not in (0, "late") and command[0] == "ctest":
                code, said = self.run(*command, limit=self.options.limit)  # a busy machine is no fault: it must fail twice
            if code in (77, 126, 127):
                raise SystemExit("%s cannot be asked: %s" % (test, said[-500:]))
            if code == "late":
                return None, "%s did not end in time" % test
            if code != 0:
                lines = said.splitlines()
                mark = r"^[-+] |rror: Failure|\[  FAILED" if command[0] == "ctest" else r"^  [-+]\w" if test == "vm" else "^    "
                telling = [line.strip() for line in lines if re.search(mark, line)]
                return test, (telling or lines or [""])[0]
        return None, ""

    def close(self):
        self.clear_away()
        shutil.rmtree(self.home, ignore_errors=True)


def pattern_of(text):
    return re.compile(r"\s+".join(re.escape(word) for word in text.split()))


def plant(folder, file, text, instead):
    """The text of the file with the fault in it; an error when the place is not there, or not the only one."""
    with open(os.path.join(folder, file)) as handle:
        old = handle.read()
    places = pattern_of(text).findall(old)
    if len(places) != 1:
        raise SystemExit("%s: %d places hold `%s`" % (file, len(places), text))
    return old, pattern_of(text).sub(lambda _: instead, old)


def write(path, text):
    with open(path, "w") as handle:
        handle.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--check", action="store_true", help="only see that each can be planted")
    parser.add_argument("--sure", action="store_true", help="the tests are known to pass without a fault")
    parser.add_argument("--seconds", type=float, default=20, help="for one look with a sweep")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=float, default=300, help="seconds for one look")
    options = parser.parse_args()
    unknown = set(options.names) - {row[0] for row in PLANTED}
    if unknown:
        raise SystemExit("there is no fault %s" % ", ".join(sorted(unknown)))
    rows = [row for row in PLANTED if not options.names or row[0] in options.names]
    for _, _, file, text, instead in rows:
        plant(ROOT, file, text, instead)
    if options.check:
        print("%d can be planted" % len(rows))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is planted is cleared away
    garden, caught = Garden(options), 0
    try:
        garden.prepare()
        for test in sorted({test for row in rows for test in row[1].split() if not options.sure}):
            by, line = garden.look([test], options.seconds / 4)
            if by is not None or line:
                raise SystemExit("%s does not pass without a fault: %s" % (test, line))
            print("%-40s passes without a fault" % test, flush=True)
        for name, tests, file, text, instead in rows:
            old, new = plant(garden.source, file, text, instead)
            write(os.path.join(garden.source, file), new)
            code, said = garden.make()
            if code != 0:
                raise SystemExit("%s does not build:\n%s" % (name, said[-2000:]))
            by, line = garden.look(tests.split(), options.seconds)
            caught += by is not None
            print("%-40s %-20s %s" % (name, by or "NOT CAUGHT", line[:110]), flush=True)
            write(os.path.join(garden.source, file), old)
    finally:
        garden.close()
    print("%d planted, %d caught" % (len(rows), caught))
    return 0 if caught == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
