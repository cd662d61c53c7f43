"""The short way to run a training step again, while nobody but the program holds what it writes.

Between two steps of a training loop nothing changes but the batch and a few numbers. That the parameters, the states
and the gradients are the very arrays of the last step, and that nobody else holds them, is then seen in one native
comparison, and they are written over where they lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.program.launch import kernel_module
from autograd.program.symbol import Symbol

if TYPE_CHECKING:
    from autograd.program.run import Run

HELD = 2  # references to an array of a target: its Tensor's and the set's


class Changing(Exception):
    """Something is held elsewhere, or is of a kind that may change unseen."""


class Steady:
    """What must be as it was for the step to be run again without a look at each Tensor.

    Raises Changing if it is not so now.
    """

    def __init__(self, run: Run) -> None:
        objects = kernel_module("objects")
        if run.fresh or run.assigned or not objects.layout():
            raise Changing
        self.snapshot = objects.Snapshot()
        self.kept: list[Any] = []  # so that no other object can take their places
        self.sets: list[list[Any]] = []
        targets: set[int] = set()
        memory = run.program.memory
        shown = {memory.root(s) for s, _ in run.shown}  # each run gives a new array where somebody holds the last one
        read = [g for _, g in run.gradients] + [s for u in run.updates for column in u.reads for s in column]
        if any(memory.root(s) in shown for s in read if isinstance(s, Symbol)):
            raise Changing
        for u in run.updates:
            self.sets.append(self._targets(u, targets))
        lent = memory.settled()
        if lent is None:
            raise Changing
        if not run.reads_alike():
            raise Changing
        for t in lent:
            self._attribute(t, "node", t.node)
            if id(t) not in targets:
                self._attribute(t, "value", t.value)
        for t, g in run.gradients:
            self._gradient(run, t, g)
        if not self.snapshot.holds():
            raise Changing

    def _attribute(self, owner: Any, name: str, value: Any) -> None:
        self.kept += [owner, value]
        self.snapshot.attribute(owner, name, value)

    def _targets(self, u: Any, targets: set[int]) -> list[Any]:
        """The sets of an update; their arrays must be those of their Tensors alone."""
        sets = u.foreach.sets_of(u.targets, u.reads, 0 if u.live is None else len(u.live.read() or ()), u.key)
        if not sets:
            raise Changing
        for some in sets:
            if some.own:  # copies of gradients
                raise Changing
            for t, array in zip((t for column in some.targets for t in column), some.held, strict=True):
                self.snapshot.attribute(t, "value", array)
                self.snapshot.references(array, HELD)
                targets.add(id(t))
        for t in (t for column in u.reads for t in column if hasattr(t, "value")):
            if id(t) not in targets:
                raise Changing
        return sets  # type: ignore[no-any-return]

    def _gradient(self, run: Run, t: Any, g: Any) -> None:
        """The gradient of t must be the Tensor that it was, and the program's array the one in it."""
        node = t.node
        self._attribute(t, "node", node)
        watch = None if node is None else node.watch
        self._attribute(node, "watch", watch)
        if watch is None:
            if g is not None:
                raise Changing
            return
        self.kept.append(watch.hooks)
        self.snapshot.empty(watch.hooks)
        if g is None:
            if watch.grad is not None:
                raise Changing
            self.snapshot.attribute(watch, "grad", None)
            return
        memory = run.program.memory
        root = memory.root(g)
        if root not in memory.own or g not in memory.own or root.op is None:
            raise Changing
        found, array = watch.grad, memory.own[g]
        if found is None or found.value is not array or type(array) is not np.ndarray:
            raise Changing
        self.kept.append(found)
        self.snapshot.attribute(watch, "grad", found)
        self.snapshot.attribute(found, "value", array)
        self.snapshot.references(found, 2)  # ours and that of the leaf
        views = memory.views_of(root)
        self.snapshot.references(array, 2 + (views if g is root else 0))
        if g is not root:
            self.snapshot.references(memory.own[root], 1 + views)

    def update(self, run: Run) -> None:
        """Step the optimizers."""
        for u, sets, numbers in zip(run.updates, self.sets, run.numbers, strict=True):
            after: Any = ()
            for some in sets:
                after = some.run(numbers)
            if u.live is not None:
                u.live.write(after)
