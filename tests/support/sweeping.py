"""Many small trials on all processors, as many as a time allows.

    for answer in swept(function, jobs, workers, seconds, set_up, arguments): ...

function(job) runs in a process of its own, which began with set_up(*arguments); answers come in any order. The jobs are taken in an
order that spreads any beginning of it over all of them: who has little time sees a sample, not a corner.
"""
import math
import multiprocessing
import threading
import time


def spread(items):
    step = max(1, round(len(items) / 1.6180339887))
    while items and math.gcd(step, len(items)) != 1:
        step += 1
    return [items[i * step % len(items)] for i in range(len(items))]


def taken(jobs, until, room, over):
    """One job after the other, not all at once: the clock decides how many there are."""
    for job in jobs:
        room.acquire()
        if over.is_set() or time.monotonic() > until:
            return
        yield job


def swept(function, jobs, workers, seconds, set_up, arguments):
    room, over, until = threading.Semaphore(2 * workers), threading.Event(), time.monotonic() + seconds
    with multiprocessing.Pool(workers, set_up, arguments) as pool:
        try:
            for answer in pool.imap_unordered(function, taken(jobs, until, room, over)):
                room.release()
                yield answer
        finally:  # the thread that takes jobs may wait for room
            over.set()
            room.release()
