"""From a stage to a running kernel. The kernels' floor is imported here, at the first kernel, and nowhere else."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd.program.codegen import COSTLY, GENERIC, Writer, called
from autograd.program.stages import Stage


@cache
def kernel_module(name: str) -> ModuleType:
    """A module of `autograd.kernels`: imported late, because it loads LLVM."""
    return import_module(f"autograd.kernels.{name}")


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array for a kernel to fill, of memory that was used before where there is some."""
    return kernel_module("buffers").empty(shape, dtype)  # type: ignore[no-any-return]


def source_of(stage: Stage) -> str:
    """The whole source of a stage's kernel, with the names that it calls."""
    text = Writer(stage).write()
    used = called(text)
    names = ", ".join(sorted({"NAN", "outputs", "plus", "read", *GENERIC}))
    head = [f"from autograd.kernels.expressions import {names}"]
    if used:
        head.append("from autograd.kernels.maths import instructions")
        head += [f"{name} = instructions[{name.rpartition('_')[0]!r}, {dtype!r}]" for name, dtype in used]
    head.append("b1, u1, i4, i8, f4, f8 = np.bool_, np.uint8, np.int32, np.int64, np.float32, np.float64")
    return "\n".join(head) + "\n" + text


def build(stage: Stage) -> Any:
    """The kernel of a stage; it may still be compiled."""
    return kernel_module("compile").begin(source_of(stage))


def expect(name: str, *settings: Any) -> None:
    """Let the kernel of a module of `autograd.kernels`, which will be needed, be compiled while Python goes on."""
    kernel_module(name).begin(*settings)


class Unmade(NamedTuple):
    """In the place of a kernel that is never run."""

    address: int = 0


def drafted(_stage: Stage) -> Unmade:
    """What `build` gives where nothing is to be compiled."""
    return Unmade()


def kind_of(stage: Stage) -> str:
    """What the tuning of threads calls a stage's kernel."""
    costly = any(s.op is not None and s.op.name in COSTLY for s in stage.order)
    return "total" if stage.totals else "costly map" if costly else "map"


def parallel(stage: Stage) -> int:
    """Chunks from which on threads are worth waking: as measured on this machine, or as a rule."""
    return int(kernel_module("tuning").chunks(kind_of(stage)))


def launch(
    kernel: Any,
    chunks: int,
    sizes: Sequence[int],
    scalars: array[float],
    arrays: Sequence[NDArray[Any]],
    parallel: int,
) -> None:
    """Run a kernel over its chunks, over threads if there are at least `parallel` of them."""
    first = len(sizes) + 1
    begin = _starter()
    words = array("q", (*sizes, scalars.buffer_info()[0]))
    words.extend(map(id, arrays) if begin else [a.ctypes.data for a in arrays])
    place = words.buffer_info()[0]
    serial = chunks < parallel
    if begin:
        begin(kernel.address if serial else 0, chunks, place, first, len(words))
    elif serial:
        kernel.call(0, chunks, place)
    if not serial:
        kernel_module("pool").run(kernel.address, chunks, place)


@cache
def _starter() -> Any:
    return kernel_module("objects").starter()


def set_num_threads(n: int) -> None:
    """Let kernels and the products among them run on at most n threads; never more than the process may use.

    >>> import autograd as ag
    >>> ag.set_num_threads(1)
    >>> ag.get_num_threads()
    1
    """
    kernel_module("pool").set_num_threads(n)


def get_num_threads() -> int:
    """How many threads kernels run on.

    >>> import autograd as ag
    >>> ag.get_num_threads() >= 1
    True
    """
    return int(kernel_module("pool").get_num_threads())
