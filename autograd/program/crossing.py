"""What the forward half of a program leaves to the backward half, made less.

A kernel of the forward half writes what crosses over, and one of the backward half reads it: often that takes longer
than to compute it. So products that share a cotangent become one product of it, with a factor of the forward half
alone; and what follows in a few quick steps from values that cross over anyway is computed again where it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.primitive import primitives
from autograd.program.halves import SMALL, Halves, Twins, depending, like
from autograd.program.symbol import Symbol, graph

QUICK = {
    *("abs", "add", "astype", "broadcast_to", "divide", "maximum", "minimum", "multiply", "negative", "square"),
    *("equal", "greater", "greater_equal", "less", "less_equal", "not_equal", "subtract", "where"),
    *("logical_and", "logical_not", "logical_or"),
}
STEPS = 6  # that are computed again for one value, at most
SUMS = (primitives["add"], primitives["subtract"])
DEPTH = 64  # of factors upon one another


class Multiple(NamedTuple):
    """A cotangent times what is known before it: what another multiple of it is, and what is done to that.

    Attributes:
        of: the cotangent. step: the symbol that is this multiple; `of` itself if there are no factors yet.
        before, x: the multiple that the step begins with, and the factor that comes in, or the multiple that is added.
        kinds: the operations that bring factors in. A `chain` keeps zeros of the cotangent at zero, so that its factors
            and those of a plain product do not mix.
    """

    of: Symbol
    step: Symbol
    before: Multiple | None = None
    x: Any = None
    kinds: frozenset[str] = frozenset()
    depth: int = 0


class Factored:
    """A graph in which sums of multiples of one cotangent are one multiple: g * a + g * b is g * (a + b).

    `factored[s]` is the new symbol for an old one. It is done where it leaves at least one array less to cross over.

    Attributes:
        twins: values with their cotangents, as given, of the new graph.
    """

    def __init__(self, ends: Sequence[Symbol], twins: Twins) -> None:
        symbols = graph(ends)
        self._backward = depending(symbols, [g for _, g in twins])
        self._ends = set(ends)
        self._readers: dict[Symbol, set[Symbol]] = {s: set() for s in symbols}
        for s in symbols:
            for x in s.inputs:
                if isinstance(x, Symbol):
                    self._readers[x].add(s)
        late = [s for s in symbols if s in self._backward and s.op is not None]
        self._multiples: dict[Symbol, Multiple] = {}
        for s in late:
            found = self._sum(s) if s.op in SUMS else self._multiple(s)
            if found is not None:
                self._multiples[s] = found
        chosen = self._chosen(late)
        self._new: dict[Symbol, Symbol] = {}
        self._factors: dict[Symbol, Any] = {}
        for s in late:
            if s in chosen:
                found = self._multiples[s]
                name = "chain" if "chain" in found.kinds else "multiply"
                self._new[s] = _made(s, name, (self[found.of], self._factor(found)))
                continue
            inputs = tuple(self[x] if isinstance(x, Symbol) else x for x in s.inputs)
            if any(a is not b for a, b in zip(inputs, s.inputs, strict=True)):
                self._new[s] = like(s, inputs)
        self.twins = [(x, self[g]) for x, g in twins]

    def __getitem__(self, s: Symbol) -> Symbol:
        """The new symbol for an old one."""
        return self._new.get(s, s)

    def _multiple(self, s: Symbol) -> Multiple | None:
        """What s is a multiple of, if it is the product of a cotangent and a factor, or a quotient, or the opposite."""
        name = s.op.name if s.op is not None else ""
        if name not in ("chain", "multiply", "divide", "negative") or s.dtype.kind != "f":
            return None
        late = [x for x in s.inputs if isinstance(x, Symbol) and x in self._backward]
        if len(late) != 1 or not _alike(late[0], s) or (name in ("chain", "divide") and s.inputs[0] is not late[0]):
            return None
        rest = next((x for x in s.inputs if x is not late[0]), None)
        if isinstance(rest, Symbol) and rest.dtype != s.dtype and not rest.weak:
            return None
        before = self._known(late[0])
        kinds = before.kinds | {name} if isinstance(rest, Symbol) else before.kinds
        return Multiple(before.of, s, before, rest, kinds, before.depth + 1)

    def _sum(self, s: Symbol) -> Multiple | None:
        """The multiple that s is if both its terms are multiples of one cotangent."""
        if not all(isinstance(x, Symbol) and x in self._backward and _alike(x, s) for x in s.inputs):
            return None
        a, b = (self._known(x) for x in s.inputs)
        kinds = a.kinds | b.kinds
        if a.of is not b.of or ("chain" in kinds and len(kinds) > 1):
            return None
        return Multiple(a.of, s, a, b, kinds, 1 + max(a.depth, b.depth))

    def _known(self, x: Symbol) -> Multiple:
        """What x is a multiple of: of itself if nothing else is known, or if that would lead too far back."""
        found = self._multiples.get(x)
        return Multiple(x, x) if found is None or found.depth >= DEPTH else found

    def _chosen(self, late: Sequence[Symbol]) -> set[Symbol]:
        """The sums that are worth it, each the last of the sums that it is made of."""
        chosen: set[Symbol] = set()
        covered: set[Symbol] = set()
        for s in reversed(late):
            if s.op not in SUMS or s not in self._multiples or s in covered:
                continue
            own = self._own(self._multiples[s])
            read = {x for step in own for x in step.inputs if isinstance(x, Symbol) and x not in self._backward}
            large = (x for x in read if x.op is not None and x.size == s.size)
            if len([x for x in large if self._readers[x] & self._backward <= own]) > 1:
                chosen.add(s)
                covered |= own
        return chosen

    def _own(self, whole: Multiple) -> set[Symbol]:
        """The symbols that nobody needs once a multiple is computed at once."""
        steps: set[Symbol] = set()
        queue = [whole]
        for m in queue:  # grows while it is read
            if m.step is not m.of and m.step not in steps:
                steps.add(m.step)
                queue += [one for one in (m.before, m.x) if isinstance(one, Multiple)]
        own = {whole.step}
        for step in sorted(steps - own, key=lambda step: -step.serial):
            if step not in self._ends and self._readers[step] <= own:
                own.add(step)
        return own

    def _factor(self, m: Multiple) -> Any:
        """What a cotangent is multiplied by, a symbol or a number."""
        if m.before is None:
            return 1.0
        if m.step not in self._factors:
            assert m.step.op is not None
            name, before = m.step.op.name, self._factor(m.before)
            x = self._factor(m.x) if isinstance(m.x, Multiple) else m.x
            if m.before.before is None and name in ("chain", "multiply"):
                found = x
            elif isinstance(before, Symbol) or isinstance(x, Symbol):
                found = _made(m.step, name, (before,) if x is None else (before, x))
            else:
                found = m.step.op.forward(*((before,) if x is None else (before, x)))
            self._factors[m.step] = found
        return self._factors[m.step]


def _alike(x: Symbol, s: Symbol) -> bool:
    return x.shape == s.shape and x.dtype == s.dtype


def _made(s: Symbol, name: str, inputs: tuple[Any, ...]) -> Symbol:
    """A new symbol for the value of s, of what is known before: of the shape that its inputs have together."""
    shape = np.broadcast_shapes(*(x.shape if isinstance(x, Symbol) else () for x in inputs))
    made = Symbol(shape, s.dtype, primitives[name], inputs)
    made.origin = s.origin
    return made


def quick(halves: Halves) -> set[Symbol]:
    """What crosses over and is better computed again: it follows in a few quick steps from what does so in any case."""
    kept = set(halves.read)
    found: set[Symbol] = set()
    for s in sorted(halves.read, key=lambda s: -s.serial):
        if not _may(s, halves):
            continue
        steps = _steps(s, kept - {s})
        if not steps:
            continue
        leaves = {x for step in steps for x in step.inputs if isinstance(x, Symbol)} - steps
        large = [x for x in leaves if x.op is not None and x.size * SMALL > s.size]
        if all(len([x for x in large if step not in halves.read.get(x, ())]) <= 1 for step in halves.read[s]):
            kept.discard(s)
            found |= steps
    return found


def _may(s: Symbol, halves: Halves) -> bool:
    """Whether loops compute it and only loops read it later, so that it need not be there if these compute it again."""
    if s not in halves.forward or halves.root[s] is not s or halves.kind(s) != "group" or None in halves.read[s]:
        return False
    return s.size * SMALL > halves.room[halves.step_of[s]] and not any(s is e for e in halves.ends)


def _steps(s: Symbol, kept: Collection[Symbol]) -> set[Symbol]:
    """The quick steps that make s of what is kept anyway, or small; none if that cannot be done in a few."""
    inside = {s}
    queue = [s]
    for x in queue:  # grows while it is read
        if x.op is None or x.op.name not in QUICK or len(inside) > STEPS:
            return set()
        for y in x.inputs:
            if isinstance(y, Symbol) and y not in inside and y not in kept and y.op and y.size * SMALL > s.size:
                inside.add(y)
                queue.append(y)
    return inside
