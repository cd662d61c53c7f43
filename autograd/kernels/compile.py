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
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autograd.config import config
from autograd.kernels import cache as disk
from autograd.kernels import loader, workers
from autograd.kernels.cache import Entry

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
class Source:
    """What a kernel is compiled from."""

    text: str
    name: str
    reads: tuple[str, ...]
    flags: tuple[str, ...]
    signature: tuple[str, ...]
    hot: bool = True

    def fields(self) -> dict[str, Any]:
        """Everything that the machine code depends on."""
        return {
            "name": self.name,
            "source": _sha(self.text),
            "reads": [_sha(text) for text in self.reads],
            "house": _house(),
            "flags": sorted(self.flags),
            "signature": list(self.signature),
            "hot": self.hot,
            **loader.machine_fields(),
        }


class Kernel:
    """A compiled function: `address` for tables, `call` for Python, which releases the interpreter's lock meanwhile.

    To ask for one of them while it is being compiled is to wait. What cannot be compiled says so then.
    """

    address: int
    call: Callable[..., None]

    def __init__(self, wanted: Source, key: str) -> None:
        self.wanted, self.key, self.name = wanted, key, wanted.name
        self.made: Future[Entry] | None = None

    def __getattr__(self, name: str) -> Any:
        if name not in ("address", "call") or self.made is None:
            raise AttributeError(f"a kernel has no {name}")
        try:
            entry = self.made.result()
            with _lock:
                if self.made is not None:
                    self.load(entry)
        except BaseException:
            _memory.pop(self.wanted, None)
            raise
        return vars(self)[name]

    def load(self, entry: Entry) -> None:
        """Bring its code into memory."""
        self.address = loader.load(entry)
        self.call = function(self.address, self.wanted.signature)
        self.made = None


_memory: dict[Source, Kernel] = {}
_lock = threading.RLock()


def get(
    source: str,
    name: str = "kernel",
    reads: Sequence[str] = (),
    *,
    flags: Sequence[str] = FLAGS,
    signature: Sequence[str] = KERNEL,
    hot: bool = True,
) -> Kernel:
    """The function called `name` in a source text, compiled.

    The source may use `np`, everything public in `intrinsics` and `maths`, and `@inline` on functions of its own.
    `reads` are the source texts of what else it calls: an edit to one of them makes another kernel. The modules of
    `autograd.kernels` are always read. What is not `hot` spends its time in what it calls: it is compiled in a third of
    the time, and its loops are not vectorised.

    >>> import numpy as np
    >>> double = get("def kernel(lo, hi, args):\\n for i in range(lo, hi): pointer_f8(args, 0)[i] *= 2.0")
    >>> x = np.ones(3)
    >>> double.call(0, 2, np.array([x.ctypes.data]).ctypes.data)
    >>> x
    array([2., 2., 1.])
    """
    kernel = begin(source, name, reads, flags=flags, signature=signature, hot=hot)
    kernel.address  # noqa: B018  # waits
    return kernel


def begin(
    source: str,
    name: str = "kernel",
    reads: Sequence[str] = (),
    *,
    flags: Sequence[str] = FLAGS,
    signature: Sequence[str] = KERNEL,
    hot: bool = True,
) -> Kernel:
    """The same, which may still be compiled while Python goes on.

    >>> begin("def kernel(lo, hi, args): args[0] = hi").name
    'kernel'
    """
    wanted = Source(source, name, tuple(reads), tuple(flags), tuple(signature), hot)
    kernel = _memory.get(wanted)
    if kernel is None:
        with _lock:
            kernel = _memory.get(wanted)
            if kernel is None:
                kernel = _memory[wanted] = _find(wanted)
    return kernel


def native(source: str, name: str = "kernel", dependencies: Sequence[str] = ()) -> int:
    """The address of a kernel."""
    return get(source, name, dependencies).address


def _find(wanted: Source) -> Kernel:
    fields = wanted.fields()
    kernel = Kernel(wanted, disk.digest(fields))
    entry = disk.read(kernel.key)
    if entry is not None:
        try:
            kernel.load(entry)
            return kernel
        except (ValueError, RuntimeError) as error:
            disk.damaged(disk.path_of(kernel.key, config.cache or _FOLDER), error)
    from autograd.kernels import emit  # late: a warm process never needs a compiler

    lowered = emit.lowered(wanted.text, wanted.name, wanted.signature, wanted.flags, wanted.hot)

    def made() -> Entry:
        found = emit.emit(lowered, wanted.name, fields)
        disk.write(found)
        return found

    kernel.made = workers.begin(made)
    return kernel


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


def _before_fork() -> None:
    _lock.acquire()
    workers.settle()


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()
    workers.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=lambda: _lock.release(), after_in_child=_after_fork)
