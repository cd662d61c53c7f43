"""`scan`: one function run over the steps of a sequence, as a loop of kernels or as plain operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograd.batching.level import variable
from autograd.config import config
from autograd.errors import ArgumentError, DifferentiationError, DTypeError, ShapeError, WengertError
from autograd.ops.join import split, stack
from autograd.primitive import Primitive, Traced, capture, capturing
from autograd.program.body import Body
from autograd.program.capture import Capture, Captured
from autograd.program.launch import empty
from autograd.program.noted import Parts, noted, pull_part, pulled
from autograd.program.symbol import Unfusable, graph
from autograd.sweep import saved_tensors, sweep
from autograd.tape import Node, enable_grad, recording
from autograd.tensor import Tensor, as_tensor
from autograd.tree import flatten, flatten_present, leaves_beside

_PLAIN = (bool, int, float, str, FunctionType)  # what a function may hold that is told from others by its value
_NOTHING = np.empty(0)  # where an array was
FEWEST = 8  # steps from which on a loop of kernels is faster than plain operations, however small the arrays
SMALLEST = 4096  # elements of an array from which on it is for fewer steps
PLANS = 256  # combinations of shapes that are kept for a function
_bodies: WeakKeyDictionary[Any, dict[Any, Body | str]] = WeakKeyDictionary()


@dataclass
class Call:
    """One call of `scan`: its function, the leaves of its arguments, and how many turns it takes.

    Attributes:
        carry, xs, constants: the leaves; those of `constants` that are no arrays are settings.
        builds: what makes the arguments of f of such leaves.
        result: what makes a result of its leaves, of which some may be None; known after the first turn.
    """

    f: Callable[..., Any]
    carry: list[Any]
    xs: list[Any]
    constants: list[Any]
    builds: list[Callable[[list[Any]], Any]]
    turns: int
    reverse: bool
    result: Any = field(default=None)

    def step(self, carry: Sequence[Any], x: Sequence[Any], constants: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """One turn on leaves: the carry, checked against the one before, and the arrays of the result."""
        build_carry, build_x, build_constants = self.builds
        found = self.f(build_carry(list(carry)), build_x(list(x)), *build_constants(list(constants)))
        if not isinstance(found, tuple) or len(found) != 2:
            raise ArgumentError(
                f"scan's function returned {type(found).__name__}. Expected (carry, y): write `return carry, None` for "
                "a step without a result."
            )
        after, build_after = flatten_present(found[0])
        try:
            new = leaves_beside(found[0], build_carry(list(carry)), "")
        except ShapeError:
            new = []
        if len(after) != len(carry) or len(new) != len(carry):
            raise ArgumentError(
                f"scan's function was given a carry {_outline(carry, build_carry)} and returned "
                f"{_outline(after, build_after)}. Expected the same structure."
            )
        new = [as_tensor(x) for x in new]
        for old, s in zip(carry, new, strict=True):
            _expect_same(old, s)
        ys, build = flatten(found[1])
        there = [y is not None for y in ys]
        self.result = (build, there)
        return new, [as_tensor(y) for y in ys if y is not None]

    def whole(self, leaves: Sequence[Any]) -> tuple[Any, Any]:
        """The result of the scan, of the last carry's leaves and of the results'."""
        build, there = self.result
        n = len(self.carry)
        rest = iter(leaves[n:])
        return self.builds[0](list(leaves[:n])), build([next(rest) if given else None for given in there])

    def with_leaves(self, leaves: Sequence[Any]) -> Call:
        """The same call of other arrays."""
        n, m = len(self.carry), len(self.carry) + len(self.xs)
        rest = iter(leaves[m:])
        constants = [next(rest) if _is_array(c) else c for c in self.constants]
        own = (list(leaves[:n]), list(leaves[n:m]), constants)
        return Call(self.f, *own, self.builds, self.turns, self.reverse, self.result)

    def emptied(self) -> Call:
        """The same call without its arrays."""
        return self.with_leaves([_NOTHING] * len(self.arrays()))

    def arrays(self) -> list[Any]:
        """All arrays among the leaves."""
        return [*self.carry, *self.xs, *(c for c in self.constants if _is_array(c))]


def _is_array(x: Any) -> bool:
    return isinstance(x, (Traced, np.ndarray, np.generic))


def _outline(leaves: Sequence[Any], build: Callable[[list[Any]], Any]) -> str:
    return repr(build([getattr(x, "shape", x) for x in leaves]))


def _expect_same(old: Any, new: Any) -> None:
    if new.shape != old.shape:
        raise ShapeError(
            f"scan's function was given a carry of shape {old.shape} and returned one of shape {new.shape}. Expected "
            "the shape that it was given: start with a carry of the shape that the steps make."
        )
    if new.dtype != old.dtype:
        raise DTypeError(
            f"scan's function was given a carry of dtype {old.dtype} and returned one of dtype {new.dtype}. Expected "
            f"the dtype that it was given: write .astype({str(old.dtype)!r}), or start with {new.dtype}."
        )


def scan(
    f: Callable[..., tuple[Any, Any]],
    carry: Any,
    xs: Any = None,
    *constants: Any,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """The last carry and all results of carry, y[t] = f(carry, xs[t], *constants) for t = 0 to T - 1.

    The same as a loop in Python, and differentiable to any order; but f runs once, on symbols, and what it does becomes
    a loop of kernels and matrix products without Python, and so does its derivative. Products that reach a constant are
    added up over the steps in one product. Where there is no such loop, the steps run one by one with the same results:
    for small arrays, operations without a kernel, arrays that f reads from outside instead of among the constants.

    Parameters:
        f: a function of (carry, x, *constants) to (carry, y). It must do the same in each step; what it reads from
            outside, numbers and settings, is taken as it is at the first call.
        carry: the first carry: an array, or a nested container of arrays, whose shapes and dtypes stay.
        xs: arrays of T rows each, nested as you like; None if f needs no x.
        constants: arrays that every step reads; Python numbers among them are settings.
        length: T, where there are no xs.
        reverse: from the last row to the first; y[t] still belongs to xs[t].

    Returns:
        (carry, ys): ys nested as y is, each array with a row for each step.

    Raises:
        ArgumentError: if T is not known, or the structure of the carry changes.
        ShapeError: if xs have different numbers of rows, or the carry changes its shape.
        DTypeError: if the carry changes its dtype.

    >>> import autograd as ag
    >>> total, sums = ag.scan(lambda c, x: (c + x, c + x), ag.tensor(0.0), ag.tensor([1.0, 2.0, 3.0]))
    >>> total, sums
    (tensor(6.), tensor([1., 3., 6.]))
    """
    call = _call(f, carry, xs, constants, length, reverse)
    noting = capture() if capturing else None
    if not call.turns:
        return _none(call)
    if config.kernels and _large(call) and (noting is None or isinstance(noting, Capture)):
        body = _body(call)
        if isinstance(body, Body):
            if noting is None:
                return _looped(call, body)
            return call.whole(noted(body, call.arrays(), call.turns, noting, recording.get()))
    return call.whole(_unrolled(call))


def _call(f: Any, carry: Any, xs: Any, constants: Any, length: int | None, reverse: bool) -> Call:
    leaves, builds = zip(flatten_present(carry), *map(flatten, (xs, constants)), strict=True)
    rows = [as_tensor(x) for x in leaves[1] if x is not None]
    if any(not x.ndim for x in rows):
        raise ShapeError("scan was given a single number among xs. Expected a row for each step, shape (T, ...).")
    lengths = {len(x) for x in rows} | (set() if length is None else {length})
    if len(lengths) != 1:
        given = f"xs of {[len(x) for x in rows]} rows and length={length}"
        raise (ShapeError if lengths else ArgumentError)(
            f"scan was given {given}. Expected one number of steps: equal first axes, or length= where there are no xs."
        )
    there = [x is not None for x in leaves[1]]

    def build_x(given: list[Any]) -> Any:
        rest = iter(given)
        return builds[1]([next(rest) if known else None for known in there])

    held = [as_tensor(x) if _is_array(x) else x for x in leaves[2]]
    return Call(
        f, [as_tensor(c) for c in leaves[0]], rows, held, [builds[0], build_x, builds[2]], lengths.pop(), reverse
    )


def reasons(f: Callable[..., Any]) -> list[str]:
    """Why, for some of the arguments so far, a scan of f ran step by step instead of as a loop of kernels.

    >>> reasons(lambda c, x: (c, x))
    []
    """
    owner, own = _identity(f)
    found = _bodies.get(owner, {}).items()
    return sorted({body for (which, _), body in found if which == own and isinstance(body, str)})


# ---- plain operations


def _rows(x: Any, turns: int) -> list[Any]:
    """The rows of x, cut out of blocks of rows: the cotangent of a cut is as large as what it was cut from."""
    length = math.isqrt(turns)
    sizes = [min(length, turns - k) for k in range(0, turns, length)]
    blocks = split(x, list(accumulate(sizes))[:-1])
    return [block[k] for block, n in zip(blocks, sizes, strict=True) for k in range(n)]


def _unrolled(call: Call) -> list[Any]:
    """All leaves of the result, step by step."""
    columns = [_rows(x, call.turns) for x in call.xs]
    state, found = call.carry, []
    for t in range(call.turns)[:: -1 if call.reverse else 1]:
        state, ys = call.step(state, [rows[t] for rows in columns], call.constants)
        found.append(ys)
    return [*state, *(stack(list(rows)) for rows in zip(*found[:: -1 if call.reverse else 1], strict=True))]


def _none(call: Call) -> tuple[Any, Any]:
    """The result of no steps: the shapes of its rows are those that a step makes of zeros."""
    blank = [Tensor(np.zeros(x.shape[1:], x.dtype)) for x in call.xs]
    _, ys = call.step(call.carry, blank, call.constants)
    return call.whole([*call.carry, *(Tensor(np.zeros((0, *y.shape), y.dtype)) for y in ys)])


# ---- as a loop of kernels


def _large(call: Call) -> bool:
    return call.turns >= FEWEST or any(x.size >= SMALLEST for x in call.arrays())


def _body(call: Call) -> Body | str:
    """The body of the loop, or why there is none."""
    kinds = [[(x.shape[k:], x.dtype) for x in xs] for k, xs in ((0, call.carry), (1, call.xs))]
    held = [(c.shape, c.dtype) if _is_array(c) else (type(c), c) for c in call.constants]
    outline = repr(
        [build([None] * n) for build, n in zip(call.builds, map(len, (call.carry, call.xs, held)), strict=True)]
    )
    key = (*(tuple(k) for k in kinds), tuple(held), outline, call.reverse)
    try:
        owner, own = _identity(call.f)
        known = _bodies.setdefault(owner, {})
        key = (own, key)
        found = known.get(key)
    except (TypeError, ValueError) as error:  # f or a setting cannot be told from others
        return str(error)
    if found is None:
        if len(known) >= PLANS:
            known.pop(next(iter(known)))
        found = known[key] = _traced(call, kinds)
    if isinstance(found, Body):
        call.result = found.result
        try:
            _prepare(call, found)
        except Unfusable as reason:
            found = known[key] = str(reason)
    return found


def _identity(f: Any) -> tuple[Any, Any]:
    """What stands for f: a function that is written inside of another is a new object each time that one runs."""
    if not isinstance(f, FunctionType):
        return f, None
    held = [cell.cell_contents for cell in f.__closure__ or ()] + [*(f.__defaults__ or ())]
    if f.__kwdefaults__ or not all(x is None or isinstance(x, _PLAIN) for x in held):
        return f, None
    return f.__code__, tuple((type(x), repr(x) if isinstance(x, float) else x) for x in held)  # 0.0 is not -0.0


def _prepare(call: Call, body: Body) -> None:
    """Make the loops that this call is going to need, as far as that is known: there may be none."""
    floating = tuple(s.dtype.kind == "f" for s in body.inputs())
    asked = tuple(map(_may_be_asked, call.arrays()))
    keep = recording.get() and any(a and f for a, f in zip(asked, floating, strict=True))
    body.forward(keep)
    if keep:
        wanted = tuple(a and f for a, f in zip(asked, floating, strict=True))
        body.backward(tuple(s.dtype.kind == "f" for s in body.ys), wanted)


def _may_be_asked(x: Any) -> bool:
    """Whether a gradient may reach an array: it is on the tape, or a program computes it from what is."""
    if isinstance(x, Tensor):
        return x.node is not None
    noting = x.capture if isinstance(x, Captured) else None
    if noting is None or noting.wanted_arguments:
        return True
    variables = {s for t, s in noting.tensors.values() if t.node is not None}
    return not variables.isdisjoint(graph([x]))


def _traced(call: Call, kinds: Sequence[Any]) -> Body | str:
    arrays = [(c.shape, c.dtype) for c in call.constants if _is_array(c)]

    def turn(carry: Any, xs: Any, constants: Any) -> Any:
        rest = iter(constants)
        return call.step(carry, xs, [next(rest) if _is_array(c) else c for c in call.constants])

    try:
        body = Body(turn, kinds[0], kinds[1], arrays, call.reverse)
    except (Unfusable, WengertError) as reason:
        return str(reason)
    body.result = call.result
    return body


def _values(call: Call, arrays: Sequence[Any]) -> list[list[Any]]:
    """The carry, the xs and the constants, as kernels can read them."""
    whole = [x if x.flags.c_contiguous else np.ascontiguousarray(x) for x in map(np.asarray, arrays)]
    n, m = len(call.carry), len(call.carry) + len(call.xs)
    return [whole[:n], whole[n:m], whole[m:]]


def _looped(call: Call, body: Body) -> tuple[Any, Any]:
    """Run the loop, and leave one entry on the tape, with one for each part of its result."""
    inputs = call.arrays()
    parents = tuple(x.node for x in inputs)
    keep = recording.get() and any(p is not None for p in parents)
    forward = body.forward(keep)
    values = [x.value for x in inputs]
    written = {k: empty(*kind) for k, kind in forward.arrays(call.turns).items()}
    forward.run(_values(call, values), call.turns, written)
    results = [*forward.last(written), *(forward.seen(written, place) for place in forward.results)]
    if not keep:
        return call.whole([Tensor(y) for y in results])
    note = {"call": call.emptied(), "body": body, "slots": tuple(written)}
    node = Node(_whole, parents, (None, *values, *written.values()), note, (), results[0].dtype)
    return call.whole([_part_tensor(y, node, k, len(results)) for k, y in enumerate(results)])


def _part_tensor(y: Any, node: Node, position: int, count: int) -> Tensor:
    if y.dtype.kind != "f":
        return Tensor(y)
    return Tensor(y, Node(_part, (node,), (), {"position": position, "of": count}, y.shape, y.dtype))


def _together(g: Parts, saved: Sequence[Any], node: Node) -> list[Any]:
    """The cotangents of all inputs: by the loop backwards, or by the tape of the steps where they are recorded."""
    note = node.settings or {}
    call, body = note["call"], note["body"]
    parents = node.parents or ()
    if any(isinstance(part, Traced) for part in g.parts):
        return _recorded(call, saved_tensors(node)[1 : len(parents) + 1], g.parts)
    left = dict(zip(note["slots"], saved[len(parents) + 1 :], strict=True))
    asked = tuple(p is not None for p in parents)
    count = len(body.carry)
    try:
        backward = body.backward(tuple(part is not None for part in g.parts[count:]), asked)
    except Unfusable:  # with other cotangents than those that were looked for beforehand
        given = [None if part is None else Tensor(part) for part in g.parts]
        again = _recorded(call, saved_tensors(node)[1 : len(parents) + 1], given)
        return [None if x is None else x.value for x in again]
    found = pulled(backward, _values(call, saved[1 : len(parents) + 1]), left, g.parts, call.turns)
    return [part if wanted else None for part, wanted in zip(found, asked, strict=True)]


def _recorded(call: Call, inputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    with enable_grad():
        own = [variable(x) if isinstance(x, Tensor) and x.requires_grad else x for x in inputs]
        found = _unrolled(call.with_leaves([as_tensor(x) for x in own]))
        given = [(y.node, g) for y, g in zip(found, cotangents, strict=True) if g is not None and y.node is not None]
        nodes = [x.node if isinstance(x, Tensor) else None for x in own]
        wanted = [n for n in nodes if n is not None]
        pulled = sweep([n for n, _ in given], [g for _, g in given], wanted=wanted, record=True, retain=True)
    return [None if n is None else pulled.get(n) for n in nodes]


def _refused(*_values: Any, **_settings: Any) -> Any:
    raise DifferentiationError("the entry of a scan was run by itself; call the function.")


_whole = Primitive("scan", "*xs", _refused, pulls=(), reads=(), doc="A function run over the steps of a sequence.")
_whole.together, _whole.differentiable = _together, True
_part = Primitive("scan_part", "whole", _refused, pulls=(pull_part,), reads=(frozenset(),), doc="One of its results.")
