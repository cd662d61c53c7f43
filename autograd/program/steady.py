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
from autograd.tensor import Tensor

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
        if run.fresh or run.taken or run.assigned or not kernel_module("objects").layout():
            raise Changing
        self.snapshot = kernel_module("snapshot").Snapshot()
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
        for t, array in run.looked:
            self._attribute(t, "value", array)
        self.firm = len(self.snapshot)
        self.versions = kernel_module("snapshot").versions()
        self.lives = [u.live for u in run.updates]
        self.watched: list[Any] = []
        if not self.look_anew(run):
            raise Changing

    def look_anew(self, run: Run) -> bool:
        """Whether all but what the versions of dictionaries tell is as it was; those are written down as they are."""
        snapshot = self.snapshot
        snapshot.cut(self.firm)
        if snapshot.first() < self.firm:
            return False
        self.quick = self.versions
        if self.quick:
            self.watched = [None if live is None else live.watched() for live in self.lives]
            for x in (*run.premises.whole, *(x for found in self.watched if found for x in found[0])):
                snapshot.untouched(x)
            for x in (x for found in self.watched if found for x in found[1]):
                snapshot.length(x)
            self.numbers = [
                tuple if live is None else live.again if found else live.read
                for live, found in zip(self.lives, self.watched, strict=True)
            ]
            self.all = len(snapshot)
        return True

    def holds(self, run: Run) -> bool:
        """Whether nobody has written to anything, seen at once; the numbers of the run are then those of now."""
        if not self.quick or self.snapshot.first() < self.all:
            return False
        premises = run.premises
        if (premises.guards or premises.some) and not premises.rest_hold():
            return False
        run.numbers = [read() for read in self.numbers]
        return None not in run.numbers

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
        for t in (t for column in u.reads for t in column if isinstance(t, Tensor)):
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
        if watch.hooks:
            raise Changing
        self.snapshot.length(watch.hooks)
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
        alike = sum(h is not None and memory.own.get(h) is array for _, h in run.gradients)  # may be that of several
        self.snapshot.references(array, 1 + alike + (views if g is root else 0))
        if g is not root:
            self.snapshot.references(memory.own[root], 1 + views)

    def update(self, run: Run) -> None:
        """Step the optimizers."""
        for live, sets, numbers in zip(self.lives, self.sets, run.numbers):  # noqa: B905  # one for each update
            after: Any = ()
            for some in sets:
                after = some.run(numbers)
            if live is not None:
                live.write(after)
