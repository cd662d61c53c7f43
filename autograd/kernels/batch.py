"""One kernel over many sets of arrays in one launch: a table with a row of `args` for each set."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import compile, pool

SHARE = 1 << 13  # elements of an item: a large set becomes many, so that slices of equally many items are equal work
SERIAL = 1 << 14  # elements up to which one thread is faster than waking others

_SOURCE = """
def each(lo, hi, args):
    items, table, words = word_at(args[1]), args[2], args[3]
    for t in range(lo, hi):
        call(args[0], items[3 * t + 1], items[3 * t + 2], word_at(table + 8 * words * items[3 * t]))
"""


class Batch:
    """Runs a kernel once for each row of a table.

    Parameters:
        kernel: the address of a `void kernel(intp lo, intp hi, intp* args)`.
        table: the `args` of each set, one row for each; may change between runs.
        sizes: elements of each set. step: elements that the kernel's outermost loop does at once.
    """

    def __init__(self, kernel: int, table: NDArray[np.intp], sizes: NDArray[np.intp], step: int) -> None:
        self.table = table
        share = max(1, SHARE // step)
        rows = []
        for entry, size in enumerate(sizes.tolist()):
            chunks = -(-size // step)
            rows += [(entry, lo, min(lo + share, chunks)) for lo in range(0, chunks, share)]
        self.items = np.array(rows, np.intp).reshape(-1, 3)
        words = [kernel, self.items.ctypes.data, table.ctypes.data, table.shape[1]]
        self.args = np.array(words, np.intp)
        self.address = self.args.ctypes.data  # asking takes as long as a small launch
        self.serial = int(sizes.sum()) <= SERIAL

    def run(self) -> None:
        """Run the kernel on every set."""
        if self.serial:
            begin().call(0, len(self.items), self.address)
        else:
            pool.run(begin().address, len(self.items), self.address)


@cache
def begin() -> compile.Kernel:
    """The kernel of a batch, which may still be compiled."""
    return compile.begin(_SOURCE, "each", flags=(), hot=False)
