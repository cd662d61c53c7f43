"""From how many elements on kernels and threads pay, as measured on this machine: `tuning.json` beside the kernels.

The file is written by `python -m bench sweep ... --tune`. It holds a number of elements for each kind in DEFAULTS that
was measured, and the processor and the cores that they hold for. Elsewhere, and where there is no file or it is
damaged, the defaults hold. Results never depend on it: sums are combined by chunks, whoever ran them.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from autograd.config import config
from autograd.errors import ArgumentError
from autograd.kernels import loader, workers

FILE = "tuning.json"
FORMAT = 1
BLOCK = 1 << 13  # elements of a chunk, as in `autograd.program.part`
MAP, COSTLY, TOTAL = "map", "costly map", "total"
DEFAULTS = {
    MAP: 4 * BLOCK,  # threads for a kernel of sums, products and comparisons
    COSTLY: 4 * BLOCK,  # threads for one with exponentials, divisions and the like
    TOTAL: 4 * BLOCK,  # threads for one that sums over all rows
    "fused": 1 << 12,  # kernels instead of the plain composition
    "eager": 1 << 16,  # a kernel instead of NumPy's function of one array
}
_own: dict[str, int] = {}  # what holds within `using`


def smallest(kind: str) -> int:
    """The number of elements from which on it pays.

    >>> smallest("map") >= 1
    True
    """
    if kind not in DEFAULTS:
        raise ArgumentError(f"tuning has no kind {kind!r}. Expected one of {', '.join(DEFAULTS)}.")
    return _own.get(kind) or _read(config.cache).get(kind, DEFAULTS[kind])


def chunks(kind: str) -> int:
    """The same for threads in chunks, two at least.

    >>> with using(map=100_000):
    ...     chunks("map")
    13
    """
    return max(2, -(-smallest(kind) // BLOCK))


@contextmanager
def using(values: Mapping[str, int] | None = None, **kinds: int) -> Iterator[None]:
    """Other numbers while this lasts, for all threads: plans that are made meanwhile keep them."""
    before = dict(_own)
    _own.update(values or {}, **kinds)
    try:
        yield
    finally:
        _own.clear()
        _own.update(before)


def machine() -> dict[str, Any]:
    """What the numbers hold for."""
    return {"cpu": loader.machine_fields()["cpu"], "cores": workers.allowed()}


def read() -> dict[str, int]:
    """The numbers in the file that hold for this machine.

    >>> set(read()) <= set(DEFAULTS)
    True
    """
    return dict(_read(config.cache))


def write(values: Mapping[str, int]) -> Path:
    """Put numbers into the file beside those that it holds. Raises ArgumentError for what is no number of elements."""
    for kind, value in values.items():
        if kind not in DEFAULTS or not _is_number(value):
            raise ArgumentError(f"tuning was given {kind!r}: {value!r}. Expected elements of {', '.join(DEFAULTS)}.")
    folder: Path | None = config.cache
    if folder is None:
        raise ArgumentError("there is no folder to keep the tuning in: config.cache is None.")
    found = {"format": FORMAT, "machine": machine(), "smallest": read() | dict(values)}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".tmp-", dir=folder)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(found, indent=1) + "\n")
        os.replace(temporary, folder / FILE)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _read.cache_clear()
    return folder / FILE


@cache
def _read(folder: Path | None) -> dict[str, int]:
    """The numbers of a folder's file, read once; none if it cannot be trusted or is another machine's."""
    try:
        found = json.loads((folder / FILE).read_bytes()) if folder is not None else {}
        if found.get("format") != FORMAT or found["machine"] != machine():
            return {}
        return {kind: value for kind, value in found["smallest"].items() if kind in DEFAULTS and _is_number(value)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_number(value: Any) -> bool:
    return type(value) is int and value >= 1
