"""From the source of a kernel to its address: memory, then disk, then the compiler.

A kernel is `void kernel(intp lo, intp hi, intp* args)`: it runs the slice [lo, hi) of its outermost loop; `args` holds
addresses, sizes, strides and the bits of scalars. The compiler is imported only if a kernel is neither in memory nor on
the disk, and numba only if the small language of `lowering` does not say all of it.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autograd.config import config
from autograd.kernels import cache as disk
from autograd.kernels import loader

KERNEL = ("intp", "intp", "intp*")
FLAGS = ("contract", "nsz")  # never nnan or ninf: NaN and infinities keep their meaning
_FOLDER = Path(__file__).parent
_WHOLE = (
    "emit",
    "expressions",
    "intrinsics",
    "loader",
    "maths",
)  # modules whose names every kernel may use, so whose text is in every key


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled function: `address` for tables, `call` for Python."""

    name: str
    key: str
    address: int
    call: Callable[..., None]  # releases the interpreter's lock while it runs


@dataclass(frozen=True, slots=True)
class Source:
    """What a kernel is compiled from."""

    text: str
    name: str
    reads: tuple[str, ...]
    flags: tuple[str, ...]
    signature: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """Everything that the machine code depends on."""
        return {
            "name": self.name,
            "source": _sha(self.text),
            "reads": [_sha(text) for text in self.reads],
            "house": _house(),
            "flags": sorted(self.flags),
            "signature": list(self.signature),
            **loader.machine_fields(),
        }


_memory: dict[tuple[object, ...], Kernel] = {}
_lock = threading.RLock()


def get(
    source: str,
    name: str = "kernel",
    reads: Sequence[str] = (),
    *,
    flags: Sequence[str] = FLAGS,
    signature: Sequence[str] = KERNEL,
) -> Kernel:
    """The function called `name` in a source text, compiled.

    The source may use `np`, everything public in `intrinsics` and `maths`, and `@inline` on functions of its own.
    `reads` are the source texts of what else it calls: an edit to one of them makes another kernel. The modules of
    `autograd.kernels` are always read.

    >>> import numpy as np
    >>> double = get("def kernel(lo, hi, args):\\n for i in range(lo, hi): pointer_f8(args, 0)[i] *= 2.0")
    >>> x = np.ones(3)
    >>> double.call(0, 2, np.array([x.ctypes.data]).ctypes.data)
    >>> x
    array([2., 2., 1.])
    """
    wanted = (source, name, tuple(reads), tuple(flags), tuple(signature))
    kernel = _memory.get(wanted)
    if kernel is None:
        with _lock:
            kernel = _memory.get(wanted)
            if kernel is None:
                kernel = _memory[wanted] = _find(Source(*wanted))
    return kernel


def native(source: str, name: str = "kernel", dependencies: Sequence[str] = ()) -> int:
    """The address of a kernel."""
    return get(source, name, dependencies).address


def _find(wanted: Source) -> Kernel:
    fields = wanted.fields()
    key = disk.digest(fields)
    entry = disk.read(key)
    address = 0
    if entry is not None:
        try:
            address = loader.load(entry)
        except (ValueError, RuntimeError) as error:
            disk.damaged(disk.path_of(key, config.cache or _FOLDER), error)
    if not address:
        from autograd.kernels import emit  # late: a warm process never needs a compiler

        entry = emit.emit(wanted.text, wanted.name, wanted.signature, wanted.flags, fields)
        address = loader.load(entry)
        disk.write(entry)
    return Kernel(wanted.name, key, address, function(address, wanted.signature))


@cache
def function(address: int, signature: tuple[str, ...] = KERNEL) -> Callable[..., None]:
    """A compiled function as Python calls it, with whole numbers.

    Words go as `c_void_p`, which ctypes converts several times faster than a `c_ssize_t`.
    """
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(signature))(address)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _house() -> str:
    """The hash of every module of this folder: what kernels may call, and what compiles them."""
    total = hashlib.sha256()
    for path in sorted(_FOLDER.rglob("*.py")):
        total.update(path.relative_to(_FOLDER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    # no fork while LLVM works: a child would inherit its locks, held by a thread that is not there
    os.register_at_fork(
        before=lambda: _lock.acquire(), after_in_parent=lambda: _lock.release(), after_in_child=_after_fork
    )
