"""What a layer is timed on: its constructor's arguments, which are PyTorch's and ours, and the shape of its input.

Forward is as in prediction, in evaluation mode and off the tape. Forward and backward is as in training: the result,
and from its cotangent the gradients by the input and by all parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
import nn
from bench.kernels.case import COMPILED, JAX, OURS, TORCH, Arrays, Case, Limit, Side
from bench.layers.jitted import KINDS
from bench.turns import Statement

FORWARD, BOTH = MODES = ("forward", "forward and backward")


@dataclass(frozen=True)
class Layer:
    """A layer and its input.

    Attributes:
        name: of the row.
        kind: the class's name.
        arguments: what it is made with.
        shape: of the input.
        settings: what it is made with by keyword.
        most: times PyTorch's time that it is promised to take at most; None: nothing is promised.
        batch_axis: of the input.
        numbers: whole numbers below this are the input, rather than normal ones; 0: normal ones.
        inputs: how often the input is handed over: query, key and value are one.
        call: further arguments of the call.
        fuses: whether `torch.compile` has more than one kernel of PyTorch's to put together.
    """

    name: str
    kind: str
    arguments: tuple[int, ...]
    shape: tuple[int, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    most: float | None = None
    batch_axis: int = 0
    numbers: int = 0
    inputs: int = 1
    call: Mapping[str, Any] = field(default_factory=dict)
    fuses: bool = True

    def build(self, library: Any) -> Any:
        """The module, of `nn` or `torch.nn`."""
        return getattr(library, self.kind)(*self.arguments, **self.settings)

    def apply(self, module: Any, x: Any) -> Any:
        """The output, the first of several."""
        y = module(*[x] * self.inputs, **self.call)
        return y[0] if isinstance(y, tuple) else y

    def arrays(self, rng: np.random.Generator, batch: Sequence[int]) -> Arrays:
        """The input for a batch of that many, and values for all parameters, in the order of their names."""
        shape = list(self.shape)
        shape[self.batch_axis] = batch[0]
        x = rng.integers(0, self.numbers, shape) if self.numbers else rng.standard_normal(shape, np.float32)
        shapes = [p.shape for _, p in sorted(self.build(nn).named_parameters())]
        scale = [np.float32(1 / math.sqrt(math.prod(s[1:]))) for s in shapes]
        return x, *(rng.standard_normal(s, np.float32) * k for s, k in zip(shapes, scale, strict=True))

    def cases(self) -> list[Case]:
        """Forward, then forward and backward; the case's shape is the batch alone, so that it can shrink."""
        limits = () if self.most is None else (Limit(self.most, (TORCH,)),)
        batch = (self.shape[self.batch_axis],)
        return [
            Case(f"{self.name}: {mode}", batch, self.arrays, self.sides(mode), limits, moves=lambda _: 0)
            for mode in MODES
        ]

    def sides(self, mode: str) -> dict[str, Side]:
        """Ours, PyTorch's, eager and compiled, and JAX's."""
        makers = {OURS: ("ours", ours), TORCH: ("torch", torch), COMPILED: ("torch.compile", torch), JAX: ("jax", jax)}
        makers = makers if self.fuses else {label: made for label, made in makers.items() if label != COMPILED}
        return {label: Side(library, partial(make, self, mode)) for label, (library, make) in makers.items()}


def named(module: Any) -> list[tuple[str, Any]]:
    """The parameters of a module of either library, sorted by name."""
    return sorted(module.named_parameters())


def cotangent(y: Any) -> NDArray[np.float32]:
    """What is pulled back from an output: numbers in [-1, 1], the same in every process."""
    return np.cos(np.arange(math.prod(y.shape), dtype=np.float32)).reshape(y.shape)


def ours(layer: Layer, mode: str, _library: Any, x: NDArray[Any], *values: NDArray[Any]) -> Statement:
    """The statement for this project."""
    module = layer.build(nn)
    with ag.no_grad():
        for (_, p), value in zip(named(module), values, strict=True):
            p.copy_(value)
    if mode == FORWARD:
        module.eval()
        return silent(partial(layer.apply, module, ag.tensor(x)), ag.no_grad)
    leaf = ag.tensor(x, requires_grad=not layer.numbers)
    leaves = [t for t in (leaf, *(p for _, p in named(module))) if t.requires_grad]
    g = ag.tensor(cotangent(layer.apply(module, leaf)))

    def run() -> Any:
        y = layer.apply(module, leaf)
        return y.detach(), *ag.grad(y, leaves, g)

    return run


def torch(layer: Layer, mode: str, library: Any, x: NDArray[Any], *values: NDArray[Any]) -> Statement:
    """The statement for PyTorch, as the library runs a function: as it comes, or compiled."""
    peer = library.module
    module = layer.build(peer.nn)
    with peer.no_grad():
        for (_, p), value in zip(named(module), values, strict=True):
            p.copy_(peer.from_numpy(value))
    leaf = peer.from_numpy(x)
    run_layer = library.function(lambda _: lambda t: layer.apply(module, t))
    if mode == FORWARD:
        module.eval()
        return silent(partial(run_layer, leaf), peer.no_grad)
    leaf.requires_grad_(not layer.numbers)
    leaves = [t for t in (leaf, *(p for _, p in named(module))) if t.requires_grad]
    g = peer.from_numpy(cotangent(layer.apply(module, leaf)))

    def run() -> Any:
        y = run_layer(leaf)
        return y.detach(), *peer.autograd.grad(y, leaves, g)

    return run


def jax(layer: Layer, mode: str, library: Any, x: NDArray[Any], *values: NDArray[Any]) -> Statement:
    """The statement for JAX, jitted as a whole."""
    peer = library.module
    apply = partial(KINDS[layer.kind], peer, layer, mode == FORWARD)
    arrays = [peer.numpy.asarray(a) for a in (x, *values)]
    if mode == FORWARD:
        made: Statement = library.waited(peer.jit(apply), *arrays)
        return made
    first = int(layer.numbers > 0)  # of what has a gradient

    def both(g: Any, *arrays: Any) -> Any:
        y, pull = peer.vjp(partial(apply, *arrays[:first]), *arrays[first:])
        return y, *pull(g)

    g = peer.numpy.asarray(cotangent(peer.eval_shape(apply, *arrays)))
    made = library.waited(peer.jit(both), g, *arrays)
    return made


def silent(statement: Statement, no_grad: Callable[[], Any]) -> Statement:
    """The statement, off the tape."""

    def run() -> Any:
        with no_grad():
            return statement()

    return run
