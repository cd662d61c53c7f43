"""Graphs of a scan's body made ready to be bound: parts joined where they belong, slices of what is in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from autograd.primitive import Primitive, primitives
from autograd.program.schedule import VIEWS
from autograd.program.symbol import Symbol, graph


def _never(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("a join is made by those who write its parts")


JOIN = Primitive("join", "*parts", _never, pulls=(), reads=())


def is_view(s: Symbol) -> bool:
    """Whether s stands where another symbol does."""
    return s.op is None or s.op.name in VIEWS


def rewritten(outputs: Sequence[Symbol], known: Mapping[Symbol, Symbol]) -> dict[Symbol, Symbol]:
    """What stands for each symbol of a graph once others stand for those that are `known`.

    Arrays that are put together of parts, by `concat`, become joins: each part is written where it belongs.
    """
    new = dict(known)
    for s in graph(outputs, list(known)):
        if s in new:
            continue
        if s.op is None:
            new[s] = s
            continue
        inputs = tuple(new.get(x, x) if isinstance(x, Symbol) else x for x in s.inputs)
        if s.op.name == "getitem" and len(inputs) == 1 and (part := _part_of(inputs[0], s.settings["index"], s.shape)):
            new[s] = part[0]
            continue
        if s.op.code is not None:
            inputs = _narrow(inputs, s.shape)
        same = all(a is b for a, b in zip(inputs, s.inputs, strict=True))
        t = s if same else Symbol(s.shape, s.dtype, s.op, inputs, s.settings, weak=s.weak)
        join = _joined(t)
        new[s] = t if join is None else join
    return new


def copied(s: Symbol) -> Symbol:
    """A symbol of the same value, to be written elsewhere."""
    return Symbol(s.shape, s.dtype, primitives["astype"], (s,), {"dtype": s.dtype})


def _part_of(whole: Symbol, index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Symbol] | None:
    """A slice of a result of element by element as the result of slices: these stand in memory already."""
    sliced = all(isinstance(item, slice) for item in index) and len(index) <= whole.ndim
    if whole.op is None or whole.op.code is None or not sliced:
        return None
    full = (*index, *(slice(None),) * (whole.ndim - len(index)))
    taken = []
    for x in whole.inputs:
        if not isinstance(x, Symbol) or not x.ndim:
            taken.append(x)
            continue
        own = tuple(slice(None) if n == 1 else item for n, item in zip(x.shape, full[-x.ndim :], strict=True))
        cut = tuple(len(range(*item.indices(n))) for n, item in zip(x.shape, own, strict=True))
        again = _part_of(x, own, cut)
        made = Symbol(cut, x.dtype, primitives["getitem"], (x,), {"index": own, "shape": x.shape}, weak=x.weak)
        taken.append(again[0] if again else made)
    return (Symbol(shape, whole.dtype, whole.op, tuple(taken), whole.settings, weak=whole.weak),)


def _narrow(inputs: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Operands before they were repeated, where another one has the shape of the result."""
    if not any(isinstance(x, Symbol) and x.shape == shape and _source(x) is x for x in inputs):
        return inputs
    return tuple(map(_source, inputs))


def _source(x: Any) -> Any:
    return x.inputs[0] if isinstance(x, Symbol) and x.op is not None and x.op.name == "broadcast_to" else x


def _joined(t: Symbol) -> Symbol | None:
    assert t.op is not None
    if t.op.name == "concat":
        axis, bounds = t.settings["axis"], t.settings["bounds"]
        pieces = list(t.inputs)
        cuts: list[Any] = [(slice(None),) * axis + (slice(*pair),) for pair in pairwise(bounds)]
        return _join(t, pieces, cuts)
    return None


def _join(t: Symbol, pieces: Sequence[Any], indices: Sequence[Any]) -> Symbol | None:
    if not all(isinstance(p, Symbol) and p.dtype == t.dtype for p in pieces):
        return None
    return Symbol(t.shape, t.dtype, JOIN, tuple(map(copied, pieces)), {"indices": indices})
