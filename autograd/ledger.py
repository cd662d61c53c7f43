"""What holds memory: the bytes of the tape, of Tensors and of programs, by operation and by the user's line.

Nothing is kept while no ledger is open. An open one notes the line of each entry of the tape as it is made; what is
alive is found among the objects that the garbage collector knows, when it is asked for.
"""

from __future__ import annotations

import gc
import linecache
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

import numpy as np

from autograd.errors import user_place
from autograd.primitive import capturing
from autograd.program.compiled import Program
from autograd.program.foreach import Foreach
from autograd.program.launch import kernel_module
from autograd.program.page import size, table
from autograd.tape import Node, listening
from autograd.tensor import Tensor

DEPTH = 4  # containers within each other that what an entry saved is looked for in
WIDEST = 60  # letters of a line of source
Place = tuple[str, int]


class Held(NamedTuple):
    """Memory that is held for one reason.

    Attributes:
        operation: the name of the operation whose entry saved it; or "leaf" for the value of a leaf, "gradient",
            "value" for that of another Tensor, "program" for the buffers of a compiled function, "update" for what an
            optimizer's update keeps beside them, "idle" for memory of results that are gone, kept for the next ones.
        line: file and line of the user's that made it, or None if that was before the ledger was opened.
        arrays: how many. bytes: how large they are.

    >>> Held("exp", ("train.py", 12), 1, 80000).bytes
    80000
    """

    operation: str
    line: Place | None
    arrays: int
    bytes: int


class Ledger:
    """What is held at the moment that one looks. Made by `ag.memory`.

    Each array is counted once: as a Tensor's leaf or gradient, else with the oldest entry of the tape that saved it.
    A view counts as the whole array that it keeps alive. Arrays of NumPy that are in your own variables alone are
    nobody's here.

    >>> import autograd as ag
    >>> with ag.memory() as ledger:
    ...     y = ag.tanh(ag.ones(100, requires_grad=True))
    >>> ledger.print(y)
    held   arrays  by    line
    800 B  1       tanh  ...
    800 B in all
    """

    thread = 0  # nobody's: operations run as ever

    def __init__(self) -> None:
        self._lines: dict[int, Place] = {}

    def note(self, serial: int) -> None:
        """Note where an entry is made."""
        self._lines[serial] = user_place()

    def rows(self, *outputs: Tensor) -> list[Held]:
        """What is held, the largest first: by all that is alive, or by what these outputs were made of."""
        counted = _Count(self._lines)
        if outputs:
            counted.tape(_reached(outputs), [t for t in outputs if t.node is None])
        else:
            alive = gc.get_objects()
            nodes = [x for x in alive if type(x) is Node]
            counted.tape(nodes, [x for x in alive if issubclass(type(x), Tensor)])
            for program in (x for x in alive if type(x) is Program):
                counted.add("program", None, (program.memory.own, program.kept))
            for update in (x for x in alive if type(x) is Foreach):
                counted.add("update", None, update.arrays())
            counted.idle(kernel_module("buffers").idle())
        return counted.rows()

    def total(self, *outputs: Tensor) -> int:
        """The bytes of all rows."""
        return sum(row.bytes for row in self.rows(*outputs))

    def __str__(self) -> str:
        return _text(self.rows())

    def print(self, *outputs: Tensor) -> None:
        """Print the rows, one to a line."""
        print(_text(self.rows(*outputs)))


class _Count:
    """Arrays, each counted once, by who holds it and where that was made."""

    def __init__(self, lines: Mapping[int, Place]) -> None:
        self.lines = lines
        self.seen: set[int] = set()
        self.found: dict[tuple[str, Place | None], list[int]] = {}

    def tape(self, nodes: list[Node], tensors: list[Tensor]) -> None:
        """Entries with what they saved, and Tensors: the values of leaves first, for they would be there anyway."""
        nodes = sorted(nodes, key=lambda node: node.serial)
        for t in tensors:
            if t.node is not None and t.node.op is None:
                self.add("leaf", self.lines.get(t.node.serial), t.value)
        for node in nodes:
            if node.watch is not None and node.watch.grad is not None:
                self.add("gradient", self.lines.get(node.serial), node.watch.grad)
        for node in nodes:
            if node.op is not None:
                self.add(node.op.name, self.lines.get(node.serial), (node.saved, node.settings))
        for t in tensors:
            self.add("value", None if t.node is None else self.lines.get(t.node.serial), t.value)

    def idle(self, sizes: list[int]) -> None:
        """Memory of results that are gone, which the next ones of the same size will get."""
        if sizes:
            self.found["idle", None] = [len(sizes), sum(sizes)]

    def add(self, operation: str, line: Place | None, held: Any) -> None:
        """Count the arrays in a value or a container."""
        sizes = list(self._sizes(held, DEPTH))
        if sizes:
            counts = self.found.setdefault((operation, line), [0, 0])
            counts[0] += len(sizes)
            counts[1] += sum(sizes)

    def _sizes(self, held: Any, depth: int) -> Iterator[int]:
        if isinstance(held, np.ndarray):
            while isinstance(held.base, np.ndarray):  # whoever sees a part keeps the whole
                held = held.base
            if id(held) not in self.seen:
                self.seen.add(id(held))
                yield held.nbytes
        elif isinstance(held, Tensor):
            yield from self._sizes(held.value, depth)
        elif depth and isinstance(held, (tuple, list)):
            for x in held:
                yield from self._sizes(x, depth - 1)
        elif depth and isinstance(held, dict):
            for x in held.values():
                yield from self._sizes(x, depth - 1)

    def rows(self) -> list[Held]:
        """What was counted, the largest first."""
        rows = [Held(operation, line, *counts) for (operation, line), counts in self.found.items()]
        return sorted(rows, key=lambda row: -row.bytes)


def _reached(outputs: tuple[Tensor, ...]) -> list[Node]:
    """The entries that outputs were made of, as far as they are not freed."""
    found = list({t.node: None for t in outputs if t.node is not None})
    seen = set(found)
    for node in found:  # grows while it is read
        for parent in node.parents or ():
            if parent is not None and parent not in seen:
                seen.add(parent)
                found.append(parent)
    return found


def _text(rows: list[Held]) -> str:
    cells = [[size(r.bytes), str(r.arrays), r.operation, _shown(r.line)] for r in rows]
    return "\n".join([*table(("held", "arrays", "by", "line"), cells), f"{size(sum(r.bytes for r in rows))} in all"])


def _shown(line: Place | None) -> str:
    if line is None:
        return ""
    source = shorten(linecache.getline(*line).strip(), WIDEST, placeholder=" ...")
    return f"{Path(line[0]).name}:{line[1]}" + (f": {source}" if source else "")


@contextmanager
def memory() -> Iterator[Ledger]:
    """A ledger of who holds memory: `rows()`, `total()` and `print()` look at what is held at that moment.

    Inside, your line that makes each entry of the tape is noted, which takes a microsecond or two for each; what was
    made before has no line. Fused and compiled functions run as ever. After the block the ledger can still be asked.

    >>> import autograd as ag
    >>> with ag.memory() as ledger:
    ...     x = ag.ones((1000, 10), requires_grad=True)
    ...     y = ag.sum(ag.exp(x) * 2.0)
    >>> [(row.operation, row.arrays, row.bytes) for row in ledger.rows(y)]
    [('exp', 1, 80000)]
    >>> del y
    >>> any(row.operation == "exp" for row in ledger.rows())
    False
    """
    ledger = Ledger()
    capturing.append(ledger)  # operators then take no way past `Node`, which tells its number
    try:
        with listening(ledger.note):
            yield ledger
    finally:
        capturing.remove(ledger)
