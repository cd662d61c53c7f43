"""The suites of the report, each run by its own command in a process of its own, so that none can lose another."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from bench.report import environment

ROOT = Path(__file__).resolve().parents[2]
TOTAL = 20 * 60.0  # seconds that all suites may take together in the quick form
TAIL = 15  # lines of what a suite said last that explain how it failed
Stored = dict[str, Any]


@dataclass(frozen=True)
class Suite:
    """A case of `python -m bench`.

    Attributes:
        quick: the options of the quick form.
        share: of the seconds that all suites have; what earlier ones leave is added.
    """

    quick: tuple[str, ...]
    share: float


SUITES = {
    "tape": Suite(("--repeats", "15"), 15),
    "gradcheck": Suite(("--most", "60"), 75),
    "train": Suite(("--repeats", "3"), 80),
    "memory": Suite(("--repeats", "1"), 100),
    "steps": Suite(("--quick",), 90),
    "conditions": Suite(("--quick",), 210),
    "layers": Suite(("--repeats", "3"), 170),
    "derivatives": Suite(("--repeats", "5"), 40),
    "kernels": Suite(("--quick",), 190),
    "scaling": Suite(("--quick",), 230),
}


def command(name: str, quick: bool, extra: Mapping[str, Sequence[str]]) -> list[str]:
    """The words after `python -m bench` for a suite."""
    return [name, *(SUITES[name].quick if quick else ()), *extra.get(name, ())]


def run_one(words: Sequence[str], limit: float | None) -> Stored:
    """What a suite stored, with its command and its seconds; an error instead if it failed or took too long."""
    start = monotonic()
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "figures.json"
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", *words, "--json", str(file)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that its own processes can be ended with it
        )
        try:
            said, _ = process.communicate(timeout=limit)
            why = "" if process.returncode == 0 else f"It ended with exit code {process.returncode}."
        except subprocess.TimeoutExpired:
            end(process)
            said, _ = process.communicate()
            why = f"It was stopped after {limit:.0f} s; --full gives it all the time that it takes."
        found = read(file) if not why else {}
    seconds = {"command": "python -m bench " + shlex.join(words), "seconds": round(monotonic() - start, 1)}
    if found:
        return found | seconds
    return {"case": words[0], "environment": environment(), "results": [], "error": explained(why, said)} | seconds


def end(process: subprocess.Popen[str]) -> None:
    """Stop a process and those that it started."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def explained(why: str, said: str) -> str:
    """The reason and the last lines."""
    return "\n".join([why or "It wrote no figures.", *(said or "").strip().splitlines()[-TAIL:]])


def read(file: Path) -> Stored:
    """What a suite stored; nothing if that cannot be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def run_all(
    names: Sequence[str], *, quick: bool = True, extra: Mapping[str, Sequence[str]] | None = None
) -> list[Stored]:
    """All suites in turn; in the quick form within TOTAL together."""
    start, allowed, found = monotonic(), 0.0, []
    parts = sum(SUITES[name].share for name in names)
    for name in names:
        allowed += TOTAL * SUITES[name].share / parts
        words = command(name, quick, extra or {})
        print(f"python -m bench {shlex.join(words)} ...", end=" ", flush=True)
        one = run_one(words, max(1.0, allowed - (monotonic() - start)) if quick else None)
        print(f"{one['seconds']:.0f} s" + (" FAILED" if "error" in one else ""), flush=True)
        found.append(one)
    return found


def collected(place: Path) -> list[Stored]:
    """The suites that a file of a report, or a folder of files of suites, holds, in the order of the report.

    Raises:
        ValueError: if there are none.
    """
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    found: list[Stored] = []
    for file in files:
        stored = read(file)
        found += stored.get("suites", [stored] if "case" in stored else [])
    if not found:
        raise ValueError(f"{place} holds no figures. Write them with python -m bench CASE --json {place}/CASE.json.")
    order = {name: k for k, name in enumerate(SUITES)}
    return sorted(found, key=lambda one: order.get(one["case"], len(order)))
