"""Instructions of a call: a figure that neighbours on the machine do not move.

`perf stat` counts in the processor: two fresh processes, one of which calls the function more often than the other,
and what it runs more is divided by the calls that it makes more. `valgrind` counts in a simulation, from the first of
the calls to the last: its processor knows AVX2 at most, so the kernels that it runs are those of such a one. Both use
one thread.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from bench.attribution import FIRST, Call
from bench.requests import HERE
from bench.target import search_path
from bench.turns import placed

EVENT = "instructions:u"
LASTING = 0.02  # seconds that the calls take outside of a simulation
LEAST, MOST = 3, 1000  # calls
COUNT = re.compile(r"Collected\s*:\s*(\d+)")
Environment = dict[str, str]


@dataclass(frozen=True)
class Count:
    """Instructions of a call, and what counted them; or None, and why nothing did."""

    count: float | None
    by: str

    def __str__(self) -> str:
        return f"instructions are not counted: {self.by}" if self.count is None else f"{self.count:,.0f} by {self.by}"


def perf(call: Call, calls: int, env: Environment) -> float:
    """Instructions of a call in user code, as the processor counts them. Raises OSError where it does not."""
    less, more = (_perf(asking(call, k), env) for k in (calls, 3 * calls))
    return (more - less) / (2 * calls)


def _perf(command: list[str], env: Environment) -> int:
    with tempfile.NamedTemporaryFile("r") as file:
        counting = ["perf", "stat", "-x", ",", "-e", EVENT, "-o", file.name, "--", *command]
        done = subprocess.run(counting, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return of_perf(Path(file.name).read_text() or done.stderr)


def of_perf(text: str) -> int:
    """The count in what `perf stat -x ,` wrote. Raises OSError if there is none.

    >>> of_perf("# started\\n123456,,instructions:u,1000,100.00,,")
    123456
    """
    line = next((line for line in text.splitlines() if EVENT in line), text.strip())
    value = line.partition(",")[0]
    if not value.isdigit():
        raise OSError(f"perf says {value or 'nothing'} of {EVENT}")
    return int(value)


def valgrind(call: Call, calls: int, env: Environment) -> float:
    """Instructions of a call, simulated. Raises OSError where that fails."""
    if not HERE:
        raise OSError("valgrind is told where to begin on x86-64 and Linux only")
    simulating = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={os.devnull}"]
    command = [*simulating, *asking(call, calls, mark=True)]
    done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = COUNT.search(done.stderr)
    if done.returncode or found is None:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "nothing")
        raise OSError(f"valgrind ended with exit code {done.returncode}: {last}")
    return int(found[1]) / calls


def asking(call: Call, calls: int, mark: bool = False) -> list[str]:
    """The command that imports the function and calls it once, then so many times more."""
    return [sys.executable, "-m", FIRST, call.question(calls, mark)]


TOOLS: dict[str, Callable[[Call, int, Environment], float]] = {"perf": perf, "valgrind": valgrind}


def instructions(
    call: Call, seconds: float, tools: dict[str, Callable[[Call, int, Environment], float]] = TOOLS
) -> Count:
    """The instructions of a call that takes so many seconds, by the first tool that can count them."""
    calls = max(LEAST, min(MOST, ceil(LASTING / max(seconds, 1e-9))))
    reasons = []
    for name, count in tools.items():
        if shutil.which(name) is None:
            reasons.append(f"{name} is not installed")
            continue
        try:
            with placed(1) as env:  # dictionaries are laid out alike in every run
                found = count(call, calls, env | {"PYTHONPATH": search_path(), "PYTHONHASHSEED": "0"})
            return Count(found, name)
        except OSError as error:
            reasons.append(str(error))
    return Count(None, "; ".join(reasons))
