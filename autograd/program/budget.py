"""How much memory a program may take, as people write it, and how much it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from autograd.errors import ArgumentError
from autograd.program.compiled import Program
from autograd.program.listing import owner

UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_UNITS = {unit.lower(): count for unit, count in UNITS.items()} | {"": 1}


class Budget(NamedTuple):
    """How many bytes the programs of a function may take: its name, what was given, and what that comes to."""

    name: str
    given: int | str
    bytes: int


def bytes_of(given: int | str) -> int:
    """Bytes, of a number of them or of text.

    >>> bytes_of(4096), bytes_of("512MB"), bytes_of("1.5 GB"), bytes_of("64MiB")
    (4096, 512000000, 1500000000, 67108864)
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([a-zA-Z]*)\s*", given) if isinstance(given, str) else None
    count = 0
    if found and found[2].lower() in _UNITS:
        count = int(float(found[1]) * _UNITS[found[2].lower()])
    elif isinstance(given, (int, np.integer)) and not isinstance(given, bool):
        count = int(given)
    if count <= 0:
        raise ArgumentError(
            f"fit_in={given!r} was given. Expected how much memory a program may take: bytes, as 512_000_000, or text "
            f'with one of the units {", ".join(UNITS)}.\nWrite fit_in="512MB".'
        )
    return count


def peak_of(program: Program, others: Iterable[Any]) -> int:
    """The bytes that are there when a program runs, others: arrays of its updates. Each memory counts once.

    It holds its arrays from run to run; beside them is what operations without a kernel make and leave.
    """
    memory = program.memory
    lent = (t.value for t in memory.lent.values())
    arrays = [x for x in (*memory.own.values(), *program.kept, *lent, *others) if isinstance(x, np.ndarray)]
    passing = sum(program.idle) + max(program.passing, default=0)
    return sum({id(x): x.nbytes for x in map(owner, arrays)}.values()) + passing
