"""Many elements moved at once: the function run under `ag.vmap` on a batch of places, where it can be batched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.batching.level import Batched, Batching
from autograd.batching.vmap import content
from autograd.gradcheck.analytic import Chosen, Place
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
        chosen: Chosen,
        steps: Mapping[int, Array],
        base: Array,
        exact: Mapping[int, Sequence[Array]],
        judge: Judge,
    ) -> dict[int, tuple[Array, Array]]:
        """For each variable, which elements one step settles, and for those the numeric derivatives, a column for each.

        `exact` are the analytic ones, which all must agree. What is not settled must be looked at element by element.
        """
        found = {k: (np.zeros(len(places), bool), np.zeros((len(base), len(places)))) for k, places in chosen.items()}
        every = [(k, c) for k, places in chosen.items() for c in range(len(places))]
        half = self.places // 2
        for at in range(0, len(every) if len(every) >= LEAST else 0, half or 1):
            here: dict[int, list[int]] = {}
            for k, c in every[at : at + half]:
                here.setdefault(k, []).append(c)
            rows = self._values({k: ([chosen[k][c] for c in cs], steps[k][cs]) for k, cs in here.items()})
            if rows is None:
                break
            above, below = np.split(rows.T, 2, axis=1)
            ends = np.cumsum([len(cs) for cs in here.values()])[:-1]
            parts = zip(here.items(), np.split(above, ends, axis=1), np.split(below, ends, axis=1), strict=True)
            for (k, cs), up, down in parts:
                done, numeric = found[k]
                h = steps[k][cs]
                with np.errstate(all="ignore"):
                    done[cs] = np.all([settled(up, down, base[:, None], h, e[:, cs], judge) for e in exact[k]], axis=0)
                    numeric[:, cs] = slope(up, down, 2 * h)
        return found

    def _values(self, moves: Mapping[int, tuple[Sequence[Place], Array]]) -> Array | None:
        """All elements of all outputs, in a row for each element moved up by its step, then for each moved down."""
        if not self.usable:
            return None
        problem, count = self.problem, sum(len(places) for places, _ in moves.values())
        moved, at = {}, 0
        for k, (places, steps) in moves.items():
            x = problem.variables[k].value
            moved[k] = np.repeat(x[None], 2 * count, axis=0)
            where = np.array(places, int).reshape(len(places), x.ndim).T
            for first, shifts in ((at, steps), (at + count, -steps)):
                moved[k][(np.arange(first, first + len(places)), *where)] += shifts
            at += len(places)
        level = Batching(2 * count, same=True)
        grad_mode = enable_grad() if problem.record else no_grad()
        try:
            with grad_mode, np.errstate(all="ignore"), level, _held(problem, level, moved):
                parts = [content(level, y) for y in problem.run()]
            rows = [_rows(c, mapped, 2 * count) for c, mapped in parts]
            level.settle()
        except Exception:  # whatever f says of a batch: it has run without one before
            level.settle(failed=True)
            self.usable = False
            return None
        return np.concatenate([*rows, np.zeros((2 * count, 0))], axis=1)


def _rows(y: Any, mapped: bool, count: int) -> Array:
    value = np.asarray(y.value if isinstance(y, Tensor) else y, np.float64)
    return value.reshape(count, -1) if mapped else np.repeat(value.reshape(1, -1), count, axis=0)


@contextmanager
def _held(problem: Problem, level: Batching, moved: Mapping[int, Array]) -> Iterator[None]:
    """The variables as values of a level, some of them moved; put back afterwards whatever happens."""
    before = [(j, problem.variables[j].value) for j in problem.checked]
    try:
        for j, value in before:
            problem.variables[j].value = Batched(moved.get(j, value), level, j in moved)
        yield
    finally:
        for j, value in before:
            problem.variables[j].value = value
