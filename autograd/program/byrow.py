"""Loops whose rows never meet: each thread runs all turns for rows of its own, and waits for nobody.

In a recurrent layer each sample goes its own way: a turn multiplies its row by a matrix that all share, and does what
else it does element by element. The kernels of a turn then need not wait for one another's threads, and what one has
written is still in the cache of the core that the next one runs on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from numpy.typing import NDArray

from autograd.program.launch import kernel_module
from autograd.program.loops import COLUMNS, OUTER, ROWS, Loops
from autograd.program.stages import Stage

Apart = tuple[int, int, dict[int, int]]  # a kernel whose items are chunks, how many, and words of its args to change
_SOURCE = """
def rows(lo, hi, args):
    kernels, items, words, chunks = word_at(args[1]), word_at(args[2]), word_at(args[3]), args[4]
    for k in range(args[0]):
        call(kernels[k], lo, items[k] if hi == chunks else hi, word_at(words[k]))
"""


def whole_rows(like: NDArray[Any], model: NDArray[Any], rows: int) -> bool:
    """Whether each row of a view lies within the same row of what it is a view of."""
    if like.ndim == 0 or model.ndim == 0 or not like.shape[0] == model.shape[0] == rows:
        return False
    inside = (like.__array_interface__["data"][0] - model.__array_interface__["data"][0]) < model.strides[0]
    return inside and like.strides[0] == model.strides[0]


def stage_apart(
    stage: Stage, loops: Loops, address: int, rows: int, height: int, fits: Callable[[Any, bool], bool]
) -> Apart | None:
    """A stage's kernel on chunks of rows; None if rows meet in it.

    fits: whether a symbol may be read or written so; with True row by row, else as a whole.
    """
    length = loops.sizes[0] if loops.has_rows else loops.sizes[1]
    if stage.totals or loops.across & OUTER or length % rows:
        return None
    along = ROWS if loops.has_rows else COLUMNS
    if not all(fits(s, bool(loops.level[s] & along)) for s in (*stage.arrays, *stage.outputs)):
        return None
    return address, -(-rows // height), {2: length // rows * height}


def run(chunks: int, columns: Sequence[NDArray[Any]], threads: int | None) -> None:
    """Run kernels, one after another on each chunk.

    columns: the addresses of the kernels, how many items each has (the rows that are left over may be one more), and
    the addresses of their args.
    """
    words = array("q", (len(columns[0]), *(column.ctypes.data for column in columns), chunks))
    kernel_module("pool").run(_rows().address, chunks, words.buffer_info()[0], threads)


@cache
def _rows() -> Any:
    return kernel_module("compile").get(_SOURCE, "rows", flags=())
