"""Memory for time: a part of a function that is run again in the backward pass instead of being kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from math import prod
from typing import Any, ParamSpec, TypeVar

import numpy as np

from autograd.batching.level import sample_by_sample
from autograd.ops.complex import real
from autograd.ops.index import getitem
from autograd.ops.join import concat
from autograd.ops.shape import astype, reshape, reshape_
from autograd.primitive import Primitive, Traced, capture, capturing
from autograd.random import Generator, generators
from autograd.sweep import sweep
from autograd.tape import Node, enable_grad, entries, leaf, recording, serials
from autograd.tensor import Tensor, as_tensor
from autograd.tree import Build, flatten

P = ParamSpec("P")
R = TypeVar("R")
KEPT = object()  # stands for the value of a variable that f reads by itself


def checkpoint(f: Callable[P, R]) -> Callable[P, R]:
    """f, of which the tape keeps only the arguments: the backward pass runs it again, with the same random numbers.

    Arguments and results may be nested containers; variables that f reads by itself, such as the parameters of a
    module, get their gradients too. f must do the same each time it is run on the same arguments, and change nothing
    but the generators that it draws from, which are set back and replayed. Differentiable to any order; a function that
    is being compiled runs f as it is (Chen et al. 2016, "Training deep nets with sublinear memory cost").

    >>> import autograd as ag
    >>> x = ag.tensor(2.0, requires_grad=True)
    >>> y = ag.checkpoint(lambda x: ag.exp(ag.sin(x)) * x)(x)
    >>> print(ag.tape_of(y))
    v1 = leaf()                        () float64
    v2 = checkpoint(v1)                () float64  saves input 0
    """

    @wraps(f)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if not recording.get() or (capturing and capture()):
            return f(*args, **kwargs)
        return _Block(f, (args, kwargs)).result()  # type: ignore[no-any-return]

    return run


class _Block:
    """One call of a checkpointed function: what it was given, and where the generators stood.

    Attributes:
        leaves: the arguments, those on the tape as None: their values are what the entry saves.
    """

    def __init__(self, f: Callable[..., Any], arguments: Any) -> None:
        self.f = f
        self.states = [(g, g._bits.state) for g in list(generators)]
        given, self.build = flatten(arguments)
        self.given: list[Any] = given
        self.places = [k for k, x in enumerate(given) if isinstance(x, Tensor) and x.node is not None]
        self.leaves = [
            None if k in self.places else x.copy() if isinstance(x, np.ndarray) else x for k, x in enumerate(given)
        ]

    def result(self) -> Any:
        """Run f, and leave one entry of the tape for it."""
        arguments = [self.given[k] for k in self.places]
        self.given = []
        variables = [Tensor(t.value, leaf(t.shape, t.dtype)) for t in arguments]
        start = next(serials)
        outputs, build = self.run(variables)
        live = [y for y in outputs if y.node is not None]
        if not live:
            return build(outputs)
        own = {v.node for v in variables}
        outside = _outside([y.node for y in live], start, own)
        joined = _joined(live)
        parents = (*(t.node for t in arguments), *outside)
        saved = (None, *(t.value for t in arguments), *(KEPT for _ in outside))
        node = Node(_op, parents, saved, {"plan": self, "settings": {}}, joined.shape, joined.dtype)
        parts = iter(_parts(Tensor(joined.value, node), live))
        return build([y if y.node is None else next(parts) for y in outputs])

    def run(self, variables: Sequence[Tensor]) -> tuple[list[Any], Build]:
        """f on variables in place of the arguments that were on the tape: the leaves of its result."""
        leaves = list(self.leaves)
        for k, v in zip(self.places, variables, strict=True):
            leaves[k] = v
        args, kwargs = self.build(leaves)
        with enable_grad():
            found, build = flatten(self.f(*args, **kwargs))
        return [as_tensor(y) if isinstance(y, (Tensor, np.ndarray, np.generic)) else _Other(y) for y in found], _opened(
            build
        )


class _Other:
    """A leaf of the result that is not an array."""

    __slots__ = ("value",)
    node = None

    def __init__(self, value: Any) -> None:
        self.value = value


def _opened(build: Build) -> Build:
    return lambda leaves: build([y.value if isinstance(y, _Other) else y for y in leaves])


def _outside(roots: Sequence[Any], start: int, own: set[Any]) -> list[Node]:
    """The entries made before a block that those made in it refer to, its own variables excepted."""
    seen, found, outside = set(roots), list(roots), []
    for node in found:  # grows while it is read
        if node.serial < start or node.op is None:
            if node not in own:
                outside.append(node)
            continue
        for parent in node.parents or ():
            if parent is not None and parent not in seen:
                seen.add(parent)
                found.append(parent)
    return sorted(outside, key=lambda node: node.serial)


def _joined(ys: Sequence[Tensor]) -> Tensor:
    """Several outputs as one vector, since an entry has one; a single one as it is."""
    if len(ys) == 1:
        return ys[0]
    dtype = np.result_type(*(y.dtype for y in ys))
    return concat([reshape(astype(y, dtype), (-1,)) for y in ys])


def _parts(joined: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    if len(like) == 1:
        return [joined]
    parts, at = [], 0
    for y in like:
        size = prod(y.shape)
        part = reshape(getitem(joined, slice(at, at + size)), y.shape)
        parts.append(astype(part if y.dtype.kind == "c" else real(part), y.dtype))
        at += size
    return parts


def _together(g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
    """The cotangents of the arguments and of what f read by itself: f run again, and its own tape swept."""
    if capturing:
        parts = sample_by_sample(lambda g, *saved: _together(g, saved, node), g, *saved)
        if parts is not None:
            return parts
    block: _Block = (node.settings or {})["plan"]
    record = isinstance(g, Traced)
    count = len(block.places)
    given = saved[1 : count + 1]
    outside = (node.parents or ())[count:]
    start = next(serials)
    with _replayed(block.states):
        variables = [
            reshape_(v, shape=v.shape) if isinstance(v, Tensor) else Tensor(v, leaf(v.shape, v.dtype)) for v in given
        ]
        first = next(serials)
        outputs, _ = block.run(variables)
    live = [y for y in outputs if y.node is not None]
    joined = _joined(live)
    inner = [n for n in entries([y.node for y in [joined] if y.node is not None]) if n.serial > first]
    stand_ins = {p: _stand_in(p, start) for p in outside if p is not None}
    for entry in inner:  # the sweep must not go on into what lies outside: the outer one will
        entry.parents = tuple(stand_ins.get(p, p) if p is not None else None for p in entry.parents or ())
    wanted = [v.node for v in variables] + [stand_ins.get(p) if p is not None else None for p in outside]
    root = joined.node
    if root is None:
        return [None] * len(wanted)
    found = sweep(
        [stand_ins.get(root, root)],
        [g],
        wanted={n for n in wanted if n is not None},
        record=record,
        retain=True,
        transposed=True,
    )
    return [None if n is None else found.get(n) for n in wanted]


@contextmanager
def _replayed(noted: Sequence[tuple[Generator, Any]]) -> Iterator[None]:
    """Every generator that was noted goes on from there within the block, and afterwards from where it stands now."""
    now = [(g, g._bits.state) for g, _ in noted]
    try:
        for g, state in noted:
            g._bits.state = state
        yield
    finally:
        for g, state in now:
            g._bits.state = state


def _stand_in(node: Node, serial: int) -> Node:
    """An entry with the value of another, older than what is made of it."""
    made = Node(reshape_, (node,), (None, None), {"shape": node.shape}, node.shape, node.dtype)
    made.serial = serial
    return made


class _Pulls(Sequence[Any]):
    """For each input, the cotangent of that one: what forward mode asks for."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, position: Any) -> Any:
        return lambda g, saved, node: _together(g, saved, node)[position]


def _refused(*_values: Any, **_settings: Any) -> Any:
    raise NotImplementedError("the entry of a checkpointed function is made by the function")


_op = Primitive("checkpoint", "*xs", _refused, pulls=_Pulls(), reads=(), doc="A part that is run again.")
_op.differentiable, _op.together = True, _together
