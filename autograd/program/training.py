"""What a captured function does to gradients and parameters: backward sweeps, gradients kept, steps of optimizers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from autograd.primitive import functions, primitives
from autograd.program.symbol import Symbol, derive, made_for
from autograd.tape import enable_grad, no_grad, recording
from autograd.tensor import Tensor

if TYPE_CHECKING:
    from autograd.program.capture import Capture


class Live(Protocol):
    """Numbers of an update that change from run to run: a learning rate, the number of steps."""

    def read(self) -> Sequence[float] | None:
        """Their values now; None if the program no longer stands for what is to be done."""

    def write(self, numbers: Sequence[float]) -> None:
        """Take what the update made of them."""

    def watched(self) -> tuple[list[dict[str, Any]], list[list[Any]]] | None:
        """Dictionaries, and lists of a length, that `again` is as good as `read` for until someone writes to them.

        None if there is more to look at.
        """

    def again(self) -> Sequence[float]:
        """Their values now, where what is watched is as it was."""


@dataclass
class Update:
    """A step of an optimizer, done after the program: `foreach.update_(targets, reads, *live.read(), key=key)`.

    Attributes:
        reads: columns of symbols, or of Tensors that an update before has changed.
    """

    foreach: Any
    key: Any
    targets: Sequence[Sequence[Tensor]]
    reads: list[list[Symbol | Tensor]]
    live: Live | None


class Training:
    """Gradients and updates of one capture.

    Attributes:
        gradients: by the id of a leaf, the leaf and the symbol of its gradient, or None for none.
        fresh: leaves that had no gradient when the function began, and must have none whenever it begins.
        updates: steps of optimizers, in order.
        twins: values and cotangents of the sweeps.
    """

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.gradients: dict[int, tuple[Tensor, Symbol | None]] = {}
        self.fresh: list[Tensor] = []
        self.updates: list[Update] = []
        self.stepped: set[int] = set()
        self.twins: list[tuple[Symbol, Symbol]] = []

    @property
    def used(self) -> bool:
        """Whether the function did any of this."""
        return bool(self.gradients or self.updates)

    def gradient(self, t: Tensor) -> Any:
        """The gradient of a leaf, as far as the function has come."""
        if t.node is None:
            return None
        if id(t) not in self.gradients:
            if t.node.watch is not None and t.node.watch.grad is not None:
                self.capture.refuse("it adds to a gradient from before; write zero_grad() first")
            self.fresh.append(t)
            self.gradients[id(t)] = (t, None)
        return self.gradients[id(t)][1]

    def keep_gradient(self, t: Tensor, gradient: Any) -> None:
        """Set the gradient of a leaf."""
        if t.node is None:
            if gradient is not None:
                self.capture.refuse("it sets the gradient of a constant")
            return
        if gradient is not None and gradient.shape != t.shape:
            self.capture.refuse(f"it sets a gradient of shape {gradient.shape} on a Tensor of shape {t.shape}")
        self.gradients[id(t)] = (t, None if gradient is None else self.capture.lift(gradient))

    def backward(self, ts: Sequence[Any], given: Sequence[Any], create_graph: bool) -> None:
        """Accumulate gradients into the leaves that ts are made of."""
        capture = self.capture
        roots = [capture.lift(t) for t in ts]
        if any(g is None and s.size != 1 for s, g in zip(roots, given, strict=True)):
            capture.refuse("it calls backward on several elements without a gradient")
        seeds = [capture.lift(np.ones(s.shape, s.dtype) if g is None else g) for s, g in zip(roots, given, strict=True)]
        if capture.wanted_arguments:
            capture.refuse("it calls backward, and an argument requires a gradient")
        leaves = [t for t, s in capture.tensors.values() if t.node is not None]
        for t in leaves:
            node = t.node
            if node is not None and (node.op is not None or (node.watch is not None and node.watch.hooks)):
                capture.refuse("it calls backward through a Tensor that was made outside, or that has a hook")
        now = capture.variables(leaves, roots)
        with enable_grad() if create_graph else no_grad():
            found, twins = derive(roots, seeds, now, capture.frozen)
            self.twins += twins
            for t, g in zip(leaves, found, strict=True):
                if g is not None:
                    before, own = self.gradient(t), in_order(g)
                    self.gradients[id(t)] = (t, own if before is None else before + own)

    def variable(self, x: Any) -> Any:
        """x as a variable of its own: another symbol for its value, however often it is asked for."""
        s, op = self.capture.lift(x), primitives["reshape"]
        own = self.capture.fresh(s.shape, s.dtype, op=op, inputs=(s,), settings={"shape": s.shape})
        self.capture.sought.add(own)
        return own

    def pull(self, ys: Sequence[Any], given: Sequence[Any], by: Sequence[Any], record: bool) -> list[Any]:
        """The gradients of ys by other values, None for those that they were not made of."""
        capture = self.capture
        roots = [capture.lift(y) for y in ys]
        seeds = [capture.lift(np.ones(s.shape, s.dtype) if g is None else g) for s, g in zip(roots, given, strict=True)]
        leaves = [t for t, _ in capture.tensors.values() if t.node is not None and t.node.op is not None]
        if leaves:
            capture.refuse("it takes a gradient, and reads a Tensor that an operation outside has made")
        with enable_grad() if record and recording.get() else no_grad():
            found, twins = derive(roots, seeds, [capture.lift(x) for x in by], capture.frozen)
            self.twins += twins
            return [None if g is None else in_order(g) for g in found]

    def update(self, foreach: Any, key: Any, targets: Any, reads: Any, live: Live | None) -> None:
        """Note a step of an optimizer."""
        columns = [[t if id(t) in self.stepped else self.capture.lift(t) for t in column] for column in reads]
        self.updates.append(Update(foreach, key, [list(column) for column in targets], columns, live))
        for t in (t for column in targets for t in column):
            if id(t) in self.capture.assigned:
                self.capture.refuse("it steps an optimizer over a Tensor that it has changed before")
            self.stepped.add(id(t))


def in_order(g: Any) -> Any:
    """A product that would lie turned in memory as the product of the turned matrices: (A B)' = B' A'."""
    if g.op is not None and g.op.name == "permute_dims" and g.ndim == 2 and g.settings["axes"] == (1, 0):
        product = g.inputs[0]
        if isinstance(product, Symbol) and product.op is not None and product.op.name == "matmul":
            a, b = product.inputs
            if isinstance(a, Symbol) and isinstance(b, Symbol) and a.ndim == b.ndim == 2:
                with made_for(g.origin):
                    return _turned(b) @ _turned(a)
    return g


def _turned(x: Symbol) -> Any:
    """A transpose, or what x is the transpose of."""
    if x.op is not None and x.op.name == "permute_dims":
        return x.inputs[0]
    return functions["permute_dims"](x, (1, 0))
