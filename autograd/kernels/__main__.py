"""`python -m autograd.kernels`: look at the compiled kernels on disk, check them, delete them, make them beforehand.

list     every kernel in the cache: size, name, versions
verify   read every one and check its checksum and key; exit status 1 if one is damaged
clear    delete them all
warm     compile what can be compiled beforehand, for a machine image; also `warm module:function ...`, each of which is
         called without arguments; exit status 2 if one cannot be
doctor   what is there, what is missing, what it costs
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import threadpoolctl

from autograd.config import config
from autograd.errors import ArgumentError, WengertError, words_of
from autograd.kernels import blas, cache, compile, loader, pool, team, workers

WARM: tuple[str, ...] = ()  # functions, "module:function", that compile kernels when they are called
_NEEDED = ("numpy", "numba", "llvmlite", "scipy", "threadpoolctl")
_WIDTHS = {"+avx512f": 512, "+avx2": 256, "+avx": 256, "+sve": 128, "+neon": 128, "+sse2": 128}
_SCALE = "def kernel(lo, hi, args):\n    x = pointer_f8(args, 0)\n    for i in range(lo, hi):\n        x[i] *= 0.5\n"


def listing() -> int:
    """Print every entry."""
    for path, entry in cache.entries():
        if entry is None:
            print(f"{path.name[:12]}  damaged")
            continue
        f = entry.fields
        print(f"{path.name[:12]}  {len(entry.code):8,} bytes  {f.get('name')}  numba {f.get('numba')}  {f.get('cpu')}")
    return 0


def verify() -> int:
    """Check every entry; 1 if one is damaged."""
    found = list(cache.entries())
    bad = [path for path, entry in found if entry is None]
    for path in bad:
        print(f"damaged: {path}")
    print(f"{len(found) - len(bad)} of {len(found)} kernels in {config.cache} are as they were written.")
    return int(bool(bad))


def clear() -> int:
    """Delete every entry."""
    print(f"{cache.clear()} kernels deleted from {config.cache}.")
    return 0


def warm(targets: list[str]) -> int:
    """Compile the pool, the products, and what the targets compile."""
    before = time.perf_counter()
    team.native()
    square = np.ones((128, 128))
    for dtype in (np.float32, np.float64):
        blas.matmul(square.astype(dtype), square.astype(dtype))
    for target in (*WARM, *targets):
        try:
            _called(target)
        except Exception as error:  # whatever the function or its module says
            print(f"{target}: {words_of(error)}", file=sys.stderr)
            return 2
    found = cache.summary()
    print(f"{found['entries']} kernels in {found['folder']}, after {time.perf_counter() - before:.1f} s.")
    return 0


def _called(target: str) -> None:
    """Call a function that compiles kernels."""
    module, _, name = target.partition(":")
    if not module or not name:
        raise ArgumentError(f"{target!r} names no function. Expected module:function that takes no arguments.")
    sys.path.insert(0, "")  # as `python -m` of the module itself would find it
    getattr(importlib.import_module(module), name)()


def doctor() -> int:
    """Print what is there, what is missing and what it costs; 1 if kernels cannot run."""
    for name in _NEEDED:
        print(f"{name:14} {_version(name)}")
    fields = loader.machine_fields()
    features = fields["features"].split(",")
    width = next((bits for feature, bits in _WIDTHS.items() if feature in features), 64)
    print(f"{'processor':14} {fields['cpu']}, {fields['triple']}, vectors of {width} bits")
    print(f"{'cores':14} {workers.allowed()} allowed of {os.cpu_count()}, {pool.get_num_threads()} threads in use")
    found = cache.summary()
    print(f"{'cache':14} {found['folder']}: {found['entries']} kernels, {found['bytes'] / 1024:.0f} KiB, {_writable()}")
    print(f"{'kernels':14} {'on' if config.kernels else 'off: config.kernels is False'}")
    try:
        costs()
    except WengertError as error:
        print(f"kernels do not run: {error}")
        return 1
    for library in threadpoolctl.threadpool_info():
        print(f"{library['user_api']:14} {library['internal_api']} {library.get('version')}, {library['filepath']}")
    return 0


def costs() -> None:
    """Time the steps between a kernel's source and its result."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import numba"], check=False)
    numba = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=False)
    print(f"{'import numba':14} {(numba - time.perf_counter() + start) * 1e3:.0f} ms, only for kernels that say more")
    _, first = _timed(lambda: team.native(), 1)
    kernel, found = compile.get(_SCALE), np.ones(1 << 16)
    args = np.array([found.ctypes.data], np.intp)
    where, full = args.ctypes.data, kernel.address
    print(f"{'pool':14} compiled or loaded in {first / 1e3:.0f} ms")
    print(f"{'serial call':14} {_timed(lambda: pool.run(full, 1, where, 1))[0]:.2f} us")
    print(f"{'threaded call':14} {_timed(lambda: pool.run(full, 2, where))[0]:.2f} us")
    one, all_ = (_timed(partial(pool.run, full, found.size, where, t))[0] for t in (1, 99))
    print(f"{'64k float64':14} {one:.1f} us with one thread, {all_:.1f} us with all")
    product = np.ones((512, 512), np.float32)
    ours, theirs = _timed(lambda: blas.matmul(product, product), 20)[0], _timed(lambda: product @ product, 20)[0]
    print(f"{'512^3 float32':14} {ours:.0f} us, np.matmul {theirs:.0f} us")


def _timed(call: Callable[[], Any], times: int = 1000) -> tuple[float, float]:
    """The median and the first time of a call, in microseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1e6)
    return sorted(taken)[times // 2], taken[0]


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"missing: pip install {name}"


def _writable() -> str:
    folder = config.cache
    while folder is not None and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    can = folder is not None and folder.is_dir() and os.access(folder, os.W_OK)
    return "can be written to" if can else "cannot be written to: every process compiles its own"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd.kernels", description="The kernels compiled on this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("list", "verify", "clear", "doctor"):
        commands.add_parser(name)
    commands.add_parser("warm").add_argument("targets", nargs="*", metavar="module:function")
    chosen = parser.parse_args(arguments)
    if chosen.command == "warm":
        return warm(chosen.targets)
    return {"list": listing, "verify": verify, "clear": clear, "doctor": doctor}[chosen.command]()


if __name__ == "__main__":
    sys.exit(main())
