"""The derivatives under test: the tape read backwards or forwards, element by element or along a direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.batching.vmap import vmap
from autograd.gradcheck.problem import Problem
from autograd.tape import entries
from autograd.tensor import Tensor
from autograd.transforms import grad, jvp

Array = NDArray[Any]
Place = tuple[int, ...]
Chosen = dict[int, list[Place]]  # which elements of which variable
LEAST = 16  # rows from which on a batch is worth its while
AT_ONCE = 1 << 18  # elements of the largest array on the tape or of all outputs, times the rows of one sweep
ROUNDING = 1e-10  # by which a sum of rows may differ from the sweep of the sum, as a part of its terms


def backwards(problem: Problem, outputs: Sequence[Tensor], chosen: Chosen) -> list[Array]:
    """For each variable its part of the Jacobian: a row for each output element, a column for each chosen element."""
    by = [problem.variables[k] for k in chosen]
    where = [_flat(x, places) for x, places in zip(by, chosen.values(), strict=True)]
    return _at_once(outputs, by, where) or _row_by_row(outputs, by, where)


def _flat(x: Tensor, places: Sequence[Place]) -> Array:
    """Where these elements of an array are among all of them."""
    index = tuple(np.array(places, int).reshape(len(places), x.ndim).T)
    return np.atleast_1d(np.arange(x.size).reshape(x.shape)[index])


def _row_by_row(outputs: Sequence[Tensor], by: Sequence[Tensor], where: Sequence[Array]) -> list[Array]:
    rows: list[list[Array]] = [[] for _ in by]
    for y in outputs:
        for index in np.ndindex(y.shape):
            found: Sequence[Tensor] = [Tensor(np.zeros(x.shape)) for x in by]
            if y.requires_grad:
                unit = np.zeros(y.shape, y.dtype)
                unit[index] = 1
                found = grad(y, by, unit, retain_graph=True, allow_unused=True)
            for row, g, w in zip(rows, found, where, strict=True):
                row.append(g.numpy().ravel()[w].astype(np.float64))
    return [np.array(r).reshape(len(r), len(w)) for r, w in zip(rows, where, strict=True)]


def _at_once(outputs: Sequence[Tensor], by: Sequence[Tensor], where: Sequence[Array]) -> list[Array] | None:
    """The same by sweeps of many rows; None where there are few, or where a plain sweep gives another sum of all."""
    tape = entries([y.node for y in outputs if y.node is not None])
    total = sum(y.size for y in outputs)
    places = AT_ONCE // max([1, total, *(int(np.prod(node.shape, dtype=int)) for node in tape)])
    hooked = any(node.watch is not None and node.watch.hooks for node in tape)  # a hook is to see one cotangent
    if min(total, places) < LEAST or hooked or any(node.dtype != np.float64 for node in tape):
        return None
    ends = np.cumsum([y.size for y in outputs])[:-1]
    parts = []
    for at in range(0, total, places):
        units = np.split(np.eye(min(places, total - at), total, at), ends, axis=1)
        try:
            found = _swept(outputs, by, units)
        except Exception:  # whatever a rule says of a batch: it may run without one
            return None
        parts.append([g.reshape(len(g), -1)[:, w] for g, w in zip(found, where, strict=True)])
    rows = [np.concatenate(part) for part in zip(*parts, strict=True)]
    weights = np.random.default_rng(0).uniform(0.5, 1.5, total) * np.where(np.arange(total) % 2, 1, -1)
    sums = pulled(by, outputs, [c.reshape(y.shape) for c, y in zip(np.split(weights, ends), outputs, strict=True)])
    with np.errstate(all="ignore"):
        sizes = [np.abs(weights) @ np.abs(r) for r in rows]
        least = 1e-4 * max(float(np.max(size, initial=0)) for size in sizes)  # for what is zero but for rounding
        pairs = zip(rows, sums, where, sizes, strict=True)
        agree = all((np.abs(weights @ r - g.ravel()[w]) <= ROUNDING * (n + least)).all() for r, g, w, n in pairs)
    return rows if agree else None


def _swept(outputs: Sequence[Tensor], by: Sequence[Tensor], units: Sequence[Array]) -> list[Array]:
    """The gradients by a sweep for each row of the units, in one run over the tape."""
    live = [
        (y, u.reshape(len(u), *y.shape)) for y, u in zip(outputs, units, strict=True) if y.requires_grad and u.any()
    ]
    if not live:
        return [np.zeros((len(units[0]), *x.shape)) for x in by]

    def sweep(*cotangents: Tensor) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = grad(
            [y for y, _ in live], by, list(cotangents), retain_graph=True, allow_unused=True
        )
        return found

    return [g.numpy() for g in vmap(sweep)(*(Tensor(u) for _, u in live))]


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


def pulled(by: Sequence[Tensor], outputs: Sequence[Tensor], cotangents: Sequence[Array]) -> list[Array]:
    """The gradient of sum(cotangents * outputs) by each of some variables."""
    live = [(y, c) for y, c in zip(outputs, cotangents, strict=True) if y.requires_grad]
    if not live:
        return [np.zeros(x.shape) for x in by]
    given = [c.astype(y.dtype) for y, c in live]
    found = grad([y for y, _ in live], by, given, retain_graph=True, allow_unused=True)
    return [np.asarray(g.numpy()) for g in found]


def coarse(problem: Problem, outputs: Sequence[Tensor], rng: np.random.Generator) -> list[str]:
    """Names of the variables whose gradient has lost the digits of float64 on the way, though the values have not.

    A cast loses them; a cancellation does too, but then the last places of the inputs move what is left of them.
    """
    cotangents = [rng.uniform(0.5, 1.5, y.shape) for y in outputs]
    sizes = [np.max(np.abs(np.nan_to_num(y.value)), initial=1) for y in outputs]
    noise = 1e-9 * float(max(sizes, default=1))  # what is left of a cancellation has few digits too
    named: dict[int, Array] = {}
    for k, g in zip(problem.checked, pulled(problem.leaves(), outputs, cotangents), strict=True):
        some = np.where((np.abs(g) > noise) & np.isfinite(g), g, 0)
        with np.errstate(all="ignore"):
            if some.any() and (some == some.astype(np.float32)).all():
                named[k] = some
    if not named:
        return []
    held = {k: g != 0 for k, g in named.items()}
    for by in (-3e-12, -1e-12, 1e-12, 3e-12):
        shifts = {k: by * np.nan_to_num(problem.variables[k].value, posinf=0, neginf=0) for k in problem.checked}
        with problem.moved(shifts), np.errstate(all="ignore"):
            beside = dict(zip(problem.checked, pulled(problem.leaves(), problem.outputs(), cotangents), strict=True))
            for k, g in named.items():
                held[k] &= np.abs(beside[k] - g) <= 1e-8 * np.abs(g)
    return [problem.names[k] for k, g in named.items() if np.mean(held[k][g != 0]) > 0.5]
