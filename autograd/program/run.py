"""A program and what it has to do with Tensors: which it reads, which get gradients, which it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import is_
from typing import Any

import numpy as np

from autograd.primitive import Primitive
from autograd.program.apart import Later
from autograd.program.budget import Budget, peak_of
from autograd.program.capture import Capture, Captured
from autograd.program.compiled import Program
from autograd.program.crossing import Factored, quick
from autograd.program.fitting import Draft, Fitting, Recomputed
from autograd.program.fold import fold
from autograd.program.halves import Anew, Halves
from autograd.program.launch import expect
from autograd.program.layout import Layout
from autograd.program.several import parts_of
from autograd.program.steady import Changing, Steady
from autograd.program.symbol import Symbol, Unfusable, derive, graph
from autograd.program.training import Before, Update, Within, in_order
from autograd.tape import Node, recording
from autograd.tensor import Tensor
from autograd.tree import flatten

ATTEMPTS = 20  # runs at whose beginning somebody may hold what the program writes, until the short way is given up
PLAIN = (bool, int, str, type(None))  # of which the same object is the same value
Attributes = tuple[dict[str, Any], list[str] | None, list[Any]]  # where they stand, their names (None: all), values
Again = tuple[Callable[..., Any], Any, Any]  # a function, its arguments and settings


class Premises:
    """What objects must be for a program to stand for its function.

    guards: an object, an attribute of it, a value that this must be equal to. kept: attributes that must be the same.
    """

    def __init__(self, guards: Sequence[tuple[Any, str, Any]], kept: Sequence[Attributes]) -> None:
        whole = [(attributes, values) for attributes, names, values in kept if names is None]
        seen = {id(attributes) for attributes, _ in whole}
        self.guards = [
            (holder, name, value)
            for holder, name, value in guards
            if type(value) not in PLAIN or id(own := getattr(holder, "__dict__", {})) not in seen or name not in own
        ]
        self.some = [(attributes, names, values) for attributes, names, values in kept if names is not None]
        self.whole = [attributes for attributes, _ in whole]
        self.sizes = [len(attributes) for attributes in self.whole]
        self.objects = [x for _, values in whole for x in values]

    def hold(self) -> bool:
        """Whether all is as it was."""
        return (
            [len(attributes) for attributes in self.whole] == self.sizes
            and all(map(is_, chain.from_iterable(map(dict.values, self.whole)), self.objects))
            and (not (self.guards or self.some) or self.rest_hold())
        )

    def rest_hold(self) -> bool:
        """Whether that is as it was which the versions of dictionaries do not show."""
        return all(getattr(holder, name) == value for holder, name, value in self.guards) and all(
            attributes.get(n) is x for attributes, names, xs in self.some for n, x in zip(names, xs, strict=True)
        )


class Run:
    """A captured function, ready to be run again.

    It is one of three kinds. A function that calls `backward` or steps an optimizer does so in each run. For one whose
    result is a number, its gradients are computed with it and left on the tape. For any other, the tape holds what a
    second program computes gradients from, once there are cotangents.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        leaves: Sequence[Any],
        build: Callable[[list[Any]], Any],
        op: Primitive,
        budget: Budget | None = None,
    ) -> None:
        self.op, self.budget = op, budget
        self.later: Later | None = None
        self.recomputed: list[Recomputed] = []
        expect("team")
        with Capture() as noted:
            symbols = [noted.input(value_of(x), f"x{k}") if is_input(x) else x for k, x in enumerate(leaves)]
            self.places = [k for k, x in enumerate(leaves) if is_input(x)]
            self.all_given = len(self.places) == len(leaves)
            arguments = [k for k in self.places if isinstance(leaves[k], Tensor) and leaves[k].node is not None]
            noted.wanted_arguments = bool(arguments) and recording.get()
            noted.sought.update(symbols[k] for k in arguments)
            noted.kinds |= {symbols[k]: type(leaves[k]) for k in self.places if not isinstance(leaves[k], Tensor)}
            args, settings = build(symbols)
            noted.outside.look_at(f, leaves)
            results, self.build = flatten(f(*args, **settings))
            noted.outside.refuse(noted.assigned)
            noted.training.refuse_freed()
            results = noted.own(results)
            self.wanted: list[tuple[Any, Symbol, Symbol]] = []  # who gets a gradient, its value, the gradient
            gradients: list[Symbol] = []
            seeds: list[Symbol] = []
            twins = noted.training.twins
            if recording.get() and not noted.training.used:
                read = [t for t, _ in noted.tensors.values() if t.node is not None]
                now = noted.variables(read, [x for x in results if isinstance(x, Captured)])
                wanted = [*((k, symbols[k]) for k in arguments), *zip(read, now, strict=True)]
                if wanted:
                    found, seeds = _results(noted, results, budget)
                    twins, self.wanted = _gradients(noted, found, seeds, wanted)
                    gradients = [g for *_, g in self.wanted]
        if not (any(isinstance(x, Captured) for x in results) or noted.training.used or noted.assigned):
            raise Unfusable("it returns nothing that depends on its arguments")
        self.constants = results
        self.premises, self.random = Premises(noted.guards, noted.kept()), bool(noted.drawn)
        self.read = [(t, t.node is None, t.shape, t.dtype) for t, _ in noted.tensors.values()]
        self.looked = noted.looked
        self.fresh = noted.training.fresh
        self.updates = noted.training.updates
        self.within = [within for _, within in noted.training.within]
        self.taken: list[Within | Before] = [*self.within, *noted.training.before.values()]
        self.numbers = [() if u.live is None else u.live.read() for u in self.updates]
        for u, numbers in zip(self.updates, self.numbers, strict=True):
            u.foreach.expect(u.targets, len(u.reads), len(numbers or ()), u.key)
        self._lay_out(noted, results, gradients, twins)
        inputs = [symbols[k] for k in self.places]
        examples = [value_of(leaves[k]) for k in self.places]
        with np.errstate(all="ignore"):
            if budget is not None:
                self._fit(noted, inputs, examples, budget)
            else:
                self._lighten(noted)
            if seeds and self.wanted:
                self.later = self._later(noted, seeds, dict(zip(inputs, examples, strict=True)))
            self.program = Program(noted, inputs, self._outputs(), examples, self.twins)
        later = [] if self.later is None else self.later.held()
        self.peak = peak_of(self.program, [*self._updated(), *later])
        self.place = {s: k for k, s in enumerate(self.program.outputs)}
        floats = [k for k, s in enumerate(self.results) if s is not None and s.dtype.kind == "f"]
        reached = [True] * len(floats) if self.later is None else self.later.reached
        self.made = [k for k, has in zip(floats, reached, strict=True) if has]  # results that have a gradient
        seen = {s for s in self.results if s is not None}
        self.shown = [pair for pair in self.program.results if pair[0] in seen]
        order = {s: k for k, (s, _) in enumerate(self.shown)}
        self.given = [(None if s is None else order[s], x) for s, x in zip(self.results, self.constants, strict=True)]
        self.steady: Steady | None = None
        self.attempts, self.settled = 0, False  # to be steady, and whether it ran before

    def _lay_out(self, noted: Capture, results: Sequence[Any], gradients: Sequence[Symbol], twins: Any) -> None:
        """Write the graph anew in the order of memory, and what the run knows of it."""
        training = noted.training
        kept = [(t, g) for t, g in training.gradients.values() if g not in training.before]
        ends = [
            *(x for x in results if isinstance(x, Captured)),
            *gradients,
            *(s for _, s in noted.assigned.values()),
            *(g for _, g in kept if g is not None),
            *(s for u in self.updates for column in u.reads for s in column if isinstance(s, Symbol)),
            *(s for _, read in noted.checks for s in read),
        ]
        anew = Layout(graph(ends))
        self.results: list[Symbol | None] = [x if isinstance(x, Captured) else None for x in results]
        self.gradients: list[tuple[Tensor, Symbol | None]] = kept
        self.assigned = list(noted.assigned.values())
        self._write(noted, anew)
        noted.apart = {anew.inner(s) for s in noted.apart}
        self.twins = anew.twins(twins)
        self._factor(noted)

    def _factor(self, noted: Capture) -> None:
        """Write the graph anew with less that crosses over from its forward half to its backward half."""
        factored = Factored(self._ends(noted), self.twins)
        self._write(noted, factored)
        noted.apart, self.twins = {factored[s] for s in noted.apart}, factored.twins

    def _lighten(self, noted: Capture) -> None:
        """Write the graph anew so that the backward half computes again what is quicker computed than kept."""
        anew = Anew(self._halves(noted), ())
        self._write(noted, anew)
        noted.apart, noted.late, self.twins = anew.apart, anew.late, anew.twins

    def _halves(self, noted: Capture) -> Halves:
        halves = Halves(self._ends(noted), self.twins, noted.apart)
        halves.light = quick(halves)
        return halves

    def _ends(self, noted: Capture) -> list[Symbol]:
        """What the graph ends in."""
        return [*self._outputs(), *(g for *_, g in self.wanted), *(s for _, read in noted.checks for s in read)]

    def _write(self, noted: Capture, anew: Layout | Anew | Factored) -> None:
        """Speak of the symbols of a graph that was written anew."""
        self.results = [None if s is None else anew[s] for s in self.results]
        self.wanted = [(x, s, anew[g]) for x, s, g in self.wanted]
        self.gradients = [(t, None if g is None else anew[g]) for t, g in self.gradients]
        self.assigned = [(t, anew[s]) for t, s in self.assigned]
        for u in self.updates:
            u.reads = [[anew[s] if isinstance(s, Symbol) else s for s in column] for column in u.reads]
        noted.checks = [(f, [anew[s] for s in read]) for f, read in noted.checks]

    def _outputs(self) -> list[Symbol]:
        """What the program computes."""
        reads = [s for u in self.updates for column in u.reads for s in column if isinstance(s, Symbol)]
        kept = [g for _, g in self.gradients if g is not None]
        own = [g for *_, g in self.wanted] if self.later is None else self.later.kept
        found = [*(s for s in self.results if s is not None), *own, *(s for _, s in self.assigned), *kept, *reads]
        return list(dict.fromkeys(found))

    def _later(self, noted: Capture, seeds: Sequence[Symbol], examples: dict[Symbol, Any]) -> Later | None:
        """The program of the gradients, apart from that of the results."""
        first = [
            *(s for s in self.results if s is not None),
            *(s for _, s in self.assigned),
            *(s for _, read in noted.checks for s in read),
        ]
        return Later(noted, first, seeds, [(s, g) for _, s, g in self.wanted], examples, self.twins)

    def _updated(self) -> list[Any]:
        """The arrays that steps of optimizers change."""
        return [t.value for u in self.updates for column in u.targets for t in column]

    def _fit(self, noted: Capture, inputs: list[Symbol], examples: list[Any], budget: Budget) -> None:
        """Write the graph anew so that its program fits into a budget."""
        outputs, checks = self._outputs(), noted.checks
        fold(graph([*outputs, *(s for _, read in checks for s in read)]), noted)

        def draft(anew: Anew) -> Draft:
            noted.checks = [(f, [anew[s] for s in read]) for f, read in checks]
            noted.apart, noted.late = anew.apart, anew.late
            made = Program(noted, inputs, [anew[s] for s in outputs], examples, anew.twins, draft=True)
            noted.checks = checks
            found = Draft(peak_of(made, self._updated()), made.plain)
            vars(made).clear()  # its actions refer to it: it would stay until the garbage collector comes
            return found

        halves = self._halves(noted)
        fitting = Fitting(halves, draft)
        if not fitting.search(budget.bytes):
            raise fitting.refusal(budget.name, budget.given)
        anew = Anew(halves, fitting.again)
        self._write(noted, anew)
        noted.apart, noted.late, self.twins = anew.apart, anew.late, anew.twins
        self.recomputed = fitting.recomputed()

    def holds(self) -> bool:
        """Whether what the program takes for granted is so."""
        steady = self.steady
        if steady is not None and steady.holds(self):
            return True
        if not self.premises.hold() or not all([t.value is array for t, array in self.looked]):  # noqa: C419  # quicker
            return False
        self.numbers = [() if u.live is None else u.live.read() for u in self.updates]
        if None in self.numbers:
            return False
        if self._is_steady():
            return True
        return (
            self.reads_alike() and all(t.grad is None for t in self.fresh) and all([one.take() for one in self.taken])  # noqa: C419  # quicker
        )

    def reads_alike(self) -> bool:
        """Whether what the program reads is still of the same shape and dtype, frozen or not, and without hooks."""
        for t, constant, shape, dtype in self.read:
            node = t.node
            if (node is None) is not constant or t.value.shape != shape or t.value.dtype != dtype:
                return False
            if node is not None and node.watch is not None and node.watch.hooks and not self.wanted:
                return False
        return True

    def _is_steady(self) -> bool:
        """Whether the short way can be taken, where it could be the last time or may be tried again."""
        if self.steady is None and self.attempts:
            self.attempts -= 1
            try:
                self.steady = Steady(self)
            except Changing:
                return False
        elif self.steady is not None:
            self.steady = self.steady if self.steady.look_anew(self) else None
        if self.steady is not None:
            self.attempts = ATTEMPTS
        return self.steady is not None

    def __call__(self, leaves: Sequence[Any], again: Again) -> Any:
        """Run the program; leave one entry on the tape, which holds the gradients, or do what the function does."""
        steady = self.steady
        if steady is not None:
            given = leaves if self.all_given else [leaves[k] for k in self.places]
            found: Any = self.program.run([x.value if isinstance(x, Tensor) else x for x in given], self.shown)
            steady.update(self)
            return self.build([x if k is None else Tensor(found[k]) for k, x in self.given])
        place = self.place
        parts = zip(self.results, self.constants, strict=True)
        for t, _ in self.gradients:  # so that their arrays are the program's alone
            t.grad = None
        values = [value_of(leaves[k]) for k in self.places]
        before = self.later.before(values) if self.later is not None else ()
        found = self.program.run(values)
        for t, s in self.assigned:
            t.value = found[place[s]]
        results = [x if s is None else Tensor(found[place[s]]) for s, x in parts]
        for t, g in self.gradients:
            if g is not None:
                t.grad = Tensor(found[place[g]])
        known: dict[Symbol, Any] = {}
        for within in self.within:
            within.write(known)
        for u, numbers in zip(self.updates, self.numbers, strict=True):
            self._update(u, numbers, found)
        self.attempts = self.attempts if self.settled or not self.updates else ATTEMPTS
        self.settled = True
        if self.wanted:
            parents = tuple(leaves[x].node if isinstance(x, int) else x.node for x, *_ in self.wanted)
            note = {"again": again, "numbers": self.random, "later": self.later, "made": self.made}
            if self.later is None:
                saved = [found[place[g]] for *_, g in self.wanted]
            else:
                saved = self.later.saved(before, [found[place[s]] for s in self.later.kept])
            made = [results[k].value for k in self.made]
            node = Node(self.op, parents, (None, *saved), note, made[0].shape, made[0].dtype)
            for k, t in zip(self.made, parts_of(node, made), strict=True):
                results[k] = t
        return self.build(results)

    def _update(self, u: Update, numbers: Any, found: Sequence[Any]) -> None:
        """Step an optimizer."""
        place = self.place
        reads = [[Tensor(found[place[x]]) if isinstance(x, Symbol) else x for x in column] for column in u.reads]
        after = u.foreach.update_(u.targets, reads, *numbers, key=u.key)
        if u.live is not None:
            u.live.write(after)


def _results(noted: Capture, results: Sequence[Any], budget: Budget | None) -> tuple[list[Symbol], list[Symbol]]:
    """The results that a gradient may be asked of, and symbols for cotangents of them that come later.

    For a result of one number there are none: its gradients are computed with it, for a cotangent of 1; what comes
    later is a factor of them.
    """
    for x in results:
        if isinstance(x, Captured) and x.dtype.kind == "c" and x.requires_grad:
            raise Unfusable(f"it returns {x.dtype} that a gradient may be asked of, and programs have real cotangents")
    found: list[Symbol] = [x for x in results if isinstance(x, Captured) and x.dtype.kind == "f"]
    if len(results) == 1 and found and not found[0].shape:
        return found, []
    if budget is not None:
        what = f"shape {results[0].shape}" if len(results) == 1 else f"{len(results)} values"
        raise Unfusable(f"it returns {what}, and only a single number is fitted together with its gradient")
    return found, [noted.fresh(y.shape, y.dtype, label=f"g{k}") for k, y in enumerate(found)]


def _gradients(
    noted: Capture, results: Sequence[Symbol], seeds: Sequence[Symbol], wanted: Sequence[tuple[Any, Symbol]]
) -> tuple[Any, list[tuple[Any, Symbol, Symbol]]]:
    """Who gets gradients, of which values, and them."""
    given = seeds or [noted.lift(np.ones((), y.dtype)) for y in results]
    found, twins = derive(results, given, [s for _, s in wanted], noted.frozen)
    return twins, [(x, s, in_order(g)) for (x, s), g in zip(wanted, found, strict=True) if g is not None]


def is_input(x: Any) -> bool:
    """Whether an argument is a value that may change from run to run."""
    return isinstance(x, (Tensor, np.ndarray, np.generic)) or type(x) is float


def value_of(x: Any) -> Any:
    """The array of a Tensor."""
    return x.value if isinstance(x, Tensor) else x
