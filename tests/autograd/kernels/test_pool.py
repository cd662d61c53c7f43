"""The pool of threads: every slice once, whoever calls, forks, interrupts or ends."""

import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from autograd.config import config
from autograd.errors import ArgumentError
from autograd.kernels import compile, pool, team

ROOT = Path(__file__).parents[3]
COUNT = """
def kernel(lo, hi, args):
    seen, calls = pointer_i8(args, 0), args[1]
    atomic_add(calls, 1)
    for i in range(lo, hi):
        seen[i] += 1
"""
NEIGHBOUR = """
def kernel(lo, hi, args):
    x, y, n = pointer_f8(args, 0), pointer_f8(args, 1), args[2]
    for i in range(lo, hi):
        y[i] = x[n - 1 - i] + 1.0
"""
PARTIALS = """
def kernel(lo, hi, args):
    x, bounds, total = pointer_f4(args, 0), pointer_i8(args, 1), pointer_f4(args, 2)
    for block in range(lo, hi):
        s = np.float32(0)
        for i in range(bounds[block], bounds[block + 1]):
            s += x[i]
        total[block] = s
"""


@pytest.fixture
def cores(monkeypatch):
    """Pretend to be allowed four cores, whatever the machine has, with a pool of its own."""
    monkeypatch.setattr(pool, "allowed", lambda: 4)
    monkeypatch.setattr(pool, "_team", None)
    monkeypatch.setattr(pool, "_threads", 4)
    yield 4
    if pool._team is not None:
        pool._team.stop()


def words(*values):
    return np.array([v.ctypes.data if isinstance(v, np.ndarray) else v for v in values], np.int64)


def count(n, threads=None):
    """How often each of n elements was visited, and the number of calls."""
    seen, calls = np.zeros(n, np.int64), np.zeros(1, np.int64)
    args = words(seen, calls)
    pool.run(compile.get(COUNT).address, n, args.ctypes.data, threads)
    return seen, int(calls[0])


# ---- one job


@pytest.mark.parametrize("threads", [None, 1, 2, 3, 4, 99])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 100, 4095, 4096, 100_003])
def test_every_element_is_visited_once(n, threads, cores):
    for _ in range(20):
        seen, calls = count(n, threads)
        assert (seen == 1).all()
        assert calls <= min(threads or 4, 4)


def test_a_job_is_cut_into_a_slice_for_each_thread(cores):
    assert [count(100_000, threads)[1] for threads in (1, 2, 3, 4, None)] == [1, 2, 3, 4, 4]


def test_one_thread_gathers_no_pool(cores):
    assert count(1000, threads=1)[1] == 1
    pool.run_table([compile.get(COUNT).address], [0], [words(np.zeros(1), np.zeros(1)).ctypes.data], threads=1)
    assert pool._team is None


@pytest.mark.parametrize("spin", [0.0, 20.0])
def test_threads_that_sleep_are_woken(spin, cores):
    with config.using(spin=spin, linger=spin):
        for k in range(100):
            seen, calls = count(5000)
            assert (seen == 1).all()
            assert calls == 4
            time.sleep(0.001 * (k % 3))


def test_sleeping_threads_use_no_time(cores):
    count(5000)
    time.sleep(0.05)
    assert pool._team._words[team.SLEEPERS] == 3


if sys.platform == "linux":

    def test_a_thread_leaves_the_core_of_the_caller(cores):
        allowed = sorted(os.sched_getaffinity(0))
        home = allowed[0]
        count(5000)
        members = [member.native_id for member in pool._team._members]
        try:
            for thread in (0, *members):
                os.sched_setaffinity(thread, {home})
            for _ in range(200):
                count(5000)
                time.sleep(0.001)
        finally:
            os.sched_setaffinity(0, allowed)
        others = set(allowed[1:]) or {home}  # there is nowhere else to go
        assert others in [os.sched_getaffinity(member) for member in members]


# ---- a table


@pytest.mark.parametrize("threads", [None, 1, 2, 3])
@pytest.mark.parametrize("n", [1, 5, 3000])
def test_each_entry_of_a_table_sees_the_results_of_the_one_before(n, threads, cores):
    kernel, length = compile.get(NEIGHBOUR).address, 30
    x = np.random.default_rng(n).standard_normal(n)
    values = [x, *np.zeros((length, n))]
    args = [words(a, b, n) for a, b in pairwise(values)]
    parallel = [k % 3 != 1 for k in range(length)]
    table = pool.Table([kernel] * length, [n] * length, [a.ctypes.data for a in args], parallel)
    for _ in range(20):
        values[-1][:] = 0
        table.run(threads)
        np.testing.assert_array_equal(values[-1], _chain(x, length))


def _chain(x, length):
    for _ in range(length):
        x = x[::-1] + 1.0
    return x


def test_columns_of_a_table_are_of_one_length():
    with pytest.raises(ArgumentError, match=r"columns of \[2, 1, 1, 2\] entries"):
        pool.Table([0, 0], [1], [0])


# ---- the number of threads


def test_the_number_of_threads_is_what_was_asked_for_within_what_is_allowed(cores):
    for asked, given in [(1, 1), (3, 3), (2, 2), (4, 4), (1000, 4)]:
        pool.set_num_threads(asked)
        assert pool.get_num_threads() == given
        assert count(100_000)[1] == given


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2", None])
def test_a_number_of_threads_that_is_none_is_refused(n):
    with pytest.raises(ArgumentError, match="Expected a whole number, 1 or more"):
        pool.set_num_threads(n)


def test_a_larger_team_replaces_a_smaller_one_and_ends_its_threads(cores):
    before = threading.active_count()
    pool.set_num_threads(2)
    count(100)
    assert threading.active_count() == before + 1
    pool.set_num_threads(4)
    count(100)
    assert threading.active_count() == before + 3


@pytest.mark.parametrize("n", [1, 100, 4096, 4097, 10**6, 10**9])
def test_blocks_cover_everything_and_know_only_its_size(n):
    bounds = pool.blocks(n)
    sizes = np.diff(bounds)
    assert (bounds[0], bounds[-1]) == (0, n)
    assert (sizes > 0).all()
    assert len(sizes) <= 64
    assert (sizes[:-1] >= 4096).all()


def test_a_sum_has_the_same_bits_with_any_number_of_threads(cores):
    x = np.random.default_rng(0).standard_normal(300_001).astype(np.float32)
    bounds = np.array(pool.blocks(x.size))
    sums = []
    for threads in (1, 2, 3, 4, None):
        partial = np.zeros(len(bounds) - 1, np.float32)
        args = words(x, bounds, partial)
        kernel = compile.get(PARTIALS, flags=("contract", "nsz", "reassoc"))
        pool.run(kernel.address, partial.size, args.ctypes.data, threads)
        sums.append(partial.sum())
    assert len({s.tobytes() for s in sums}) == 1
    np.testing.assert_allclose(sums[0], x.sum(dtype=np.float64), atol=1e-2)


# ---- who calls


def test_four_threads_that_call_at_once_are_all_served(cores):
    wrong = []

    def caller():
        wrong.extend(k for k in range(300) if not (count(20_000)[0] == 1).all())

    callers = [threading.Thread(target=caller) for _ in range(4)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert wrong == []
    assert count(20_000)[1] == 4  # the pool is free again


def test_threads_may_change_their_number_while_others_work(cores):
    wrong, done = [], threading.Event()

    def caller():
        while not done.is_set():
            wrong.extend([1] * (not (count(20_000)[0] == 1).all()))

    callers = [threading.Thread(target=caller) for _ in range(2)]
    for thread in callers:
        thread.start()
    for k in range(30):
        pool._threads = 1 + k % 4
        pool._team.stop() if pool._team else None
        pool._team = None
    done.set()
    for thread in callers:
        thread.join()
    assert wrong == []


def test_a_stopped_team_serves_serially(cores):
    count(100)
    stopped = pool._team
    stopped.stop()
    seen, calls = count(100_000)
    assert pool._team is stopped
    assert (seen == 1).all()
    assert calls == 1


def test_a_system_without_known_primitives_works_serially(cores, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    before = threading.active_count()
    seen, calls = count(100_000)
    assert (seen == 1).all()
    assert calls == 1
    assert threading.active_count() == before


# ---- processes: each script prints "right" and ends by itself

HEAD = f"""
import os, signal, sys, threading, time
import numpy as np
from autograd.kernels import compile, pool
pool.allowed = lambda: 4
pool.set_num_threads(4)
def count(n=100_000):
    seen, calls = np.zeros(n, np.int64), np.zeros(1, np.int64)
    args = np.array([seen.ctypes.data, calls.ctypes.data])
    pool.run(compile.get({COUNT!r}).address, n, args.ctypes.data)
    assert (seen == 1).all()
    return int(calls[0])
"""
SCRIPTS = {
    "exit": "assert count() == 4",
    "exit while a thread works": """
    threading.Thread(target=lambda: [count() for _ in iter(int, 1)], daemon=True).start()
    time.sleep(0.1)
    assert (count() > 0)
    """,
    "a job at exit": """
    import atexit
    atexit.register(count)
    assert count() == 4
    atexit.register(count)
    """,
    "a keyboard interrupt": """
    def interrupt(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, interrupt)
    interrupted = 4 - count()
    while interrupted < 30:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.001 + 0.0001 * interrupted)
            while True:
                count(50_000)
        except KeyboardInterrupt:
            interrupted += 1
    assert count() == 4
    """,
    "fork": """
    def child():
        assert pool._team is None
        assert [count() for _ in range(50)] == [4] * 50
        with pool._lock, compile._lock:
            compile.get("def kernel(lo, hi, args): args[0] = 1")
    assert count() == 4
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            try:
                child()
            except BaseException:
                os._exit(1)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert count() == 4
    """,
    "fork while a thread works": """
    running = True
    def work():
        while running:
            count()
    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if [count() for _ in range(10)] == [4] * 10 else 1)
        assert os.waitpid(pid, 0)[1] == 0
    running = False
    worker.join()
    """,
    "fork, and the child ends as programs do": """
    assert count() == 4
    pid = os.fork()
    assert count() == 4
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
    else:
        sys.stdout = None
    """,
}
if not hasattr(os, "fork"):
    SCRIPTS = {name: text for name, text in SCRIPTS.items() if "fork" not in name and "interrupt" not in name}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_process_works_and_ends(script):
    text = HEAD + "\n".join(line[4:] if line.startswith("    ") else line for line in script.split("\n"))
    done = subprocess.run(
        # Python 3.12 warns of every fork beside threads; that ours are safe is what is tested here
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", f"{text}\nprint('right')"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "right\n", "")


AFFINITY = """
import os, threading
cores = 1
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
else:
    cores = os.cpu_count()
from autograd.kernels import pool, team
assert pool.get_num_threads() == pool.allowed() == cores
pool.set_num_threads(cores + 7)
assert pool.get_num_threads() == cores
pool.run(team.compile.get("def kernel(lo, hi, args): pass").address, 10**6, 0)
assert threading.active_count() == cores
print("right")
"""


def test_never_more_threads_than_the_process_may_run_on():
    done = subprocess.run(
        [sys.executable, "-c", AFFINITY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("right\n", "")
