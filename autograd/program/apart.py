"""The gradients of a program whose results are no single number: a second program, for cotangents that come later.

The first one keeps what the second reads of it. What is only another shape of that, and what the rules of derivatives
compute of it themselves, the second one makes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from typing import Any

import numpy as np

from autograd.program.capture import Capture
from autograd.program.compiled import Program
from autograd.program.symbol import SHAPERS, Symbol, Unfusable, graph


class Later:
    """From what a run was given and has kept, and cotangents of its results, to gradients.

    Attributes:
        kept: symbols of the first program whose values it has to give besides its results.
        reached: for each cotangent, whether a gradient depends on it.
        examples: values of the inputs, to measure it with.
    """

    def __init__(
        self,
        noted: Capture,
        first: Sequence[Symbol],
        seeds: Sequence[Symbol],
        wanted: Sequence[tuple[Symbol, Symbol]],
        examples: dict[Symbol, Any],
        twins: Sequence[tuple[Symbol, Symbol]],
    ) -> None:
        """First: what the first program computes. wanted: variables and gradients. examples: values of its inputs."""
        forward, ends = set(graph(first)), [g for _, g in wanted]
        symbols = graph(ends)
        if any(s in forward for s in _read_late(symbols, forward) & {s for s, _ in noted.drawn}):
            raise Unfusable("its gradient reads a number that was drawn at random")
        cut = _cut(symbols, forward, ends)
        self.kept = [s for s in symbols if s in cut]
        new = {s: Symbol(s.shape, s.dtype, label=f"f{k}") for k, s in enumerate(self.kept)}
        _write_anew(symbols, new)
        self.gradients = [new.get(g, g) for g in ends]
        used = set(graph(self.gradients))
        position = {s: k for k, s in enumerate(examples)}
        lent = {s: t for t, s in noted.tensors.values()}
        outside = [s for s in dict.fromkeys((*examples, *lent)) if s in used]
        self.sources = [(position.get(s, -1), lent.get(s)) for s in outside]
        self._arrange([s for s, _ in wanted], outside)
        back = copy(noted)
        back.drawn, back.checks, back.tensors, back.late = [], [], {}, set()
        back.apart = {new.get(s, s) for s in noted.apart}
        self.reached = [s in used for s in seeds]
        seeds = [s for s in seeds if s in used]
        inputs = [*outside, *(new[s] for s in self.kept), *seeds]
        numbers = {s: x for s, x in examples.items() if type(x) in (int, float)}
        self.examples = [numbers[s] if s in numbers else _blank(s) for s in inputs]
        kin = [(new.get(a, a), new.get(b, b)) for a, b in twins]
        kin = [(a, b) for a, b in kin if a in used and b in used]
        self.program = Program(back, inputs, list(dict.fromkeys(self.gradients)), self.examples, kin)
        self.place = {s: k for k, s in enumerate(self.program.outputs)}
        self.shapes = [(s.shape, s.dtype) for s in seeds]

    def _arrange(self, variables: Sequence[Symbol], outside: Sequence[Symbol]) -> None:
        """Where the values stand that an entry saves: those of its parents first, None for what is not read."""
        place = {s: k for k, s in enumerate(outside)}
        self.own = [place.get(s) for s in variables]
        self.rest = [k for k in range(len(outside)) if k not in self.own]
        saved = [*self.own, *self.rest]
        self.order = [*map(saved.index, range(len(outside))), *range(len(saved), len(saved) + len(self.kept))]

    def held(self) -> list[Any]:
        """The arrays that are this program's alone."""
        inputs, memory = set(self.program.inputs), self.program.memory
        return [*(x for s, x in memory.own.items() if memory.root(s) not in inputs), *self.program.kept]

    def before(self, values: Sequence[Any]) -> list[Any]:
        """What is read of the inputs of the first program and of Tensors, before it runs."""
        return [values[k] if t is None else t.value for k, t in self.sources]

    def saved(self, before: Sequence[Any], kept: Sequence[Any]) -> list[Any]:
        """What an entry of the tape saves of its inputs, and of all else."""
        return [*(None if k is None else before[k] for k in self.own), *(before[k] for k in self.rest), *kept]

    def run(self, saved: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """The gradients, from what an entry has saved and a cotangent of each result reached, None for zeros."""
        pairs = zip(cotangents, self.shapes, strict=True)
        seeds = [np.zeros(*shape) if g is None else g for g, shape in pairs]
        with self.program.lock, np.errstate(all="ignore"):
            found = self.program.run([*(saved[k] for k in self.order), *seeds])
            self._let_go()
        return [found[self.place[g]] for g in self.gradients]

    def _let_go(self) -> None:
        """Hold no array that was read: what keeps it, or an optimizer, is to find that it alone has it."""
        memory = self.program.memory
        for k, s in self.program.arrays:
            if s in memory.views:
                memory.replace(s, self.examples[k])
            else:
                memory.own[s] = self.examples[k]  # the next run brings another, and its address


def _read_late(symbols: Sequence[Symbol], forward: Collection[Symbol]) -> set[Symbol]:
    """What is read by symbols that the first program does not compute."""
    late = (s for s in symbols if s not in forward)
    return {x for s in late for x in s.inputs if isinstance(x, Symbol)}


def _cut(symbols: Sequence[Symbol], forward: Collection[Symbol], ends: Sequence[Symbol]) -> set[Symbol]:
    """What the first program computes and the second reads: for another shape of a value, that value."""
    found = {s for s in (*_read_late(symbols, forward), *ends) if s in forward and s.op is not None}
    for s in reversed(symbols):
        if s in found and (s.weak or (s.op is not None and s.op.name in SHAPERS)):
            found.discard(s)
            found |= {x for x in s.inputs if isinstance(x, Symbol) and x.op is not None}
    return found


def _write_anew(symbols: Sequence[Symbol], new: dict[Symbol, Symbol]) -> None:
    """Enter what is computed of what was replaced."""
    for s in symbols:
        if s not in new and s.op is not None:
            inputs = tuple(new.get(x, x) if isinstance(x, Symbol) else x for x in s.inputs)
            if any(a is not b for a, b in zip(inputs, s.inputs, strict=True)):
                new[s] = Symbol(s.shape, s.dtype, s.op, inputs, s.settings, weak=s.weak)
                new[s].origin = s.origin


def _blank(s: Symbol) -> Any:
    return np.zeros(s.shape, s.dtype)
