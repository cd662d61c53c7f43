"""The environment block of a measurement, and the threads that it runs on."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import threadpoolctl

import autograd as ag
from bench.report import environment

CURRENT = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")  # kHz
INFORMATION = Path("/proc/cpuinfo")


def frequency() -> float | None:
    """MHz that the first processor runs at now, where the system tells; in a virtual machine it may be nominal."""
    if CURRENT.exists():
        return float(CURRENT.read_text()) / 1e3
    text = INFORMATION.read_text() if INFORMATION.exists() else ""
    found = re.search(r"^cpu MHz\s*:\s*([\d.]+)", text, re.MULTILINE)
    return float(found[1]) if found else None


def block(threads: int) -> dict[str, Any]:
    """What figures depend on, for a file: the machine and its load, threads, frequency, versions."""
    return environment() | {"threads": threads, "MHz": frequency()}


def words(where: dict[str, Any]) -> str:
    """The block in lines.

    >>> print(words({"processor": "Z80", "cores": 1, "cores of the machine": 1, "threads": 1, "MHz": 4.0, "load": None,
    ...              "system": "CP/M", "python": "3", "versions": {"numpy": "2"}, "date": "1976"}))
    Z80, 1 of 1 cores allowed, 1 thread, 4 MHz, CP/M
    python 3, numpy 2, load unknown, 1976
    """
    mhz, threads = where["MHz"], where["threads"]
    load = "load unknown" if where["load"] is None else f"load {where['load'][0]:.1f}"
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    return (
        f"{where['processor']}, {where['cores']} of {where['cores of the machine']} cores allowed, "
        f"{threads} thread{'s' * (threads != 1)}, "
        f"{'frequency not readable' if mhz is None else f'{mhz:.0f} MHz'}, {where['system']}\n"
        f"python {where['python']}, {versions}, {load}, {where['date']}"
    )


@contextmanager
def using_threads(threads: int | None) -> Iterator[int]:
    """So many threads for the engine's pool, for numba's and for BLAS; None leaves all as they are."""
    before = ag.get_num_threads()
    if threads is None:
        yield before
        return
    try:
        set_threads(threads)
        with threadpoolctl.threadpool_limits(threads):
            yield ag.get_num_threads()
    finally:
        set_threads(before)


def set_threads(threads: int) -> None:
    """So many threads for the engine's pool and, where it is loaded, for numba's."""
    ag.set_num_threads(threads)
    numba = sys.modules.get("numba")
    if numba is not None:
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
