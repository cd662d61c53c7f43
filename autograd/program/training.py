"""What a captured function does to gradients and parameters: backward sweeps, gradients kept, steps of optimizers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from sys import getrefcount
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from autograd.primitive import functions, primitives
from autograd.program.numbers import number_of
from autograd.program.symbol import NotYet, Symbol, derive, made_for
from autograd.tape import enable_grad, no_grad, recording
from autograd.tensor import Tensor

if TYPE_CHECKING:
    from autograd.program.capture import Capture


HELD = 5  # references to a Tensor that only a capture holds: in its tables, and while they are counted


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


class Before:
    """A gradient that a leaf has when the function begins."""

    def __init__(self, t: Tensor, gradient: Tensor) -> None:
        self.t, self.value = t, gradient.value

    def take(self) -> bool:
        """Take it for the next run; False where there is none of that kind."""
        watch = None if self.t.node is None else self.t.node.watch
        g = None if watch is None else watch.grad
        if type(g) is not Tensor or g.shape != self.value.shape or g.dtype != self.value.dtype:
            return False
        self.value = g.value
        return True


class Within:
    """A step of an optimizer that is part of the program, since the function goes on with what it has changed.

    numbers: symbols of those that it reads anew in each run. after: what it makes of its numbers.
    """

    def __init__(self, live: Live | None, values: Sequence[float]) -> None:
        self.live, self.values = live, values
        self.numbers: list[Symbol] = []
        self.after: Sequence[Any] = ()

    def take(self) -> bool:
        """Read the numbers for the next run; False if the program no longer stands for what is to be done."""
        found = () if self.live is None else self.live.read()
        if found is None or len(found) != len(self.values):
            return False
        self.values = found
        return True

    def write(self, known: dict[Symbol, Any]) -> None:
        """Give the numbers after a run to whom they belong; they may be made of those of steps before, in `known`."""
        known.update(zip(self.numbers, self.values, strict=True))
        if self.live is not None:
            self.live.write([number_of(x, known) for x in self.after])


class Training:
    """Gradients and updates of one capture.

    Attributes:
        gradients: by the id of a leaf, the leaf and the symbol of its gradient, or None for none.
        fresh: leaves that had no gradient when the function began, and must have none whenever it begins.
        before: gradients that there were when the function began, which it adds to or steps by.
        updates: steps of optimizers, in order, that are done after the program. within: those that are part of it.
        twins: values and cotangents of the sweeps.
    """

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.gradients: dict[int, tuple[Tensor, Symbol | None]] = {}
        self.fresh: list[Tensor] = []
        self.before: dict[Symbol, Before] = {}
        self.updates: list[Update] = []
        self.within: list[tuple[Update, Within]] = []
        self.stepped: set[int] = set()
        self.twins: list[tuple[Symbol, Symbol]] = []
        self.nodes: dict[int, tuple[Tensor, Any]] = {}  # of Tensors that were frozen or freed, as they were before

    @property
    def used(self) -> bool:
        """Whether the function did any of this."""
        return bool(self.gradients or self.updates or self.within)

    def gradient(self, t: Tensor) -> Any:
        """The gradient of a leaf, as far as the function has come."""
        if t.node is None:
            return None
        if id(t) not in self.gradients:
            before = None if t.node.watch is None else t.node.watch.grad
            self.gradients[id(t)] = (t, None if before is None else self._before(t, before))
            if before is None:
                self.fresh.append(t)
        return self.gradients[id(t)][1]

    def _before(self, t: Tensor, gradient: Tensor) -> Symbol:
        """The symbol of a gradient that there was before."""
        if type(gradient) is not Tensor or gradient.node is not None:
            self.capture.refuse(
                "it adds to a gradient from before that is on the tape, or of some rows; write zero_grad()"
            )
        before = Before(t, gradient)
        s = self.capture.draws(lambda: before.value, gradient.value)
        self.before[s] = before
        return s

    def keep_gradient(self, t: Tensor, gradient: Any) -> None:
        """Set the gradient of a leaf."""
        if t.node is None:
            if gradient is not None:
                self.capture.refuse("it sets the gradient of a constant")
            return
        if gradient is not None and gradient.shape != t.shape:
            self.capture.refuse(f"it sets a gradient of shape {gradient.shape} on a Tensor of shape {t.shape}")
        self.gradients[id(t)] = (t, None if gradient is None else self.capture.lift(gradient))

    def frees(self, t: Tensor, wanted: bool) -> None:
        """Note that a constant becomes a leaf, or a leaf a constant: what reads it from now on reads another symbol."""
        if wanted is (t.node is not None) or not t.is_leaf:
            return
        s = self.capture.lift(t)
        self.nodes.setdefault(id(t), (t, t.node))
        self.capture.now[id(t)] = (
            self.variable(s) if wanted else self.capture.run(primitives["stop_gradient"], (s,), {})
        )
        self.gradients[id(t)] = (t, None)

    def refuse_freed(self) -> None:
        """Refuse, this time, a function that leaves as a leaf what was a constant, or the other way round."""
        for t, node in self.nodes.values():
            if (t.node is None) is not (node is None) and getrefcount(t) > HELD:
                raise NotYet(
                    "it freezes or frees a Tensor, which its program would not: do that outside", changed=[None]
                )

    def restore(self) -> None:
        """Let leaves and constants be what they were."""
        for t, node in self.nodes.values():
            t.node = node

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
        changed = [id(t) for column in targets for t in column]
        again = any(one in self.stepped or one in self.capture.assigned for one in changed)
        self.stepped.update(changed)
        if again:
            self.settle()

    def settle(self) -> None:
        """Make the steps so far a part of the program: the function goes on with what they change."""
        updates, self.updates, self.stepped = self.updates, [], set()
        for u in updates:
            with no_grad():
                self._within(u)

    def _within(self, u: Update) -> None:
        """Note the operations of a step, one parameter after the other."""
        within = Within(u.live, () if u.live is None else u.live.read() or ())
        numbers: list[Any] = []
        for earlier, its in self.within:  # steps of the same parameters: each counts on from the one before
            if earlier.foreach is u.foreach and earlier.key == u.key and _same_columns(earlier.targets, u.targets):
                numbers = list(its.after)
        for k in range(len(within.values)):
            s = self.capture.number(partial(_number, within, k))
            within.numbers.append(s)
            if k >= len(numbers):
                numbers.append(s)
        rule, after = u.foreach.rule(u.key), ()
        for row in zip(*u.targets, *u.reads, strict=True):
            found = rule(*map(self.capture.lift, row), *numbers)
            results = found if isinstance(found, tuple) else (found,)
            after = results[len(u.targets) :]
            for t, new in zip(row, results[: len(u.targets)], strict=False):
                self.capture.assign(t, new)
        within.after = after
        self.within.append((u, within))


def _number(within: Within, k: int) -> float:
    return within.values[k]


def _same_columns(a: Sequence[Sequence[Tensor]], b: Sequence[Sequence[Tensor]]) -> bool:
    return [[id(t) for t in column] for column in a] == [[id(t) for t in column] for column in b]


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
