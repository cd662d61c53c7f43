"""The two halves of a captured graph, and the second one written anew so that it computes again what it reads.

What depends on a cotangent is the backward half, all else the forward half. Between them lie the values that are kept:
results of the forward half that the backward half reads. A step of the forward half can be run again instead, late.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from autograd.program.schedule import Step, steps
from autograd.program.symbol import Symbol, graph

SMALL = 8  # what has so many times fewer elements than the loops that it is made in is kept in any case
Use = tuple[Symbol, int | None]  # a value, and the step that it is computed again for: its own copy; None: for all
Twins = Sequence[tuple[Symbol, Symbol]]


class Halves:
    """A graph that ends in some symbols, seen as its two halves.

    Attributes:
        plan: its steps. step_of: for each symbol that is computed the number of its step.
        forward: the symbols of the forward half. root: for a view the symbol whose memory it is a part of.
        read: what the backward half reads of the forward half, with the steps that it would be computed again for.
        light: values that are computed again in any case.
    """

    def __init__(self, ends: Sequence[Symbol], twins: Twins, apart: Collection[Symbol]) -> None:
        self.ends, self.twins, self.apart = list(ends), twins, apart
        self.symbols = graph(ends)
        self.plan: list[Step] = steps(self.symbols, apart)
        self.step_of = {s: k for k, step in enumerate(self.plan) for s in step.symbols}
        self.backward = depending(self.symbols, [g for _, g in twins])
        self.forward = {s for s in self.symbols if s.op is not None and s not in self.backward}
        self.root: dict[Symbol, Symbol] = {}
        for s in self.symbols:
            x = s.inputs[0] if s.op is not None and self.kind(s) == "view" else s
            self.root[s] = self.root[x] if x is not s else s
        self.room = [max(s.size for s in step.symbols) for step in self.plan]
        self.light: set[Symbol] = set()
        self.read: dict[Symbol, set[int | None]] = {}
        for s in self.symbols:
            if s in self.backward and s.op is not None:
                for x in self.across(s):
                    self.read.setdefault(x, set()).add(self.use(x, s)[1] if self.root[x] in self.forward else None)

    def kind(self, s: Symbol) -> str:
        """The kind of the step that computes s."""
        return self.plan[self.step_of[s]].kind

    def across(self, s: Symbol) -> list[Symbol]:
        """What s reads of the forward half that another step computes."""
        found = (x for x in s.inputs if isinstance(x, Symbol) and x in self.forward)
        return [x for x in found if self.step_of[x] != self.step_of.get(s)]

    def stays(self, s: Symbol, again: Collection[int]) -> bool:
        """Whether the backward half reads the value that the forward half computed."""
        if s not in self.forward:
            return True
        if s in self.light:
            return False
        own = self.step_of[self.root[s]] if self.root[s] in self.forward else -1
        return own not in again or self.root[s].size * SMALL <= self.room[own]

    def wanted(self, again: Collection[int]) -> list[Use]:
        """What is computed again if these steps are, each value with whom it is computed for."""
        found: dict[Use, None] = {}
        for s in self.symbols:
            if s in self.backward and s.op is not None:
                for x in self.across(s):
                    if not self.stays(x, again):
                        found.setdefault(self.use(x, s))
        queue = list(found)
        for s, key in queue:  # grows while it is read
            for x in s.inputs:
                if isinstance(x, Symbol) and not self.stays(x, again):
                    use = self.use(x, s, key)
                    if use not in found:
                        found[use] = None
                        queue.append(use)
        return sorted(found, key=lambda use: use[0].serial)

    def use(self, x: Symbol, reader: Symbol, key: int | None = None) -> Use:
        """Loops are run again within each kernel that reads their results; anything else once.

        key: for whom the reader itself is computed again; for a reader of the backward half its step.
        """
        if reader in self.backward and self.kind(reader) == "group":
            key = self.step_of[reader]
        loops = self.kind(self.root[x]) == "group" and self.kind(reader) in ("group", "view")
        return x, key if loops else None


class Anew:
    """A graph of which some steps are run again: `anew[s]` is the new symbol for an old one.

    Attributes:
        late: the copies. copied: what they are copies of. apart, twins: as those of the halves.
    """

    def __init__(self, halves: Halves, again: Collection[int]) -> None:
        uses = halves.wanted(again)
        self._new: dict[Symbol, Symbol] = {}
        copies: dict[Use, Symbol] = {}
        for use in uses:
            s, key = use
            inputs = tuple(
                copies[halves.use(x, s, key)] if isinstance(x, Symbol) and not halves.stays(x, again) else x
                for x in s.inputs
            )
            copies[use] = like(s, inputs)
        for s in halves.symbols:
            if s in halves.backward and s.op is not None:
                self._again(s, halves, again, copies)
        self.copied = {copy: s for (s, _), copy in copies.items()}
        self.late = set(self.copied)
        self.apart = {self[s] for s in halves.apart} | {c for c, s in self.copied.items() if s in halves.apart}
        partner: dict[Symbol, list[Symbol]] = {}
        for copy, s in self.copied.items():
            partner.setdefault(s, []).append(copy)
        self.twins = [(x, self[g]) for s, g in halves.twins for x in (self[s], *partner.get(s, ()))]

    def _again(self, s: Symbol, halves: Halves, again: Collection[int], copies: dict[Use, Symbol]) -> None:
        across = set(halves.across(s))
        inputs = tuple(
            (copies[halves.use(x, s)] if x in across and not halves.stays(x, again) else self[x])
            if isinstance(x, Symbol)
            else x
            for x in s.inputs
        )
        if any(a is not b for a, b in zip(inputs, s.inputs, strict=True)):
            self._new[s] = like(s, inputs)

    def __getitem__(self, s: Symbol) -> Symbol:
        """The new symbol for an old one."""
        return self._new.get(s, s)


def depending(symbols: Sequence[Symbol], on: Sequence[Symbol]) -> set[Symbol]:
    """Those of a graph that depend on some of it, and these."""
    found = set(on)
    for s in symbols:
        if any(isinstance(x, Symbol) and x in found for x in s.inputs):
            found.add(s)
    return found


def like(s: Symbol, inputs: tuple[Any, ...]) -> Symbol:
    """The same operation on other inputs."""
    copy = Symbol(s.shape, s.dtype, s.op, inputs, s.settings, weak=s.weak, label=s.label)
    copy.origin = s.origin
    return copy
