"""A program that fits into a budget of memory: what is computed again instead of being kept, chosen on its own plan.

A step of the forward half frees what the backward half reads of it, at the price of its operations (Chen et al. 2016,
"Training deep nets with sublinear memory cost", choose layers; here it is steps of the program). The one with most
bytes freed per operation comes first. An estimate orders them; a draft of the program shows whether the peak falls.
"""

from __future__ import annotations

import heapq
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import prod
from textwrap import shorten
from typing import NamedTuple

from autograd import cost
from autograd.errors import ArgumentError
from autograd.program.entry import size_of
from autograd.program.halves import Anew, Halves, Use
from autograd.program.page import size
from autograd.program.symbol import Origin, Symbol
from autograd.tape import Node

WIDEST = 60  # letters of what is computed again
SPARED = 24  # of the dearest steps that are tried without
WORTH = 1000  # part of the peak below which an array stays
TRAFFIC = 8  # operations that take as long as to read or write an element
Steps = frozenset[int]


class Recomputed(NamedTuple):
    """Operations of the forward half that the backward half computes again.

    Attributes:
        operations: their names, in order. origins: the user's lines. shape, dtype: of the largest result.
        bytes: that are not kept for it. flops: that it takes, as `ag.costs_of` counts. times: in so many kernels.
    """

    operations: tuple[str, ...]
    origins: tuple[Origin, ...]
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    flops: int
    times: int

    def __str__(self) -> str:
        often = f" ({self.times} times)" if self.times > 1 else ""
        what = f"{shorten(' '.join(self.operations), WIDEST, placeholder=' ...')}: {self.shape} {self.dtype}"
        return f"{what}{often}, {size(self.bytes)} less, {self.flops / 1e6:.3g} million operations more"


class Draft(NamedTuple):
    """What is known of a program that is not made yet: its highest memory, and how many groups have no kernel."""

    peak: int
    plain: int


class TooLarge(ArgumentError):
    """A program does not fit into its budget."""


class Estimate(NamedTuple):
    """Of a choice of steps: bytes between the halves, or within what is computed again at once; and its price."""

    bytes: int
    chain: int
    price: int


class Fitting:
    """The search for what to compute again.

    Attributes:
        found: the draft with the lowest peak. again: the steps that it runs again. nothing: the draft that keeps all.
    """

    def __init__(self, halves: Halves, draft: Callable[[Anew], Draft]) -> None:
        self.halves, self.draft = halves, draft
        self.cones: dict[Symbol, tuple[list[Symbol], int]] = {}
        self.direct: dict[Symbol, set[int | None]] = {}
        for s, whom in halves.read.items():
            self.direct.setdefault(halves.root[s], set()).update(whom)
        self.lasting = {halves.root[s] for s in halves.ends if s in halves.root}
        self.again: Steps = frozenset()
        self.found = self.nothing = draft(Anew(halves, self.again))

    def search(self, budget: int) -> bool:
        """Look for steps to be run again until the program fits; whether it does."""
        for most in (len(self.halves.plan), 4, 1):  # at once: a few more than are needed, and at last with care
            if self._searched(budget, most):
                self._spare(budget)
                return True
        return False

    def _spare(self, budget: int) -> None:
        """Keep what need not be computed again after all, the dearest first."""
        price: dict[int, int] = {}
        for s, _ in self.halves.wanted(self.again):
            k = self.halves.step_of[self.halves.root[s]]
            price[k] = price.get(k, 0) + flops(s)
        for k in sorted(price, key=lambda k: -price[k])[:SPARED]:
            trial = self.again - {k}
            draft = self.draft(Anew(self.halves, trial))
            if draft.peak <= budget and draft.plain <= self.nothing.plain:
                self.again, self.found = trial, draft

    def _searched(self, budget: int, most: int) -> bool:
        again: Steps = frozenset()
        found, width = self.nothing, most
        refused: set[Steps] = set()
        while found.peak > budget:
            moves = self._chosen(again, found.peak - budget, refused, width)
            if not moves:
                return False
            trial = again.union(*moves)
            draft = self.draft(Anew(self.halves, trial))
            if draft.peak < found.peak and draft.plain <= found.plain:
                again, found, width = trial, draft, most
                if draft.peak < self.found.peak:
                    self.again, self.found = trial, draft
            elif len(moves) > 1:
                width = len(moves) // 2
            else:
                refused.update(moves)
        return True

    # ---- the choice

    def _chosen(self, again: Steps, excess: int, refused: set[Steps], most: int) -> list[Steps]:
        """Steps to add, best first, until by the estimate the excess is gone."""
        now = self._estimate(again)
        heap = [(*self._rank(move, again, now), sorted(move)) for move in self._moves(again) if move not in refused]
        heapq.heapify(heap)
        chosen: list[Steps] = []
        freed = 0
        while heap and freed < excess and len(chosen) < most:
            move = frozenset(heapq.heappop(heap)[-1])
            if move <= again:
                continue
            rank = (*self._rank(move, again, now), sorted(move))
            if heap and rank > heap[0]:
                heapq.heappush(heap, rank)
                continue
            if rank[0] >= 0:
                break
            chosen.append(move)
            again |= move
            freed += now.bytes - (now := self._estimate(again)).bytes
        return chosen

    def _rank(self, move: Steps, again: Steps, now: Estimate) -> tuple[float, int]:
        """Least for the best: bytes freed per operation, negative; then how much is computed again at once."""
        then = self._estimate(again | move)
        return (then.bytes - now.bytes) / max(then.price - now.price, 1), then.chain

    def _moves(self, again: Steps) -> list[Steps]:
        """A step each, and where that would only keep what it reads instead, that with the steps before it."""
        kept, _ = self._walk(again)
        found: dict[Steps, None] = {}
        for s in kept:
            k = self.halves.step_of[s]
            if size_of(s) * WORTH < self.nothing.peak or not self._priced(k):
                continue
            found[frozenset([k])] = None
            whole, queue = {k}, [s]
            for x in queue:  # grows while it is read
                for y in self._cone(x)[0]:
                    j = self.halves.step_of[y]
                    if y not in kept and j not in whole and self._priced(j):
                        whole.add(j)
                        queue.append(y)
            found[frozenset(whole)] = None
        return list(found)

    def _priced(self, k: int) -> bool:
        """Whether it is known what a step costs."""
        step = self.halves.plan[k]
        return step.kind in ("group", "product") or all(_known(s) for s in step.symbols)

    # ---- the estimate

    def _walk(self, again: Steps) -> tuple[dict[Symbol, None], dict[Symbol, list[Symbol]]]:
        """The arrays that are kept, and those that are made again, with what they are made of."""
        halves = self.halves
        kept: dict[Symbol, None] = {}
        made: dict[Symbol, list[Symbol]] = {}
        queue = [halves.root[s] for s in halves.read]
        for s in queue:  # grows while it is read
            if s not in halves.forward:
                continue
            if halves.stays(s, again):
                kept[s] = None
            elif s not in made:
                made[s] = self._cone(s)[0]
                queue += made[s]
        return kept, made

    def _cone(self, s: Symbol) -> tuple[list[Symbol], int]:
        """The arrays of other steps that an array is computed of, and the price of that."""
        if s not in self.cones:
            halves = self.halves
            price, inside = 0, {s: None}
            outside: dict[Symbol, None] = {}
            queue = [s]
            for x in queue:  # grows while it is read
                price += flops(x)
                for y in (y for y in x.inputs if isinstance(y, Symbol) and halves.root[y] in halves.forward):
                    if halves.step_of[y] != halves.step_of[s]:
                        outside[halves.root[y]] = None
                    elif y not in inside:
                        inside[y] = None
                        queue.append(y)
            moved = sum(y.size for y in outside) + (0 if halves.kind(s) == "group" else s.size)
            self.cones[s] = list(outside), price + TRAFFIC * moved
        return self.cones[s]

    def _estimate(self, again: Steps) -> Estimate:
        halves, step_of = self.halves, self.halves.step_of
        kept, made = self._walk(again)
        order = sorted((step_of[s], 0 if s in self.lasting else size_of(s)) for s in kept)
        places, before = [k for k, _ in order], [0, *accumulate(n for _, n in order)]
        chains = _Chains()
        for s, reads in made.items():
            chains.add(step_of[s], 0 if halves.kind(s) == "group" else size_of(s))
            for y in reads:
                if y in made:
                    chains.join(step_of[s], step_of[y])
        found = chains.sizes()
        at_once = (before[bisect(places, first)] + n for first, n in found)
        times = self._times(made)
        price = sum(self._cone(s)[1] * times[s] for s in made)
        return Estimate(max([before[-1], *at_once]), max((n for _, n in found), default=0), price)

    def _times(self, made: dict[Symbol, list[Symbol]]) -> dict[Symbol, int]:
        """In how many kernels each is made again."""
        readers: dict[Symbol, list[Symbol]] = {}
        for s, reads in made.items():
            for y in reads:
                readers.setdefault(y, []).append(s)
        times: dict[Symbol, int] = {}
        for s in sorted(made, key=lambda s: s.serial, reverse=True):
            loops = self.halves.kind(s) == "group"
            inside = [r for r in readers.get(s, ()) if self.halves.kind(r) == "group"]
            apart = len(self.direct.get(s, ())) + (len(inside) < len(readers.get(s, ())))
            times[s] = max(1, apart + sum(times[r] for r in inside)) if loops else 1
        return times

    # ---- the answer

    def recomputed(self) -> list[Recomputed]:
        """What is computed again because of the budget, step by step."""
        halves = self.halves
        anyway = set(halves.wanted(()))
        before, after = self._walk(frozenset())[0], self._walk(self.again)[0]
        freed: dict[int, int] = {}
        for s in before:
            if s not in after:
                freed[halves.step_of[s]] = freed.get(halves.step_of[s], 0) + size_of(s)
        found: dict[int, list[Use]] = {}
        for use in halves.wanted(self.again):
            if use not in anyway:
                found.setdefault(halves.step_of[halves.root[use[0]]], []).append(use)
        return [_told(uses, freed.get(k, 0)) for k, uses in sorted(found.items())]

    def refusal(self, name: str, given: object) -> TooLarge:
        """The error for a budget that is too small."""
        least, whole = size(self.found.peak), size(self.nothing.peak)
        return TooLarge(
            f"{name} was given fit_in={given!r}, and needs {least} at least: {whole} if everything is kept, less by "
            f"what could be computed again.\nWrite fit_in='{-(-self.found.peak // 10**6)}MB' or more, or take a "
            f"smaller batch, a smaller model, or an optimizer with less state."
        )


def _told(uses: Sequence[Use], freed: int) -> Recomputed:
    symbols = list(dict.fromkeys(s for s, _ in uses))
    names = dict.fromkeys(s.op.name for s in symbols if s.op is not None)
    largest = max(symbols, key=size_of)
    origins = sorted({s.origin for s in symbols if s.origin is not None})
    times = len({key for _, key in uses})
    price = sum(flops(s) for s, _ in uses)
    return Recomputed(tuple(names), tuple(origins), largest.shape, str(largest.dtype), freed, price, times)


class _Chains:
    """Steps that are run again one after another, as disjoint sets, with the bytes that each needs at once."""

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}
        self.bytes: dict[int, int] = {}

    def add(self, k: int, count: int) -> None:
        self.parent.setdefault(k, k)
        self.bytes[k] = self.bytes.get(k, 0) + count

    def join(self, a: int, b: int) -> None:
        self.add(a, 0)
        self.add(b, 0)
        self.parent[self._find(a)] = self._find(b)

    def _find(self, k: int) -> int:
        while self.parent[k] != k:
            k = self.parent[k]
        return k

    def sizes(self) -> list[tuple[int, int]]:
        """The first step and the bytes of each."""
        first: dict[int, int] = {}
        total: dict[int, int] = {}
        for k in sorted(self.parent):
            leader = self._find(k)
            first.setdefault(leader, k)
            total[leader] = total.get(leader, 0) + self.bytes.get(k, 0)
        return [(first[k], n) for k, n in total.items()]


def _known(s: Symbol) -> bool:
    assert s.op is not None
    name = s.op.name
    return name in ("convolve", "convolve_input", *cost.MOVES, *cost.WINDOWS, *cost.PER_INPUT, *cost.PRODUCTS)


def flops(s: Symbol) -> int:
    """The operations that compute a symbol, as `ag.costs_of` counts them."""
    assert s.op is not None
    if s.op.name in ("convolve", "convolve_input"):
        places = s if s.op.name == "convolve" else s.inputs[0]
        return 2 * int(places.size) * int(prod(s.inputs[1].shape[1:]))
    if s.op.name == "convolve_weight":
        return 2 * int(s.inputs[1].size) * prod(s.shape[1:])
    return cost.flops(Node(s.op, (None,) * len(s.inputs), (None, *s.inputs), s.settings, s.shape, s.dtype))
