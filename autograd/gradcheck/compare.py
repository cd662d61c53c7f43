"""Analytic against numeric derivatives: the whole Jacobian, or random projections that lead to the element at fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.gradcheck.analytic import Chosen, Place, backwards, forwards, pulled, pushed
from autograd.gradcheck.batch import Batch
from autograd.gradcheck.imaginary import Imaginary
from autograd.gradcheck.numeric import (
    ROUNDING,
    Estimate,
    Judge,
    derivative,
    scale_around,
    scale_of,
    step,
    steps_for,
    steps_of,
    unseen,
)
from autograd.gradcheck.problem import Problem
from autograd.gradcheck.result import Mismatch
from autograd.tensor import Tensor

Array = NDArray[Any]


SHAKES = 8  # of the inputs in their last places, to see how far rounding moves a derivative
SHAKEN = 8.0  # times as far as rounding was seen to move a derivative
LOOKS = 4  # elements of a projection that are looked at one by one


@dataclass(frozen=True)
class How:
    """The settings of a check."""

    modes: tuple[str, ...]
    judge: Judge
    eps: float | None  # the first step relative to the scale of an element

    @property
    def power(self) -> float:
        """The first step is this power of the precision, times the scale."""
        return 0.3 if self.eps is None else float(np.log(self.eps) / np.log(self.judge.eps))

    def first(self, x: Array, elements: Sequence[Place]) -> Array:
        """The first step for each element."""
        own = np.abs(x[tuple(np.array(elements, int).reshape(len(elements), x.ndim).T)]).reshape(len(elements))
        with np.errstate(all="ignore"):
            smallest = steps_of(16 * np.spacing(own), 1.0)
            return np.asarray(
                np.maximum(steps_of(scale_of(own, scale_around(x)), self.judge.eps, self.power), smallest)
            )

    def steps(self, x: Array, index: Place) -> list[float]:
        """Steps for one element."""
        own = abs(float(x[index]))
        scale = float(scale_of(own, scale_around(x)))
        smallest = 16 * float(np.spacing(own))
        return steps_for(scale, (float(np.max(np.abs(x))), own, own / 128), self.judge.eps, smallest, self.power)


@dataclass
class Found:
    """What was compared, and where it failed. `jacobians` holds (variable, analytic, numeric) for who looks further."""

    compared: int = 0
    wrong: list[Mismatch] = field(default_factory=list)
    kinks: list[Mismatch] = field(default_factory=list)
    imprecise: list[Mismatch] = field(default_factory=list)
    jacobians: list[tuple[int, Array, Array]] = field(default_factory=list)
    imaginary: int = 0  # of those compared, with an imaginary step


def full(problem: Problem, outputs: Sequence[Tensor], base: Array, chosen: Chosen, how: How) -> Found:
    """Every chosen element of every variable against every element of the outputs."""
    found, batch, imaginary = Found(), Batch(problem, outputs), Imaginary(problem, len(base), how.judge.eps)
    blocks = {}
    if "reverse" in how.modes:
        blocks["reverse"] = backwards(problem, outputs, chosen)
    if "forward" in how.modes:
        blocks["forward"] = forwards(problem, chosen)
    places = [(o, *i) if len(outputs) > 1 else i for o, y in enumerate(outputs) for i in np.ndindex(y.shape)]
    steps = {k: how.first(problem.variables[k].value, elements) for k, elements in chosen.items()}
    exact_of = {k: [b[n] for b in blocks.values()] for n, k in enumerate(chosen)}
    settled = batch.agreeing(chosen, steps, base, exact_of, how.judge)
    for n, (k, elements) in enumerate(chosen.items()):
        x = problem.variables[k].value
        scale = max((float(np.nanmax(np.abs(e), initial=0)) for e in exact_of[k]), default=0.0)
        judge = replace(how.judge, scale=scale if np.isfinite(scale) else 0.0)
        done, numeric = settled[k]
        found.compared += int(done.sum()) * len(places) * len(blocks)
        for c in np.flatnonzero(~done).tolist():
            index = elements[c]
            columns = {mode: b[n][:, c] for mode, b in blocks.items()}
            exact = next(iter(columns.values()))
            sure = partial(imaginary.of_element, k, index)
            if np.isfinite(x[index]):
                e = derivative(problem.along(k, index), base, how.steps(x, index), exact, judge, sure)
            else:
                e = unseen(len(base))
            numeric[:, c] = e.value
            found.imaginary += int(e.imaginary.sum()) * len(columns)
            for mode, column in columns.items():
                _sort(found, column, e, judge, problem.names[k], index, places, float(x[index]), base, mode)
        found.jacobians.append((k, next(iter(blocks.values()))[n], numeric))
    if found.wrong:
        _excuse(found, problem, chosen, places, blocks, how)
    return found


def _excuse(
    found: Found,
    problem: Problem,
    chosen: Chosen,
    places: Sequence[Place],
    blocks: dict[str, list[Array]],
    how: How,
) -> None:
    """To those that cannot be told: analytic derivatives that rounding moves as far as they are from the numeric ones.

    It does so where large contributions cancel: they are another number where the inputs differ in the last place.
    """
    spread = {mode: [np.zeros_like(b) for b in parts] for mode, parts in blocks.items()}
    rng = np.random.default_rng(0)
    xs = {k: np.nan_to_num(problem.variables[k].value, posinf=0, neginf=0) for k in problem.checked}
    for _ in range(SHAKES):
        shifts = {k: max(8 * how.judge.eps, 1e-12) * rng.uniform(-1, 1, x.shape) * x for k, x in xs.items()}
        with problem.moved(shifts), np.errstate(all="ignore"):
            for mode, parts in blocks.items():
                run = forwards(problem, chosen) if mode == "forward" else backwards(problem, problem.outputs(), chosen)
                for most, part, moved in zip(spread[mode], parts, run, strict=True):
                    np.maximum(most, np.abs(moved - part), out=most)
    columns = {(problem.names[k], i): (n, c) for n, (k, es) in enumerate(chosen.items()) for c, i in enumerate(es)}
    rows = {place: j for j, place in enumerate(places)}
    for m in list(found.wrong):
        n, c = columns[m.input, m.index]
        if (
            m.smooth
            and isfinite(m.error)
            and abs(m.analytic - m.numeric) <= SHAKEN * spread[m.mode][n][rows[m.output], c] + m.error
        ):
            found.wrong.remove(m)
            found.imprecise.append(m)


def _sort(
    found: Found,
    exact: Array,
    e: Estimate,
    judge: Judge,
    name: str,
    index: tuple[int, ...],
    places: Sequence[tuple[int, ...]],
    x: float,
    values: Array,
    mode: str,
) -> None:
    """Each derivative to where it belongs: agreed, wrong, at a kink, or not to be told."""
    with np.errstate(all="ignore"):
        wrong = np.where(e.kink, judge.outside(exact, e), judge.differs(exact, e))
        kink, vague = e.kink & ~wrong, ~e.kink & ~wrong & judge.vague(exact, e)
    found.compared += len(exact)
    for group, marked in ((found.wrong, wrong), (found.kinks, kink), (found.imprecise, vague)):
        for j in np.flatnonzero(marked):
            group.append(_mismatch(name, index, places[int(j)], exact, e, int(j), x, float(values[j]), mode))


def _mismatch(
    name: str, index: Place, output: Place, exact: Array, e: Estimate, j: int, x: float, value: float, mode: str
) -> Mismatch:
    analytic, numeric, error, left, right = (float(a[j]) for a in (exact, e.value, e.error, e.left, e.right))
    return Mismatch(name, index, output, analytic, numeric, error, left, right, x, value, mode, bool(e.imaginary[j]))


def projected(problem: Problem, outputs: Sequence[Tensor], base: Array, how: How, rng: np.random.Generator) -> Found:
    """Two random projections; where one disagrees, halving the variables names the element at fault.

    What cannot be told of an element, it may hide of others: they are projected without it, a few times.
    """
    found = Found()
    finite = np.isfinite(base)
    for _ in range(2):
        weights = _shaped(rng.uniform(0.5, 1.5, base.shape) * rng.choice([-1, 1], base.shape) * finite, outputs)
        shifts = {k: _shift(problem.variables[k].value, rng) for k in problem.checked}
        for mode in how.modes:
            check = _Projection(problem, outputs, weights, shifts, base, how, mode)
            everything = [(k, i) for k in problem.checked for i in range(problem.variables[k].value.size)]
            found.compared += 1
            for _ in range(LOOKS):
                if check.agrees(everything):
                    break
                k, i = _halved(check, everything)
                everything.remove((k, i))
                index = tuple(int(n) for n in np.unravel_index(i, problem.variables[k].shape))
                closer = full(problem, outputs, base, {k: [index]}, replace(how, modes=(mode,)))
                closer.compared += found.compared
                if closer.wrong:
                    return closer
                found.compared = closer.compared
                found.kinks += closer.kinks
                found.imprecise += closer.imprecise
                if not closer.kinks and not closer.imprecise:
                    found.imprecise.append(check.mismatch([(k, i)], index))
        if found.kinks or found.imprecise:
            break
    held = {k: ~np.isfinite(problem.variables[k].value) for k in problem.checked}
    if not finite.all() or any(fixed.any() for fixed in held.values()):  # which no projection sees
        everywhere = pulled(problem.leaves(), outputs, _shaped(rng.uniform(0.5, 1.5, base.shape), outputs))
        of_others = pulled(problem.leaves(), outputs, _shaped(rng.uniform(0.5, 1.5, base.shape) * ~finite, outputs))
        for (k, fixed), g, other in zip(held.items(), everywhere, of_others, strict=True):
            for place in np.argwhere((fixed & (g != 0)) | (other != 0))[:1].tolist():
                closer = full(problem, outputs, base, {k: [tuple(place)]}, how)
                found.compared += closer.compared
                found.imprecise += closer.imprecise
    return found


def _shaped(row: Array, outputs: Sequence[Tensor]) -> list[Array]:
    """The parts of one row in the shapes of the outputs."""
    parts = np.split(row, np.cumsum([y.size for y in outputs])[:-1])
    return [part.reshape(y.shape) for part, y in zip(parts, outputs, strict=True)]


def _shift(x: Array, rng: np.random.Generator) -> Array:
    """A random number for each element, times its scale: not mere signs, whose parts may cancel exactly.

    0 where x is not finite and cannot be moved.
    """
    held = np.where(np.isfinite(x), x, 0)
    scale = scale_of(np.abs(held), scale_around(held)) * np.isfinite(x)
    return np.asarray(scale * rng.choice([-1.0, 1.0], x.shape) * rng.uniform(0.5, 1.5, x.shape))


def _halved(check: _Projection, suspects: list[tuple[int, int]]) -> tuple[int, int]:
    """The element that disagrees, by halving those that do."""
    while len(suspects) > 1:
        half = len(suspects) // 2
        suspects = suspects[:half] if not check.agrees(suspects[:half]) else suspects[half:]
    return suspects[0]


class _Projection:
    """The derivative of sum(weights * outputs) along `shifts`, restricted to some elements."""

    def __init__(
        self,
        problem: Problem,
        outputs: Sequence[Tensor],
        weights: Sequence[Array],
        shifts: dict[int, Array],
        base: Array,
        how: How,
        mode: str,
    ) -> None:
        self.problem, self.shifts, self.how, self.mode = problem, shifts, how, mode
        self.imaginary = Imaginary(problem, len(base), how.judge.eps)
        self.row = np.concatenate([*(np.ravel(w) for w in weights), np.zeros(0)])
        self.base = base
        if mode == "reverse":
            self.gradient = dict(zip(problem.checked, pulled(problem.leaves(), outputs, weights), strict=True))

    def masked(self, elements: Sequence[tuple[int, int]]) -> dict[int, Array]:
        """The shifts of these elements, zero elsewhere."""
        moves = {k: np.zeros(self.problem.variables[k].shape) for k in {k for k, _ in elements}}
        for k, move in moves.items():
            flat = [i for j, i in elements if j == k]
            move.reshape(-1)[flat] = self.shifts[k].reshape(-1)[flat]
        return moves

    def exact(self, moves: dict[int, Array]) -> float:
        """The analytic derivative along them."""
        if self.mode == "reverse":
            with np.errstate(all="ignore"):
                return float(sum(np.sum(self.gradient[k] * m) for k, m in moves.items()))
        zero = {k: np.zeros(self.problem.variables[k].shape) for k in self.problem.checked}
        return float(self.row @ pushed(self.problem, zero | moves))

    def estimate(self, moves: dict[int, Array], exact: float) -> Estimate:
        """The numeric derivative along them."""
        h = steps_for(1.0, (), self.how.judge.eps, self.how.judge.eps)
        row = self.row

        def along(values: Callable[[], Array]) -> Callable[[float], Array]:
            def at(t: float) -> Array:
                with self.problem.moved({k: t * m for k, m in moves.items()}), np.errstate(all="ignore"):
                    return _weighted(row, values(), self.base)

            return at

        sure, judge = partial(self.imaginary.along, moves, row=row), self.judge(moves)
        e = derivative(along(self.problem.beside), np.zeros(1), h, np.array([exact]), judge, sure)
        other = sure() if judge.atol > 2 * self.atol(moves) and not e.imaginary[0] else None  # of little but rounding
        return e if other is None or not judge.confirmed(other, e)[0] else other

    def atol(self, moves: dict[int, Array]) -> float:
        """The absolute tolerance along them: that of an element, times how far the farthest goes."""
        far = max((float(np.max(np.abs(m), initial=0)) for m in moves.values()), default=0.0)
        return self.how.judge.atol * min(1.0, far)

    def judge(self, moves: dict[int, Array], e: Estimate | None = None) -> Judge:
        """Rounding of a difference of sums is that of the sums themselves; an imaginary step takes no difference."""
        if e is not None and e.imaginary[0]:
            return replace(self.how.judge, atol=self.atol(moves))
        finite = np.isfinite(self.base)
        with np.errstate(over="ignore"):
            size, eps = float(np.sum(np.abs(self.row[finite] * self.base[finite]))), self.how.judge.eps
        # _weighted subtracts the base first, so its size no longer shows what was rounded
        return replace(self.how.judge, atol=self.atol(moves) + ROUNDING * eps * size / step(1.0, eps))

    def agrees(self, elements: Sequence[tuple[int, int]]) -> bool:
        """Whether the two derivatives do."""
        moves = self.masked(elements)
        exact = self.exact(moves)
        e = self.estimate(moves, exact)
        judge, column = self.judge(moves, e), np.array([exact])
        return not bool(e.kink[0] or judge.differs(column, e)[0] or judge.vague(column, e)[0])

    def mismatch(self, elements: Sequence[tuple[int, int]], index: tuple[int, ...]) -> Mismatch:
        """What was seen of one element."""
        moves = self.masked(elements)
        exact = self.exact(moves)
        e = self.estimate(moves, exact)
        k, _ = elements[0]
        x = float(self.problem.variables[k].value[index])
        return _mismatch(self.problem.names[k], index, (), np.array([exact]), e, 0, x, 0.0, self.mode)


def _weighted(row: Array, values: Array, base: Array) -> Array:
    moved = np.where((values == base) | ~np.isfinite(base), 0.0, values - base)  # what is not finite is not judged here
    return np.array([float(row @ moved)])
