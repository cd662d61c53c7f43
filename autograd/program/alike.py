"""Parts that are alike: what was worked out for one layer serves the next one, which does the same to other arrays."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from autograd.program.part import Part
from autograd.program.stages import Stage
from autograd.program.symbol import Symbol, graph


class Parts:
    """Makes the parts of a program, those that compute alike only once. build: of `Part`."""

    def __init__(self, build: Callable[[Stage], Any]) -> None:
        self.build = build
        self.found: dict[Hashable, Part] = {}

    def make(
        self,
        given: Sequence[Symbol],
        outputs: Sequence[Symbol],
        twins: Sequence[tuple[Symbol, Symbol]],
        single: Callable[[Symbol, bool], bool],
    ) -> Part:
        """The part of these symbols, whose arguments are those of `Part`. Raises Unfusable if there is none."""
        symbols = graph(outputs, given)
        key = _computed(symbols, given, outputs, twins, single)
        known = self.found.get(key)
        if known is not None:
            return known.of(given, outputs, symbols)
        made = self.found[key] = Part(given, outputs, self.build, twins, single)
        return made


def _computed(
    symbols: Sequence[Symbol],
    given: Sequence[Symbol],
    outputs: Sequence[Symbol],
    twins: Sequence[tuple[Symbol, Symbol]],
    single: Callable[[Symbol, bool], bool],
) -> Hashable:
    """All that a part depends on, with the places of symbols for the symbols themselves."""
    place = {s: k for k, s in enumerate(symbols)}
    known = set(given)
    return (
        tuple(_operation(s, place, s in known) for s in symbols),
        tuple((single(s, True), single(s, False)) for s in symbols if s.size == 1),
        tuple(place[s] for s in outputs),
        tuple((place[a], place[b]) for a, b in twins if a in place and b in place),
    )


def _operation(s: Symbol, place: dict[Symbol, int], known: bool) -> Hashable:
    kind = (s.op, s.shape, s.dtype, s.weak)
    if known:
        return kind
    inputs = tuple(place[x] if isinstance(x, Symbol) else (type(x).__name__, repr(x)) for x in s.inputs)
    return (*kind, inputs, repr(sorted(s.settings.items())) if s.settings else "")
