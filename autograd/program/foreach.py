"""`foreach`: an update rule over many sets of Tensors at once, in place, by one kernel in one launch."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from itertools import chain
from operator import attrgetter, is_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.config import config
from autograd.errors import ArgumentError, ShapeError, WengertError
from autograd.primitive import capture, capturing, training
from autograd.program.gradients import PATH, Gradients
from autograd.program.launch import build, empty, expect, kernel_module
from autograd.program.loops import Loops
from autograd.program.numbers import formula, number_of
from autograd.program.part import BLOCK
from autograd.program.stages import Stage, stages
from autograd.program.symbol import Symbol, Unfusable, graph
from autograd.program.training import Live
from autograd.tape import no_grad
from autograd.tensor import Tensor

Columns = Sequence[Sequence[Tensor]]
ALONE = 2  # references to an array that nobody but its Tensor holds: the Tensor's and ours
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_VALUE = attrgetter("value")
_NUMBERS = frozenset((int, float))


class Foreach:
    """A rule f(targets..., reads..., numbers...) -> new targets, applied to every row of columns of Tensors.

    Made by `foreach`. `reasons` says why, if so, rows are updated one by one.

    >>> import autograd as ag
    >>> ag.foreach(lambda w, g: w - g).reasons
    set()
    """

    def __init__(self, rule: Callable[..., Any], keyed: bool = False) -> None:
        self._given = (rule, keyed)
        self.rule = rule if keyed else lambda _key: rule
        self.reasons: set[str] = set()
        self._sets: dict[Hashable, list[_Set]] = {}
        self._rules: dict[Any, _Rule] = {}

    def __reduce__(self) -> Any:
        """Copied and pickled by its rule: the tables are of the Tensors that it has met."""
        return type(self), self._given

    def expect(self, targets: Columns, reads: int, numbers: int, key: Hashable) -> None:
        """Let the kernels of an update, which is to come, be compiled while Python goes on."""
        expect("objects")
        expect("batch")
        for rank, dtype in _kinds(targets):
            with suppress(Unfusable):
                self._rule(key, rank, dtype, len(targets), reads, numbers)

    def _rule(self, key: Hashable, *kind: Any) -> _Rule:
        """The rule on arrays of one kind."""
        found = self._rules.get((key, *kind))
        if found is None:
            found = self._rules[key, *kind] = _Rule(self.rule(key), *kind)
        return found

    def arrays(self) -> list[Any]:
        """The arrays that it keeps from update to update: tables, and copies of gradients that lie out of order."""
        return [x for sets in self._sets.values() for some in sets for x in vars(some).values()]

    def update_(
        self, targets: Columns, reads: Columns, *numbers: float, key: Hashable = None, live: Live | None = None
    ) -> tuple[Any, ...]:
        """Give each row of targets the values that the rule makes of it; what else the rule returns is returned.

        Parameters:
            targets: columns of Tensors: the first of each are the first arguments of the rule's first call.
            reads: columns of Tensors that the rule reads.
            numbers: further arguments; they may change from call to call.
            key: what the rule is asked for with, if it is keyed.
            live: within a function that is compiled, gives the numbers anew for each run, and takes what is returned.
        """
        if capturing and (noting := capture()):
            steps = training()
            if steps is None or (live is None and numbers):
                noting.refuse("it updates Tensors in place, by numbers that it could not ask for again")
            if steps is not None:  # else whoever notes operations lets them run
                steps.update(self, key, targets, reads, live)
                return numbers
        lengths = {len(column) for column in (*targets, *reads)}
        if len(lengths) != 1:
            raise ShapeError(f"foreach was given columns of {sorted(lengths)} Tensors. Expected equal numbers.")
        if config.kernels:
            kind = (key, len(targets[0]), len(targets), len(reads), len(numbers))
            sets = self._sets.get(kind)
            if sets is None or not all(some.holds(targets) for some in sets):
                sets = self._sets[kind] = self._assembled(key, targets, reads, numbers)
            ready = [some.ready(reads) for some in sets]
            if ready and all(ready):
                results = [some.run(list(numbers)) for some in sets]
                return results[0]
        return _one_by_one(self.rule(key), targets, reads, numbers)

    def sets_of(self, targets: Columns, reads: Sequence[Any], numbers: int, key: Hashable) -> list[_Set]:
        """The sets that the last update of these Tensors went by; none if they were updated one by one."""
        sets = self._sets.get((key, len(targets[0]), len(targets), len(reads), numbers), [])
        return sets if all(some.holds(targets) for some in sets) else []

    def _assembled(self, key: Hashable, targets: Columns, reads: Columns, numbers: Sequence[float]) -> list[_Set]:
        """The rows in sets of equal rank and dtype, each with its kernel; none where there is no kernel."""
        alike: dict[Any, tuple[_Rule, list[int]]] = {}
        try:
            for (rank, dtype), some in _kinds(targets).items():
                made = self._rule(key, rank, dtype, len(targets), len(reads), len(numbers))
                alike.setdefault(made.same, (made, []))[1].extend(some)
            sets = [(made, sorted(some)) for made, some in alike.values()]
            return [_Set(made, targets, some) for made, some in sets]
        except Unfusable as reason:
            self.reasons.add(str(reason))
            return []


def _one_by_one(
    rule: Callable[..., Any], targets: Columns, reads: Columns, numbers: Sequence[float]
) -> tuple[Any, ...]:
    rest: tuple[Any, ...] = ()
    with no_grad():
        for row in zip(*targets, *reads, strict=True):
            results = rule(*(t.detach() for t in row), *numbers)
            results = results if isinstance(results, tuple) else (results,)
            for t, new in zip(row[: len(targets)], results[: len(targets)], strict=True):
                t.copy_(new)
            rest = results[len(targets) :]
    return rest


class _Rule:
    """A rule traced on arrays of one rank and dtype: the one stage that it is, with its kernel.

    Attributes:
        same: equal for rules that one kernel serves in the same way.
    """

    def __init__(
        self,
        rule: Callable[..., Any],
        rank: int,
        dtype: np.dtype[Any],
        targets: int,
        reads: int,
        numbers: int,
    ) -> None:
        if dtype not in _FLOATS:
            raise Unfusable(f"a Tensor is of {dtype}, and kernels have float32 and float64")
        self.dtype = dtype
        self.stage, self.inputs, self.outputs = _traced(rule, (2,) * rank, dtype, targets, reads, numbers)
        again = _traced(rule, (3,) * rank, dtype, targets, reads, numbers)[0]
        self.kernel = build(self.stage)
        if self.kernel is not build(again) or _constants(self.stage) != _constants(again):
            raise Unfusable("the rule depends on the size of an array")
        place = {s: k for k, s in enumerate(self.inputs)}
        self.arrays = [place[s] for s in self.stage.arrays]
        column_of = {s: k for k, s in enumerate(self.outputs[:targets])}
        self.written = [column_of[s] for s in self.stage.outputs]
        constants = tuple(_constants(self.stage))
        self.same = (dtype, self.kernel.key, tuple(self.arrays), tuple(self.written), constants)
        self.given = self.inputs[targets + reads :]
        self.wanted = [*self.stage.scalars, *self.outputs[targets:]]
        self.formula = formula(self.wanted, self.given)

    def numbers(self, given: Sequence[float]) -> list[float]:
        """What the kernel reads of numbers, then what the rule returns beside the new values."""
        if self.formula is not None:
            with suppress(ArithmeticError, ValueError):
                found = self.formula(*given)
                if {*map(type, found)} <= _NUMBERS:  # a root of a negative number is complex in Python
                    return found
        env: dict[Symbol, Any] = dict(zip(self.given, given, strict=True))
        return [number_of(s, env) for s in self.wanted]


class _Set:
    """Rows that one kernel serves, and where their arrays lie."""

    def __init__(self, rule: _Rule, columns: Columns, rows: list[int]) -> None:
        self.rule, self.dtype = rule, rule.dtype
        self.asked = columns if type(columns) is tuple and {*map(type, columns)} == {tuple} else None  # never change
        targets = [[column[k] for k in rows] for column in columns]
        if any(t.dtype != rule.dtype for column in targets for t in column):
            raise Unfusable("the Tensors of a row differ in dtype")
        if any(t.shape != w.shape for column in targets for t, w in zip(column, targets[0], strict=True)):
            raise Unfusable("the Tensors of a row differ in shape")
        self.rows, self.targets = rows, targets
        if len({id(t) for column in targets for t in column}) < len(targets) * len(rows):
            raise ArgumentError("foreach was given the same Tensor twice among its targets. Expected each one once.")
        self.held = [_owned(t) for column in targets for t in column]
        count = len(targets)
        self.sizes = np.array([w.size for w in targets[0]], np.intp)
        self.table = np.zeros((len(rows), 5 + len(rule.arrays) + len(rule.written)), np.intp)
        self.table[:, 0], self.table[:, 1], self.table[:, 2], self.table[:, 3] = 1, self.sizes, BLOCK, 1
        self.addresses = np.zeros((count, len(rows)), np.intp)
        places = [*enumerate(rule.arrays, 5), *enumerate(rule.written, 5 + len(rule.arrays))]
        self.read = [(k, column - count) for k, column in places if column >= count]
        self.kept = [(k, column) for k, column in places if column < count]
        self.batch = kernel_module("batch").Batch(rule.kernel.address, self.table, self.sizes, BLOCK)
        self.objects = kernel_module("objects")
        survey = self.objects.Survey
        self.own_places = survey(self.dtype, np.tile(self.sizes, count), self.addresses.reshape(-1))
        self.followed: dict[int, Any] = {}
        self.places = {place: survey(self.dtype, self.sizes, self.table[:, place]) for place, _ in self.read}
        self._remember()
        self.known = False  # whether the table holds the addresses
        self.numbers: list[float] | None = None  # of the last run; what the kernel reads of them, and the rest
        self.scalars: array[float] = array("d")
        self.rest: tuple[float, ...] = ()

    def holds(self, targets: Columns) -> bool:
        """Whether these are the Tensors that the table was made for, with the arrays that it points to."""
        asked = chain.from_iterable(map(self._mine, targets)) if targets is not self.asked else ()
        if not all(map(is_, asked, chain.from_iterable(self.targets))):
            return False
        if self.snapshot is None:
            return all(map(is_, [t.value for column in self.targets for t in column], self.held))
        return bool(self.snapshot.holds())

    def _mine(self, column: Sequence[Tensor]) -> Sequence[Tensor]:
        return column if len(self.rows) == len(column) else [column[k] for k in self.rows]

    def ready(self, reads: Columns) -> bool:
        """Fill in the addresses; whether every array can be used."""
        if self.known and self.alone is not None and self.alone.holds():
            pass  # the table is as it was
        elif not self.own_places(self.held, ALONE):
            self._part()
            self.own_places(self.held)
            self.known = False
        if not self.known:
            for place, column in self.kept:
                self.table[:, place] = self.addresses[column]
            self.known = True
        self.own: list[Any] = []  # arrays made here that the table points to
        return all([self._filled(place, reads[column]) for place, column in self.read])  # noqa: C419  # quicker

    def _filled(self, place: int, column: Sequence[Tensor]) -> bool:
        if type(column) is Gradients and len(column) == len(self.rows) and self.objects.layout():
            follow = self.followed.get(place)
            if follow is None:
                follow = self.objects.Followed(*PATH, self.dtype, self.sizes, self.table[:, place])
                self.followed[place] = follow
            if follow(column.of):
                return True
        return self._fill(place, list(map(_VALUE, self._mine(column))))

    def _fill(self, place: int, arrays: list[Any]) -> bool:
        survey = self.places[place]
        if survey(arrays):
            return True
        # a dtype may be equal and yet another object, as one read from a file
        whole = [np.ascontiguousarray(a).view(self.dtype) if a.dtype == self.dtype else a for a in arrays]
        self.own.append(whole)
        return bool(survey(whole))

    def _part(self) -> None:
        """Give a copy to those Tensors whose array somebody else holds as well, who is to see no change."""
        targets = [t for column in self.targets for t in column]
        for k, t in enumerate(targets):
            if sys.getrefcount(self.held[k]) > ALONE + 1:  # and the argument's own
                self.held[k] = _given(t, self.held[k])
        self._remember()

    def _remember(self) -> None:
        """Keep what the arrays are, and that they are those of the Tensors."""
        self.snapshot: Any = None  # that the arrays are those of the Tensors
        self.alone: Any = None  # that nobody else holds them
        if self.objects.layout():
            self.snapshot, self.alone = (kernel_module("snapshot").Snapshot() for _ in range(2))
            for t, array in zip(chain.from_iterable(self.targets), self.held, strict=True):
                self.snapshot.attribute(t, "value", array)
                self.alone.references(array, ALONE)

    def run(self, numbers: Sequence[float]) -> tuple[Any, ...]:
        """Update all rows; what the rule returns beside the new values."""
        if numbers != self.numbers:
            count = len(self.rule.stage.scalars)
            found = self.rule.numbers(numbers)
            if len(self.scalars) != count:
                self.scalars = array("d", bytes(8 * count))
                self.table[:, 4] = self.scalars.buffer_info()[0]
            self.scalars[:] = array("d", found[:count])
            self.rest = tuple(found[count:])
            self.numbers = list(numbers)
        self.batch.run()
        return self.rest


def _traced(
    rule: Callable[..., Any],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    targets: int,
    reads: int,
    numbers: int,
) -> tuple[Stage, list[Symbol], list[Any]]:
    """The one stage that a rule is, its inputs and its outputs."""
    arrays = [Symbol(shape, dtype, label=f"x{k}") for k in range(targets + reads)]
    inputs = arrays + [Symbol((), np.dtype(np.float64), weak=True, label=f"n{k}") for k in range(numbers)]
    try:
        results = rule(*inputs)
    except WengertError as error:
        raise Unfusable(str(error)) from None
    outputs = list(results) if isinstance(results, tuple) else [results]
    new = outputs[:targets]
    if len({id(s) for s in new if isinstance(s, Symbol) and s.op is not None}) < targets:
        raise Unfusable("it returns something that it did not compute, or the same twice")
    if any(s.shape != shape or s.dtype != dtype for s in new):
        raise Unfusable("a new value differs from the target in shape or dtype")
    symbols = graph(new, inputs)
    loops = Loops(symbols, [*(s for s in arrays if s in set(symbols)), *new], inputs)
    found = stages(symbols, inputs, new, loops)
    if len(found) != 1 or found[0].totals or loops.has_rows:
        raise Unfusable("it sums over elements")
    found[0].over = {arrays[k]: s for k, s in enumerate(new) if arrays[k] in set(found[0].arrays)}
    return found[0], inputs, outputs


def _kinds(targets: Columns) -> dict[tuple[int, np.dtype[Any]], list[int]]:
    """The ranks and dtypes of rows, with the places of those that have them."""
    found: dict[Any, list[int]] = {}
    for k, w in enumerate(targets[0]):
        found.setdefault((max(w.ndim, 1), w.dtype), []).append(k)
    return found


def _constants(stage: Stage) -> list[Any]:
    return [s for s in stage.scalars if not isinstance(s, Symbol)]


def _owned(t: Tensor) -> NDArray[Any]:
    """The array of a Tensor, a new one if it is a part of another: only an owner's references can be counted."""
    a: NDArray[Any] = t.value
    dtype = np.dtype(a.dtype.name)
    if a.dtype is dtype and kernel_module("buffers").owned(a):
        return a
    return _given(t, a)


def _given(t: Tensor, array: NDArray[Any]) -> NDArray[Any]:
    """A copy of an array, which is now the Tensor's."""
    own = empty(array.shape, np.dtype(array.dtype.name))
    np.copyto(own, array)
    with no_grad():
        t.copy_(Tensor(own))
    return t.value  # type: ignore[no-any-return]  # the array


def foreach(rule: Callable[..., Any], *, keyed: bool = False) -> Foreach:
    """An elementwise update rule for many sets of Tensors at once: one kernel, one launch, in place.

    `foreach(rule).update_(targets, reads, *numbers)` does for every row of the columns what

        new = rule(*targets, *reads, *numbers);  target.copy_(new) for each target

    does one after another. An array is written over only if nobody but its Tensor holds it; else the Tensor gets a new
    one, so that no other value changes. Where a rule has no kernel form, `reasons` says why and the rows are updated
    one by one.

    >>> import autograd as ag
    >>> descend = ag.foreach(lambda w, g, lr: w - lr * g)
    >>> ws, gs = [ag.ones(2), ag.ones((2, 2))], [ag.ones(2), ag.zeros((2, 2))]
    >>> descend.update_([ws], [gs], 0.25)
    ()
    >>> ws[0]
    tensor([0.75, 0.75])
    """
    return Foreach(rule, keyed)
