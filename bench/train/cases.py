"""Steps of every optimizer on a million float32 numbers, in one array and in sixteen, beside PyTorch and JAX."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
import optim
from bench.kernels.case import BEST, COMPILED, DEFAULT, JAX, OURS, TORCH, Arrays, Case, Limit, Side
from bench.kernels.optimizers import all_together
from bench.train.jitted import RULES, jax
from bench.turns import Statement

ELEMENTS, SHARES = 1 << 20, (1, 16)
ALONE = {"Lion", "LAMB"}  # PyTorch has neither
ROWS = {"SparseAdam"}  # takes row-sparse gradients: every 16th row of tables 128 wide
EVERY, WIDE = 16, 128
CLOSURE = {"LBFGS"}  # asks for the loss and its gradient by itself
ITERATIONS = 5  # of such a one, from the same start in every call
COMPILES = {("SGD", 1), ("Adam", 1), ("AdamW", 1)}  # by `torch.compile`, which takes many seconds for each
RATE = {"lr": 1e-3}
VARIANTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "SGD, momentum": ("SGD", {"momentum": 0.9}),
    "SGD, Nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "RMSprop, centred": ("RMSprop", {"centered": True, "momentum": 0.9}),
    "Adam, AMSGrad": ("Adam", {"amsgrad": True}),
}


def found() -> list[str]:
    """The names of all optimizers that `optim` has."""
    things = {name: getattr(optim, name) for name in optim.__all__}
    kinds = {name: t for name, t in things.items() if inspect.isclass(t) and issubclass(t, optim.Optimizer)}
    return sorted(name for name, t in kinds.items() if not inspect.isabstract(t))


def gradients(arrays: int, rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Gradients of that many parameters, all of which start at 0: only what a step does is compared."""
    return tuple(np.array_split(rng.standard_normal(shape, np.float32), arrays))


def settings_of(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What both libraries are given."""
    if name in CLOSURE:
        return {"lr": 1e-2, "max_iter": ITERATIONS, "tolerance_grad": 0, "tolerance_change": 0}
    return {**RATE, **settings}


def table(g: NDArray[Any]) -> NDArray[Any]:
    """An array as the rows of a table."""
    return g.reshape(-1, min(WIDE, g.size))


def ours(name: str, settings: Mapping[str, Any], _lib: Any, *gs: NDArray[Any]) -> Statement:
    """The statement for this project."""
    gs = tuple(map(table, gs)) if name in ROWS else gs
    ws = [ag.zeros(g.shape, dtype=g.dtype, requires_grad=True) for g in gs]
    for w, g in zip(ws, gs, strict=True):
        if name in ROWS:
            (ag.take_rows(w, np.arange(0, len(g), EVERY)) * g[::EVERY]).sum().backward()
        else:
            w.grad = ag.tensor(g)
    if name in CLOSURE:
        return closed(getattr(optim, name), settings, ws, [ag.tensor(g) for g in gs], ag.no_grad)
    optimizer = getattr(optim, name)(ws, **settings)

    def step() -> Any:
        optimizer.step()
        return ws

    return step


def torch(name: str, settings: Mapping[str, Any], fastest: bool, lib: Any, *gs: NDArray[Any]) -> Statement:
    """The statement for PyTorch: one kernel for all where it has one, else its loop over lists, or as it comes."""
    make = getattr(lib.module.optim, name)
    gs = tuple(map(table, gs)) if name in ROWS else gs
    ws = [lib.module.zeros(g.shape, requires_grad=True) for g in gs]
    for w, g in zip(ws, gs, strict=True):
        if name in ROWS:
            rows, held = lib.module.arange(0, len(g), EVERY)[None], lib.module.from_numpy(g[::EVERY].copy())
            w.grad = lib.module.sparse_coo_tensor(rows, held, g.shape, check_invariants=True).coalesce()
        else:
            w.grad = lib.module.from_numpy(g.copy())
    if name in CLOSURE:
        return closed(make, settings, ws, [w.grad for w in ws], lib.module.no_grad)
    forms = [form for form in ("fused", "foreach") if form in inspect.signature(make).parameters]
    optimizer = make(ws, **settings, **({forms[0]: True} if fastest and forms else {}))
    update = lib.function(lambda _: optimizer.step)

    def step() -> Any:
        update()
        return ws

    return step


def closed(make: Any, settings: Mapping[str, Any], ws: list[Any], centres: list[Any], no_grad: Any) -> Statement:
    """A few iterations on a bent bowl, from zero each time: sum (w - c)^2 + (w - c)^4 / 4, its gradient written out."""

    def step() -> Any:
        with no_grad():
            for w in ws:
                w.copy_(w * 0)
        optimizer = make(ws, **settings)

        def loss() -> Any:
            with no_grad():
                total = 0.0
                for w, c in zip(ws, centres, strict=True):
                    d = w - c
                    square = d * d
                    w.grad = d * (2 + square)
                    total = total + (square + 0.25 * square * square).sum()
            return total

        optimizer.step(loss)
        return ws

    return step


def case(label: str, name: str, settings: Mapping[str, Any], arrays: int) -> Case:
    """An optimizer with a number of arrays; PyTorch is beside it where it has that name, JAX where a rule is here."""
    given = settings_of(name, settings)
    sides = {
        OURS: Side("ours", partial(ours, name, given)),
        TORCH: Side("torch", partial(torch, name, given, True)),
        DEFAULT: Side("torch", partial(torch, name, given, False)),
    }
    if (label, arrays) in COMPILES:
        sides[COMPILED] = Side("torch.compile", partial(torch, name, given, False))
    if name in RULES:
        sides[JAX] = Side("jax", partial(jax, name, given))
    limits: tuple[Limit, ...] = (Limit(1.0, (BEST,)),)
    if name in ALONE:
        sides, limits = {OURS: sides[OURS]}, ()
    elif name in CLOSURE | ROWS:
        sides.pop(DEFAULT)  # there is one form of it
    return Case(
        f"{label} 1M in {arrays}",
        (ELEMENTS,),
        partial(gradients, arrays),
        sides,
        limits,
        moves=lambda _: 0,
        figures=all_together,
        tolerance=1e-3 if name in CLOSURE else 1e-4,
    )


KINDS = {name: (name, {}) for name in found()} | VARIANTS
CASES = {c.name: c for label in sorted(KINDS) for n in SHARES for c in [case(label, *KINDS[label], n)]}
