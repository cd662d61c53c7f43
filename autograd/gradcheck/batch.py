"""Many elements moved at once: the function run under `ag.vmap` on a batch of places, where it can be batched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.batching.level import Batched, Batching
from autograd.batching.vmap import content
from autograd.gradcheck.numeric import Judge, settled, slope
from autograd.gradcheck.problem import Problem
from autograd.tape import enable_grad, entries, no_grad
from autograd.tensor import Tensor

Array = NDArray[Any]
LEAST = 16  # elements from which on a batch is worth its while
AT_ONCE = 1 << 19  # elements of the largest array on the way, times the places that are tried at once


class Batch:
    """Evaluations of a problem at many places at once; after the first that fails, none are tried any more."""

    def __init__(self, problem: Problem, outputs: Sequence[Tensor]) -> None:
        self.problem = problem
        tape = entries([y.node for y in outputs if y.node is not None])
        sizes = [node.shape for node in tape] + [x.shape for x in problem.leaves()]
        self.places = min(1024, AT_ONCE // max([1, *(int(np.prod(shape, dtype=int)) for shape in sizes)]))
        self.usable = self.places >= LEAST

    def agreeing(
        self,
        k: int,
        elements: Sequence[tuple[int, ...]],
        steps: Array,
        base: Array,
        exact: Sequence[Array],
        judge: Judge,
    ) -> tuple[Array, Array]:
        """Which elements of a variable one step settles, and for those the numeric derivatives, a column for each.

        `exact` are the analytic ones, which all must agree. What is not settled must be looked at element by element.
        """
        done, numeric = np.zeros(len(elements), bool), np.zeros((len(base), len(elements)))
        half = self.places // 2
        for at in range(0, len(elements), half or 1):
            here = slice(at, at + half)
            rows = self._values(k, elements[here], steps[here]) if self.usable and len(elements) >= LEAST else None
            if rows is None:
                break
            above, below = np.split(rows.T, 2, axis=1)
            sides = (above, below, base[:, None], steps[here])
            with np.errstate(all="ignore"):
                done[here] = np.all([settled(*sides, e[:, here], judge) for e in exact], axis=0)
                numeric[:, here] = slope(above, below, 2 * steps[here])
        return done, numeric

    def _values(self, k: int, elements: Sequence[tuple[int, ...]], steps: Array) -> Array | None:
        """All elements of all outputs, in a row for each element moved up, then for each moved down."""
        problem, shifts, elements = self.problem, np.concatenate([steps, -steps]), [*elements, *elements]
        x = problem.variables[k].value
        moved = np.repeat(x[None], len(elements), axis=0)
        moved[(np.arange(len(elements)), *np.array(elements, int).reshape(len(elements), x.ndim).T)] += shifts
        level = Batching(len(elements), same=True)
        grad_mode = enable_grad() if problem.record else no_grad()
        try:
            with grad_mode, np.errstate(all="ignore"), level, _held(problem, level, k, moved):
                parts = [content(level, y) for y in problem.run()]
            rows = [_rows(c, mapped, len(elements)) for c, mapped in parts]
            level.settle()
        except Exception:  # whatever f says of a batch: it has run without one before
            level.settle(failed=True)
            self.usable = False
            return None
        return np.concatenate([*rows, np.zeros((len(elements), 0))], axis=1)


def _rows(y: Any, mapped: bool, count: int) -> Array:
    value = np.asarray(y.value if isinstance(y, Tensor) else y, np.float64)
    return value.reshape(count, -1) if mapped else np.repeat(value.reshape(1, -1), count, axis=0)


@contextmanager
def _held(problem: Problem, level: Batching, k: int, moved: Array) -> Iterator[None]:
    """The variables as values of a level, one of them moved; put back afterwards whatever happens."""
    before = [(j, problem.variables[j].value) for j in problem.checked]
    try:
        for j, value in before:
            problem.variables[j].value = Batched(moved if j == k else value, level, j == k)
        yield
    finally:
        for j, value in before:
            problem.variables[j].value = value
