"""Kernels that are compiled side by side are those that are compiled one by one; who asks for one waits for it."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from autograd.config import config
from autograd.errors import UnsupportedError
from autograd.kernels import cache, compile, emit, loader, workers

SOURCE = """
f4 = np.float32
def kernel(lo, hi, args):
    x, y = pointer_f4(args, 0), pointer_f4(args, 1)
    for i in range(lo, hi):
        y[i] = {}
"""
FORMS = [
    "tanh_f4(x[i])",
    "exp_f4(x[i]) * x[i]",
    "x[i] / (f4(1) + x[i])",
    "log_f4(x[i]) - x[i]",
    "x[i] * x[i]",
    "sin_f4(x[i])",
]
ROOT = Path(__file__).parents[3]


def sources(count):
    return [SOURCE.format(f"{FORMS[k % len(FORMS)]} + f4({k})") for k in range(count)]


@pytest.fixture
def several(monkeypatch):
    """More threads than this machine may have cores."""
    monkeypatch.setattr(workers, "allowed", lambda: 4)
    monkeypatch.setattr(workers, "_threads", None)


def test_kernels_begun_together_are_those_made_one_by_one(folder, several, monkeypatch):
    texts = sources(36)
    kernels = [compile.begin(text) for text in texts]
    x, y = np.linspace(0.1, 2.0, 99, dtype=np.float32), np.empty(99, np.float32)
    words = np.array([x.ctypes.data, y.ctypes.data])
    for k in (30, 0, 35):
        kernels[k].call(0, 99, words.ctypes.data)
        np.testing.assert_allclose(y, [np.tanh(x), np.exp(x) * x, 0, 0, 0, np.sin(x)][k % 6] + np.float32(k), rtol=1e-6)
    workers.settle()
    for kernel, text in zip(kernels, texts, strict=True):
        entry = cache.Entry.unpack(next(folder.rglob(f"{kernel.key}*")).read_bytes())
        with emit.finished(emit.lowered(text, "kernel", compile.KERNEL, compile.FLAGS)) as module:
            assert entry.code == loader.emit(module)


def test_what_cannot_be_compiled_says_so_to_who_asks_for_it_and_is_tried_again(folder, several, monkeypatch):
    text = SOURCE.format("x[i] * f4(0.5)")
    monkeypatch.setattr(loader, "RUNTIME", frozenset())
    monkeypatch.setattr(emit, "_needed", lambda _: ("exit",))
    kernel = compile.begin(text)
    for _ in range(2):
        with pytest.raises(UnsupportedError, match="needs exit while it runs"):
            kernel.address  # noqa: B018
    monkeypatch.undo()
    assert compile.get(text).address
    with pytest.raises(AttributeError, match="a kernel has no adress"):
        kernel.adress  # noqa: B018


def test_a_kernel_is_kept_where_it_was_begun(tmp_path, several, monkeypatch):
    monkeypatch.setattr(compile, "_memory", {})
    with config.using(cache=tmp_path / "one"):
        kernel = compile.begin(SOURCE.format("x[i]"))
    with config.using(cache=tmp_path / "other"):
        assert kernel.address
    assert len(list((tmp_path / "one").rglob("*.kernel"))) == 1
    assert not (tmp_path / "other").exists()


def test_threads_that_ask_for_one_kernel_get_the_same(folder, several):
    found = []
    texts = sources(8)
    threads = [threading.Thread(target=lambda: found.extend(compile.get(t).address for t in texts)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 32
    assert len(set(found)) == 8


FORK = """
import os, sys, warnings
import numpy as np
warnings.simplefilter("ignore", DeprecationWarning)  # Python's, from 3.12 on: a process with threads is forked
from autograd.config import config
from autograd.kernels import compile, workers
config.cache = sys.argv[1]
workers.allowed = lambda: 4
source = "def kernel(lo, hi, args): args[0] = {}"
kernels = [compile.begin(source.format(k)) for k in range(20)]
children = []
for k in range(4):
    pid = os.fork()
    if pid == 0:
        words = np.zeros(1, np.int64)
        mine = [*kernels, compile.begin(source.format(100 + k))]
        for number, kernel in zip([*range(20), 100 + k], mine, strict=True):
            kernel.call(0, 1, words.ctypes.data)
            assert words[0] == number
        os._exit(0)
    children.append(pid)
print([os.waitpid(pid, 0)[1] for pid in children])
"""

if hasattr(os, "fork"):

    def test_a_child_of_a_process_that_compiles_has_its_kernels_and_compiles_its_own(tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", FORK, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("[0, 0, 0, 0]\n", "")
