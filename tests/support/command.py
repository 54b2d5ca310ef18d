"""A command that may hang. What it says goes to a file: into a pipe, what a killed flow leaves behind would hold the test up.

    done = command.run(argv, said="folder.said", cwd=folder, env=os.environ, seconds=30)
    done.returncode, done.stdout        "hangs": it did not end in that time, and was killed

Nothing is polled (Popen.wait with a time limit looks 20 times a second, which is longer than a run of flow takes).
"""
import os
import select
import subprocess


def ends(process, seconds):
    """Whether it ends in that time, or has ended."""
    if process.poll() is not None:
        return True
    pid = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(pid, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(pid)


def run(argv, said, cwd, env, seconds):
    with open(said, "w+") as file:
        process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        code = "hangs"
        if ends(process, seconds):
            code = process.wait()
        else:
            process.kill()
            process.wait()
        file.seek(0)
        return subprocess.CompletedProcess(argv, code, file.read(), "")
