"""The entries of a program, and what Python does in a run: values of single elements, checks, totals."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from autograd.program.entry import Entry
from autograd.program.launch import kernel_module
from autograd.program.memory import Array, Memory
from autograd.program.numbers import number_of
from autograd.program.part import COMBINE, check_labels
from autograd.program.symbol import Symbol

Numbers = dict[Symbol, Any]  # values of single elements, which Python computes
Action = Callable[[Numbers], Any]
Symbols = Sequence[Any]


class Binding:
    """What a program is made of while its steps are bound to memory.

    Attributes:
        entries: kernels and products as tuples, what Python does as functions. listing: what is said of each.
        known: constants, or arrays of one element that kernels write. filled: those that are written from numbers.
        group: the step that is being bound. kept: what must live as long as the program.
    """

    memory: Memory

    def __init__(self) -> None:
        self.known: Numbers = {}
        self.entries: list[Any] = []
        self.listing: list[Entry] = []
        self.group: int | None = None
        self.kept: list[Any] = []
        self.filled: set[Symbol] = set()

    def _act(self, kind: str, action: Action, what: str = "", *made: Symbol, **arrays: Symbols) -> None:
        self._list(kind, what, made, **arrays)
        self.entries.append(action)

    def _list(self, kind: str, what: str, made: Symbols, reads: Symbols = (), writes: Symbols = (), **how: Any) -> None:
        """Say what an entry computes, reads and fills: where that is not said, what `made` needs, and `made`."""
        read = reads or [x for s in made for x in s.inputs]
        inside = set(made)
        reads = [s for s in read if isinstance(s, Symbol) and s in self.memory and s not in inside]
        self.listing.append(Entry(kind, what, made, reads, writes or made, self.group, **how))

    def _launch(
        self,
        kind: str,
        address: int,
        count: int,
        words: array[int],
        threads: bool,
        what: str,
        made: Symbols = (),
        **arrays: Symbols,
    ) -> None:
        self._list(kind, what, made, **arrays, threads=threads, native=True)
        self.kept.append(words)
        self.entries.append((address, count, words.buffer_info()[0], threads))

    def _actions(self) -> list[Action]:
        """What to do in a run: kernels and products that follow one another are one native call."""
        actions: list[Action] = []
        for native, some in groupby(self.entries, lambda entry: isinstance(entry, tuple)):
            if native:
                table = kernel_module("pool").Table(*zip(*some, strict=True))
                actions.append(lambda _, table=table: table.run())  # type: ignore[misc]
            else:
                actions.extend(some)
        return actions

    # ---- what Python does in a run

    def _value(self, x: Any, numbers: Numbers) -> Any:
        """A value as it stands in memory, or computed of such."""
        if not isinstance(x, Symbol) or x in numbers:
            return numbers.get(x, x)
        if x in self.memory and x not in self.filled:
            return self.memory[x]
        return self._forward(x, numbers)

    def _forward(self, s: Symbol, numbers: Numbers) -> Any:
        assert s.op is not None
        return s.op.forward(*(self._value(x, numbers) for x in s.inputs), **s.settings)

    def _look(self, labels: Symbol, length: int, numbers: Numbers) -> None:
        check_labels(self._value(labels, numbers), length)

    def _check(self, f: Callable[..., None], read: Sequence[Symbol], numbers: Numbers) -> None:
        f(*(np.asarray(self._value(s, numbers)) for s in read))

    def _fill(self, s: Symbol, numbers: Numbers) -> None:
        self.memory.own[s].fill(number_of(s, numbers))

    def _start(self, t: Symbol, value: float, _numbers: Numbers) -> None:
        self.memory.own[t].fill(value)

    def _combine(self, t: Symbol, name: str, parts: Array, _numbers: Numbers) -> None:
        COMBINE[name](parts, 0, None, self.memory.own[t].reshape(-1))  # in the order of chunks, whoever ran them

    def _total(self, t: Symbol, name: str, parts: Array, numbers: Numbers) -> None:
        numbers[t] = COMBINE[name](parts, 0).reshape(t.shape)

    def _write(self, symbols: Sequence[tuple[int, Any]], scalars: array[float], numbers: Numbers) -> None:
        for k, s in symbols:
            scalars[k] = number_of(s, numbers)
