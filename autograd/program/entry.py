"""What a program says of each of its entries: what is computed, of what, where it stands in the user's source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograd.program.symbol import Origin, Symbol


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a program: a kernel, a product of matrices, or what Python does between them.

    Attributes:
        kind: "kernel", "matmul", "load", the name of an operation, ... what: the rest of its line.
        symbols: what it computes, in order. reads, writes: the arrays that it looks at and fills.
        group: the step of the plan that it belongs to. threads: whether it is sliced over them.
        native: whether it is machine code, run without the interpreter.
    """

    kind: str
    what: str
    symbols: Sequence[Symbol] = ()
    reads: Sequence[Symbol] = ()
    writes: Sequence[Symbol] = ()
    group: int | None = None
    threads: bool = False
    native: bool = False

    def __str__(self) -> str:
        return f"{self.kind:8} {self.what}"

    @property
    def bytes_read(self) -> int:
        """The size of the arrays that it reads."""
        return sum(map(size_of, dict.fromkeys(self.reads)))

    @property
    def bytes_written(self) -> int:
        """The size of the arrays that it fills."""
        return sum(map(size_of, dict.fromkeys(self.writes)))

    @property
    def origins(self) -> list[Origin]:
        """The user's lines that it computes, each once, in order."""
        found = dict.fromkeys(s.origin for s in (*self.symbols, *self.writes))
        return sorted(origin for origin in found if origin is not None)


def size_of(s: Symbol) -> int:
    """Bytes of an array like s.

    >>> import numpy as np
    >>> size_of(Symbol((2, 3), np.dtype("float32")))
    24
    """
    return s.size * s.dtype.itemsize
