#!/usr/bin/env python3
"""Does the harness catch bugs? Each of these one-line faults is planted in a copy of the source, built, and looked for with the sweeps
and the random kills. By hand only: it takes half a minute a fault.

    tests/crash/planted.py [NAME...] [--seconds N]      a table; status 1 when a fault is not caught
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
# name, file, text, what stands there instead
PLANTED = [
    ("artifacts-outside-the-transaction", "engine/run/publish.c", "if (engine_writes(n, e) < 0)\n\t\treturn e->code;\n\tfor (i = 0; i < node->outs", "for (i = 0; i < node->outs"),
    ("no-unique-success", "engine/store/schema.sql", "CREATE UNIQUE INDEX attempt_one_success", "CREATE UNIQUE INDEX attempt_two_success"),
    ("no-sweep-of-strays", "engine/run/recover.c", "v->found->processes += exec_sweep(run->name, SWEEP_MS);", ";"),
    ("worker-outlives-flow", "engine/stage/worker.c", "if (rc == 0)\n\t\treturn -1;", "if (rc == 0)\n\t\treturn 0;"),
    ("descriptor-without-cloexec", "engine/store/project.c", '"writer.lock", O_RDWR | O_CREAT | O_CLOEXEC', '"writer.lock", O_RDWR | O_CREAT'),
    ("previous-outs-stay-away", "engine/run/recover.c", "rc = bring_back(v, folder, entry->d_name, e);", "rc = 0;"),
    ("partial-outs-stay", "engine/run/recover.c", "return tree_remove(v->project->root_fd, path, e);\n}", "return 0;\n}"),
    ("restored-outs-are-removed", "engine/run/recover.c", "was_moved(v, a->folder, path) || was_moved(v, a->earlier, path)", "false"),
    ("link-of-restored-out-is-lost", "engine/run/recover.c", "was_moved(v, a->earlier, path)", "false"),
    ("undone-attempts-undone-again", "engine/run/recover.c", "if (!was_undone(v, a) &&", "if ("),
    ("undo-forgets-partials", "engine/run/publish.c", "if (tree_move(root, path, flow, name, e) < 0 && e->code", "if (false && e->code"),
    ("undo-forgets-previous", "engine/run/publish.c", "if (a->moved == 0 || !file_exists(flow, name))", "if (true)"),
    ("no-clearing-of-work", "engine/run/recover.c", 'clear_folder(v, "work", is_any, e) < 0 || ', ""),
    ("no-clearing-of-tmp", "engine/run/recover.c", 'return clear_folder(v, ".", is_temporary, e);', "return 0;"),
    ("run-stays-open", "engine/run/recover.c", "rc == 0 ? journal_run_end(v->db, run->id, &end, e) : rc", "rc"),
    ("attempt-stays-open", "engine/run/recover.c", "return journal_attempt_end(v->db, &end, e);", "return 0;"),
    ("tasks-stay-open", "engine/run/recover.c", "'PENDING','READY','RUNNING','BACKOFF')\",", "'PENDING')\","),
    ("object-before-hash", "engine/store/objects.c", "if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)", "if (false)"),
    ("object-under-its-name-at-once", "engine/store/objects.c", "rc = file_write_atomic(o->flow_fd, temp, data, len, 0444, e);", "rc = file_write_atomic(o->flow_fd, temp, data, len, 0644, e);"),
    ("schema-in-pieces", "engine/store/db.c", 'execute(db, "BEGIN IMMEDIATE", "cannot make flow.db", e) < 0', "false"),
    ("sync-error-is-ignored", "engine/run/inbox.c", "if (n->sync.rc !=\n\t\t\t\t0)", "if (false)"),
    ("latest-before-success", "engine/run/ending.c", "record_attempt(n, a, OUTCOME_SUCCEEDED", "db_commit(&n->s->db, e) < 0 || record_attempt(n, a, OUTCOME_SUCCEEDED"),
    ("start-before-commit", "engine/run/attempt.c", "vec_push(&n->launches, slot);", "vec_push(&n->launches, slot);\n\tdb_rollback(&n->s->db);"),
    ("disk-error-goes-unsaid", "engine/run/publish.c", "if (t->rc == ERR_SYSTEM) {", "if (false) {"),
    ("slot-given-up-too-early", "engine/run/slots.c", "int flow = s->project->flow_fd;\n\tstruct stat st;\n", "int flow = s->project->flow_fd;\n\tstruct stat st;\n\tslot->taken = false;\n"),
]


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def plant(source, file, text, instead):
    path = os.path.join(source, file)
    with open(path) as handle:
        old = handle.read()
    if text not in old:
        return None
    with open(path, "w") as handle:
        handle.write(old.replace(text, instead, 1))
    return old


def build_it(build):
    return run("cmake", "--build", build, "-j", str(os.cpu_count()), "--target", "flow", "flow-worker", "flow-source", "zoo_ok",
               "fault_preload")


def look(source, build, seconds):
    """By which test it is caught."""
    tests = os.path.join(source, "tests")
    for name, command in (("sweep run", ["crash/sweep.py", build, "--only", "run", "--seconds", str(2 * seconds)]),
                          ("sweep first", ["crash/sweep.py", build, "--only", "first", "--seconds", str(8 * seconds)]),
                          ("faults", ["faults/sweep.py", build, "--seconds", str(seconds)]),
                          ("sweep recovery", ["crash/sweep.py", build, "--only", "recovery", "--seconds", str(4 * seconds)]),
                          ("random kills", ["crash/kill.sh", os.path.join(build, "flow")])):
        done = run(os.path.join(tests, command[0]), *command[1:])
        if done.returncode != 0:
            lines = [line.strip() for line in done.stdout.splitlines() if line.startswith("    ")] or done.stdout.splitlines()
            return name, lines[0] if lines else ""
    return None, ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    os.environ.setdefault("KILLS", "30")
    home, missed = tempfile.mkdtemp(prefix="planted-"), 0
    source, build = os.path.join(home, "source"), os.path.join(home, "build")
    shutil.copytree(ROOT, source, ignore=lambda folder, names: [
        name for name in names if folder == ROOT and (name == ".git" or name.startswith("build"))])
    try:
        run("cmake", "-S", source, "-B", build)
        sound = build_it(build)
        if sound.returncode != 0:
            raise SystemExit("the source does not build as it is:\n" + sound.stdout[-2000:])
        for name, file, text, instead in PLANTED:
            if options.names and name not in options.names:
                continue
            old = plant(source, file, text, instead)
            if old is None:
                print("%-36s cannot be planted: %s has changed" % (name, file), flush=True)
                missed += 1
                continue
            made = build_it(build)
            if made.returncode != 0:
                by, line = None, "does not build: " + "".join(made.stdout.splitlines()[-4:-3])
            else:
                by, line = look(source, build, options.seconds)
            missed += by is None
            print("%-36s %-15s %s" % (name, by or "NOT CAUGHT", line[:100]), flush=True)
            with open(os.path.join(source, file), "w") as handle:
                handle.write(old)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
