"""Where the time of a first call goes: importing, compiling, reading what was compiled; in processes of their own."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.sample import Interval, interval
from bench.target import search_path
from bench.turns import fresh

FIRST = "bench.firstcall"
FOLDERS = ("WENGERT_CACHE_DIR", "NUMBA_CACHE_DIR")  # of compiled kernels
IMPORT, COMPILE, LOAD = "import", "compile", "cache load"
IMPORTED = "signatures are given, so that the import compiles,"
FOUND = "and compile is what it takes beyond one that finds the kernel on the disk, which import holds"


@dataclass(frozen=True)
class Call:
    """How another process finds a function and its arguments: their texts, or a file that holds them."""

    target: str
    texts: tuple[str, ...] = ()
    file: str = ""

    def question(self, calls: int = 0, mark: bool = False) -> str:
        """What `bench.firstcall` is asked."""
        return json.dumps(asdict(self) | {"calls": calls, "mark": mark})


@contextmanager
def told(target: str, args: Sequence[Any]) -> Iterator[Call]:
    """A call whose arguments lie in a file while this lasts."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arguments"
        file.write_bytes(pickle.dumps(tuple(args)))
        yield Call(target, file=str(file))


@dataclass(frozen=True)
class Attribution:
    """Seconds of the parts that a process pays once, and what is to be noted about them."""

    parts: dict[str, Interval]
    notes: list[str]


def attributed(call: Call, *, threads: int, repeats: int = 3) -> Attribution:
    """The parts that a process pays once, from pairs of fresh processes.

    The first of a pair finds the folder of compiled kernels empty, the second one finds in it what the first one left.
    Compiling is the first call of the first process, reading that of the second one, each less a later call of its
    own; importing is that of the second process, which finds the files of the modules in memory. Where the import
    compiles, which it does for a numba function with signatures, compiling is what the first import takes beyond the
    second one.
    """
    cold, warm, kept = [], [], 0
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            variables = dict.fromkeys(FOLDERS, folder) | {"PYTHONPATH": search_path()}
            cold.append(fresh(FIRST, call.question(), threads=threads, **variables))
            kept = sum(len(files) for _, _, files in os.walk(folder))
            warm.append(fresh(FIRST, call.question(), threads=threads, **variables))
    parts, notes = {IMPORT: interval([run["import"] for run in warm])}, []
    by_import = bool(warm[-1]["compiled"])
    if not by_import:
        parts[COMPILE] = interval([over(run) for run in cold])
    elif kept:
        parts[COMPILE] = interval([max(0.0, a["import"] - b["import"]) for a, b in zip(cold, warm, strict=True)])
    if by_import:
        notes.append(f"{IMPORTED} {FOUND if kept else 'and no kernel is kept on the disk: import holds both'}")
    elif kept:
        parts[LOAD] = interval([over(run) for run in warm])
    else:
        again = interval([over(run) for run in warm]).median
        notes.append(f"cache load: no kernel is kept on the disk; in every process the first call takes {again:.3g} s")
    notes.append(f"in a process that finds all compiled, {importer(warm[-1])}")
    return Attribution(parts, notes)


def over(run: dict[str, Any]) -> float:
    """What the first call takes beyond a later one."""
    return max(0.0, float(run["first"]) - float(run["later"]))


def importer(run: dict[str, Any]) -> str:
    """Who imports compilers.

    >>> importer({"with import": ["llvmlite"], "with call": ["numba", "llvmlite"]})
    'llvmlite is imported by the module, numba by the first call'
    """
    of_module = run["with import"]
    of_call = [name for name in run["with call"] if name not in of_module]
    told = [f"{', '.join(of_module)} is imported by the module"] if of_module else []
    if of_call:
        told.append(f"{', '.join(of_call)}{'' if of_module else ' is imported'} by the first call")
    return ", ".join(told) or "no compiler is imported"
