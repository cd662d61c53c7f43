"""Planted mistakes: copies of the registry's records whose rules have been spoiled in the usual ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

import autograd as ag
from autograd.domain import case
from autograd.primitive import Primitive, primitives

SHAPES = {
    1: [((2, 3),), ((3,),)],
    2: [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3))],
    3: [((2, 3), (3,), ()), ((2, 1), (1, 3), (2, 3))],
}


def scaled(by):
    return lambda part, shape: part * by


def turned(part, shape):
    """A product transposed, then read as the shape that it should have."""
    return np.swapaxes(part, -1, -2).reshape(part.shape) if np.ndim(part) > 1 else part


def first_slice(part, shape):
    """The sum over a broadcast axis forgotten."""
    part = part[(0,) * (part.ndim - len(shape))]
    return part[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]


def summed(part, shape):
    """A sum over an axis that was not broadcast."""
    return np.sum(part, axis=-1, keepdims=True) + np.zeros_like(part) if np.ndim(part) else part


def rolled(part, shape):
    """An index off by one."""
    return np.roll(part, 1, axis=-1) if np.ndim(part) else part


def single(part, shape):
    """The rule computes in float32."""
    return part.astype(np.complex64 if part.dtype.kind == "c" else np.float32)


OF_THE_RESULT = {
    "sign": scaled(-1.0),
    "factor 2": scaled(2.0),
    "transposed product": turned,
    "missing sum": first_slice,
    "extra sum": summed,
    "off by one index": rolled,
    "wrong dtype": single,
}
KINDS = [*OF_THE_RESULT, "wrong saved value", "wrong branch"]


class Spoiled(Sequence):
    """The rules of an operation, that of one input spoiled."""

    def __init__(self, op, position, kind):
        self.op, self.position, self.kind = op, position, kind

    def __len__(self):
        return len(self.op.pulls)

    def __getitem__(self, i):
        right = self.op.pulls[i]
        if right is None or i != self.position:
            return right
        if self.kind == "wrong saved value":
            return lambda g, saved, node: right(g, [stale(s) for s in saved], node)
        if self.kind == "wrong branch":
            other = self.op.pulls[1 - i if len(self.op.inputs) == 2 else 3 - i]
            return lambda g, saved, node: other(g, saved, node)
        spoil = OF_THE_RESULT[self.kind]

        def pull(g, saved, node):
            part = right(g, saved, node)
            return None if part is None else spoil(np.asarray(part), node.parents[i].shape)

        return pull


def stale(value):
    floating = isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f"
    return value * 1.25 if floating else value


@dataclass(frozen=True)
class Mutant:
    op: Primitive
    right: Primitive
    xs: tuple
    settings: dict
    kind: str
    position: int

    def __str__(self):
        return f"{self.right.name}: {self.kind} in the rule of input {self.position}"

    def __call__(self, *xs):
        return self.op(*xs, **self.settings)


def gradients(op, xs, settings, position):
    """By the input at `position`, for a cotangent that tells all elements apart."""
    leaves = [ag.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    y = op(*leaves, **settings)
    cotangent = np.random.default_rng(9).uniform(0.5, 1.5, y.shape)
    return ag.grad(y, leaves[position], cotangent, allow_unused=True)[0].numpy()


@cache
def mutants_of(op: Primitive) -> list[Mutant]:
    """One for each kind of mistake and each input where it changes the gradient at all."""
    cases = op.cases or tuple(case(*shapes, on=op.domain) for shapes in SHAPES[len(op.inputs)])
    drawn = [(c.sample(np.random.default_rng(1)), c.settings) for c in cases]
    found = []
    for kind in KINDS:
        for position in range(1 if op.variadic else len(op.inputs)):
            spoiled = object.__new__(type(op))
            vars(spoiled).update(vars(op))
            spoiled.pulls, spoiled.together, spoiled.deposit = Spoiled(op, position, kind), None, None
            if kind == "wrong branch" and not two_branches(op, position):
                continue
            spoiled.reads = [frozenset(range(len(op.inputs) + 1))] * len(op.inputs) if op.reads else op.reads
            if kind == "wrong branch":
                spoiled.keeps = {}
            fitting = (m for xs, s in drawn if (m := made(spoiled, op, xs, s, kind, position)))
            found += [m for m in [next(fitting, None)] if m]
    return found


def two_branches(op, position):
    """Where another input of the same standing could be mistaken for this one."""
    names = (
        "where",
        "maximum",
        "minimum",
        "hypot",
        "logaddexp",
        "atan2",
        "divide",
        "subtract",
        "pow",
        "multiply",
        "add",
    )
    return op.name in names and (len(op.inputs) == 2 or position > 0)


def made(spoiled, op, xs, settings, kind, position):
    if position >= len(xs) or xs[position].dtype.kind != "f" or not xs[position].size:
        return None
    right = gradients(op, xs, settings, position)
    try:
        wrong = gradients(spoiled, xs, settings, position)
    except (ValueError, TypeError, IndexError):
        return None  # a mistake that cannot go unnoticed
    same = (wrong == right).all() if kind == "wrong dtype" else np.allclose(wrong, right, rtol=1e-2, atol=1e-3)
    return None if same else Mutant(spoiled, op, xs, settings, kind, position)


DIFFERENTIABLE = sorted((op for op in primitives.values() if op.differentiable), key=lambda op: op.name)
