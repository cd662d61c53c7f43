"""The batch rules of indexing: where the batch axis goes among slices and index arrays, by NumPy's rules for both.

NumPy puts the axes of index arrays where the first of them stands, or, if slices stand between them, in front of all
others. Arrays that differ from sample to sample are joined by one that numbers the samples, and come in front.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.batching.level import Flags, looped
from autograd.batching.rules import Contents, Settings, lined_up, rank_of, rule, spread_out
from autograd.errors import UnsupportedError
from autograd.ops.axes import rank, shape_of
from autograd.ops.elementwise import where
from autograd.ops.index import ARRAY
from autograd.ops.shape import moveaxis, reshape_
from autograd.primitive import Primitive, primitives

Template = tuple[Any, ...]


@dataclass(frozen=True)
class _Layout:
    """Where in a result the `count` axes of the index arrays are, or would be: from `at` on; and the rank of all."""

    at: int
    count: int
    rank: int


def _layout(template: Template, arrays: Contents, flags: Flags, ndim: int) -> _Layout:
    """Tried on arrays of length 1, with index arrays of length 2 and 3."""
    kinds = [(a.dtype.kind == "b", rank_of(a, m)) for a, m in zip(arrays, flags, strict=True)]
    count = max((1 if boolean else n for boolean, n in kinds), default=0)
    small = np.broadcast_to(np.int8(0), (1,) * ndim)

    def shape(length: int) -> tuple[int, ...]:
        rest, index = iter(kinds), []
        for item in template:
            if not isinstance(item, str):
                index.append(0 if isinstance(item, int) else item)
                continue
            boolean, n = next(rest)
            index += [np.zeros((length,) * max(count, 1), np.intp)] * (n if boolean else 1)
        found: Any = small[tuple(index)]
        return tuple(found.shape)

    a, b = shape(2), shape(3)
    at = next((k for k, (m, n) in enumerate(zip(a, b, strict=True)) if m != n), 0)
    return _Layout(at, count, len(a) - bool(kinds and not count))


def _refuse_masks(op: Primitive, arrays: Contents, flags: Flags) -> None:
    if any(m and a.dtype.kind == "b" for a, m in zip(arrays, flags, strict=True)):
        raise UnsupportedError(
            f"{op.name!r} was given a mask that differs from sample to sample under ag.vmap: so would the shapes of "
            "its results.\nWrite ag.where(mask, x, 0)."
        )


def _axes(start: int, count: int) -> list[int]:
    return list(range(start, start + count))


def _moved(x: Any, source: int, destination: int, count: int) -> Any:
    if source == destination or not count:
        return x
    return moveaxis(x, _axes(source, count), _axes(destination, count))


def _numbered(arrays: Contents, flags: Flags, count: int, size: int) -> Contents:
    """The index arrays, and in front of them the numbers of the samples."""
    numbers = np.arange(size).reshape(size, *(1,) * count)
    return [numbers, *(lined_up(a, m, count) for a, m in zip(arrays, flags, strict=True))]


def _mixed(arrays: Contents, flags: Flags) -> bool:
    """Whether masks stand beside arrays that differ from sample to sample: rare, and left to the loop."""
    return any(flags) and any(a.dtype.kind == "b" for a in arrays)


@rule("getitem")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    (x, *arrays), (mapped, *marks) = xs, flags
    template, shape = settings["index"], settings["shape"]
    _refuse_masks(op, arrays, marks)
    if _mixed(arrays, marks):
        return looped(op, xs, flags, settings, size)
    if not arrays:
        return op(x, index=(slice(None), *template), shape=(size, *shape))
    of_one = _layout(template, arrays, marks, len(shape))
    if not any(marks):
        index = (slice(None), *template)
        y = op(x, *arrays, index=index, shape=(size, *shape))
        behind = _layout(index, arrays, marks, len(shape) + 1).at == 0 and of_one.count > 0
        return _moved(y, of_one.count, 0, 1) if behind else y
    if not mapped:
        lined = [lined_up(a, m, of_one.count) for a, m in zip(arrays, marks, strict=True)]
        return _moved(op(x, *lined, index=template, shape=shape), of_one.at, 0, 1)
    numbered = _numbered(arrays, marks, of_one.count, size)
    y = op(x, *numbered, index=(ARRAY, *template), shape=(size, *shape))
    return _moved(y, 1, 1 + of_one.at, of_one.count)


def _placed(v: Any, mapped: bool, index: Template, arrays: Contents, flags: Flags, ndim: int) -> Any:
    """Values for places of one sample, in the order that the places of all samples have."""
    one = _layout(index, arrays, flags, ndim)
    if not mapped and rank(v) == 0:
        return v
    if mapped:
        v = lined_up(v, True, one.rank)
    elif rank(v) < one.rank:
        v = reshape_(v, shape=((1,) * (one.rank - rank(v)) + shape_of(v)))
    if any(flags):
        return _moved(v, mapped + one.at, int(mapped), one.count)
    behind = one.count > 0 and _layout((slice(None), *index), arrays, flags, ndim + 1).at == 0
    if not behind:
        return v
    if mapped:
        return _moved(v, 0, one.count, 1)
    return reshape_(v, shape=(*shape_of(v)[: one.count], 1, *shape_of(v)[one.count :]))


@rule("scatter")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    (g, *arrays), (mapped, *marks) = xs, flags
    template, shape = settings["index"], settings["shape"]
    _refuse_masks(op, arrays, marks)
    if _mixed(arrays, marks):
        return looped(op, xs, flags, settings, size)
    placed = _placed(g, mapped, template, arrays, marks, len(shape))
    if not any(marks):
        return op(placed, *arrays, index=(slice(None), *template), shape=(size, *shape))
    count = _layout(template, arrays, marks, len(shape)).count
    return op(placed, *_numbered(arrays, marks, count, size), index=(ARRAY, *template), shape=(size, *shape))


@rule("put")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    (x, value, *arrays), (mapped, of_value, *marks) = xs, flags
    template = settings["index"]
    ndim = rank_of(x, mapped)
    if template == (ARRAY,) and marks[0] and arrays[0].dtype.kind == "b" and rank_of(value, of_value) == 0:
        mask = arrays[0]
        wide = reshape_(mask, shape=(*shape_of(mask), *(1,) * (ndim - rank_of(mask, True))))
        chosen = where(wide, lined_up(value, of_value, ndim), x)
        return primitives["astype"](chosen, dtype=x.dtype) if chosen.dtype != x.dtype else chosen
    _refuse_masks(op, arrays, marks)
    if _mixed(arrays, marks):
        return looped(op, xs, flags, settings, size)
    x = spread_out(x, mapped, size)
    placed = _placed(value, of_value, template, arrays, marks, ndim)
    if not any(marks):
        return op(x, placed, *arrays, index=(slice(None), *template))
    count = _layout(template, arrays, marks, ndim).count
    return op(x, placed, *_numbered(arrays, marks, count, size), index=(ARRAY, *template))
