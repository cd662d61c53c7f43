"""The derivatives under test: the tape read backwards or forwards, element by element or along a direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.gradcheck.problem import Problem
from autograd.tensor import Tensor
from autograd.transforms import grad, jvp

Array = NDArray[Any]
Chosen = dict[int, list[tuple[int, ...]]]  # which elements of which variable


def backwards(problem: Problem, outputs: Sequence[Tensor], chosen: Chosen) -> list[Array]:
    """For each variable its part of the Jacobian: a row for each output element, a column for each chosen element."""
    by = [problem.variables[k] for k in chosen]
    rows: list[list[Array]] = [[] for _ in by]
    where = [
        tuple(np.array(places, int).reshape(len(places), x.ndim).T)
        for x, places in zip(by, chosen.values(), strict=True)
    ]
    for y in outputs:
        for index in np.ndindex(y.shape):
            found: Sequence[Tensor] = [Tensor(np.zeros(x.shape)) for x in by]
            if y.requires_grad:
                unit = np.zeros(y.shape, y.dtype)
                unit[index] = 1
                found = grad(y, by, unit, retain_graph=True, allow_unused=True)
            for row, g, w in zip(rows, found, where, strict=True):
                row.append(np.atleast_1d(g.numpy()[w]).astype(np.float64))
    return [np.array(r).reshape(len(r), len(w)) for r, w in zip(rows, chosen.values(), strict=True)]


def forwards(problem: Problem, chosen: Chosen) -> list[Array]:
    """The same, column by column, from the tape read forwards."""
    blocks = []
    for k, places in chosen.items():
        columns = []
        for index in places:
            moves = {j: np.zeros(problem.variables[j].shape) for j in problem.checked}
            moves[k][index] = 1
            columns.append(pushed(problem, moves))
        blocks.append(np.array(columns).T if columns else np.zeros((0, 0)))
    return blocks


def pushed(problem: Problem, moves: dict[int, Array]) -> Array:
    """The derivative of all outputs along `moves`, in one row."""
    by = [problem.variables[k] for k in moves]

    def f(*moving: Tensor) -> list[Tensor]:
        held = [(x, x.node) for x in by]
        for x, v in zip(by, moving, strict=True):  # f may read the leaves themselves
            x.node = v.node
        try:
            return problem.run()
        finally:
            for x, node in held:
                x.node = node

    _, out = jvp(f, [x.detach() for x in by], list(moves.values()))
    return np.concatenate([*(np.ravel(y.numpy()).astype(np.float64) for y in out), np.zeros(0)])


def pulled(problem: Problem, outputs: Sequence[Tensor], cotangents: Sequence[Array]) -> list[Array]:
    """The gradient of sum(cotangents * outputs) by each checked variable."""
    live = [(y, c) for y, c in zip(outputs, cotangents, strict=True) if y.requires_grad]
    by = problem.leaves()
    if not live:
        return [np.zeros(x.shape) for x in by]
    given = [c.astype(y.dtype) for y, c in live]
    found = grad([y for y, _ in live], by, given, retain_graph=True, allow_unused=True)
    return [np.asarray(g.numpy()) for g in found]


def coarse(problem: Problem, outputs: Sequence[Tensor], rng: np.random.Generator) -> list[str]:
    """Names of the variables whose gradient has lost the digits of float64 on the way, though the values have not."""
    cotangents = [rng.uniform(0.5, 1.5, y.shape) for y in outputs]
    sizes = [np.max(np.abs(np.nan_to_num(y.value)), initial=1) for y in outputs]
    noise = 1e-9 * float(max(sizes, default=1))  # what is left of a cancellation has few digits too
    named = []
    for k, g in zip(problem.checked, pulled(problem, outputs, cotangents), strict=True):
        some = g[(np.abs(g) > noise) & np.isfinite(g)]
        with np.errstate(all="ignore"):
            if some.size and (some == some.astype(np.float32)).all():
                named.append(problem.names[k])
    return named
