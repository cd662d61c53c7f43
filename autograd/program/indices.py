"""Arrays as sums of products of the inputs' elements, index by index: what windows, reshaping and products come to.

    y[i, j, ...] = the sum, over all labels that are not among i, j, ..., of  a[p, q, ...] * b[r, s, ...]  + c[t, ...]

A label runs over 0 to size - 1; p, q, ... are forms: whole multiples of labels, plus a number. An input is zero outside
of its axes. Axes of y are labels too, the last of several moving fastest; the label of an axis that `fold` made is not
free but has a form itself, and what lands outside of it is dropped. Every rule below is an identity of such sums, so
whatever a composition is rearranged like, it means what it comes to here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograd.errors import asked_by_user
from autograd.methods import Methods
from autograd.primitive import Primitive, functions
from autograd.program.forms import Form, Label, Labels, Read, Sizes, joint
from autograd.program.symbol import NoSuchAttribute, Unfusable, is_known


@dataclass(frozen=True, eq=False)
class Indexed(Methods):
    """An array of a composition, as the sum at the top of this file.

    Attributes:
        axes: the labels of each axis.
        reads: one input; or two, which are multiplied; or a third as well, which is added.
        places: the forms of labels that are not free.
    """

    __hash__ = object.__hash__

    dtype: np.dtype[Any]
    axes: tuple[Labels, ...]
    reads: tuple[Read, ...]
    places: Mapping[Label, Form] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        raise (Unfusable if asked_by_user() and is_known(name) else NoSuchAttribute)(f"it reads .{name} of a value")

    @property
    def shape(self) -> Sizes:
        """The length of each axis."""
        return tuple(math.prod(label.size for label in labels) for labels in self.axes)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def __bool__(self) -> bool:
        raise Unfusable("its control flow depends on a value")

    def __float__(self) -> float:
        raise Unfusable("it reads a value as a Python number")

    __index__ = __int__ = __float__

    def __len__(self) -> int:
        if not self.axes:
            raise Unfusable("it asks for the length of a number")
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        return functions["getitem"](self, index)

    def pair(self, op: Primitive, a: Any, b: Any) -> Any:
        """The result of a binary operator."""
        return self.run(op, (a, b), {})

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """What an operation comes to."""
        rule = RULES.get(op.name)
        if rule is None:
            raise Unfusable(f"{op.name} has no kernel form")
        if not all(isinstance(x, Indexed) for x in inputs):
            raise Unfusable(f"{op.name} meets what is not an argument")
        return rule(*inputs, **settings)

    def put(self, label: Label, labels: Labels, form: Form) -> Indexed:
        """The same array with a label replaced: by labels in the axes, by a form everywhere else."""
        if label in self.places:
            raise Unfusable("it reshapes what windows were added into")
        axes = tuple(tuple(m for k in axis for m in (labels if k is label else (k,))) for axis in self.axes)
        reads = tuple(read.put(label, form) for read in self.reads)
        return replace(self, axes=axes, reads=reads, places={k: f.put(label, form) for k, f in self.places.items()})

    def split(self, label: Label, size: int) -> tuple[Indexed, Labels]:
        """The same array with a label made two, the first of a size; and the two."""
        if label.size % size:
            raise Unfusable("it reshapes across the bounds of axes")
        pair = Label(size), Label(label.size // size)
        return self.put(label, pair, joint(pair)), pair

    def fresh(self) -> Indexed:
        """The same array with labels of its own, for another use of it."""
        result = self
        for label in {k for read in self.reads for form in read.at for k in form.terms}:
            new = (Label(label.size),)
            result = result.put(label, new, joint(new))
        return result

    def tied(self, i: int, j: int) -> Indexed:
        """The elements at which axes i and j, of one length, have the same index."""
        if self.shape[i] != self.shape[j]:
            raise Unfusable("lengths differ")
        p, q = ([label for label in self.axes[k] if label.size > 1] for k in (i, j))
        for a, b in zip(p, q, strict=False):
            if a is b:
                continue
            if a.size == b.size:
                return self.put(b, (a,), joint((a,))).tied(i, j)
            large, small = (a, b) if a.size > b.size else (b, a)
            return self.split(large, small.size)[0].tied(i, j)
        return self

    def alone(self, axis: int) -> Label | None:
        """The label of an axis, None if it has length 1 and no label is left."""
        labels = [label for label in self.axes[axis] if label.size > 1] or self.axes[axis]
        if len(labels) > 1:
            raise Unfusable("it moves windows over an axis that was made of several")
        return labels[0] if labels else None

    def with_axis(self, axis: int, labels: Labels) -> Indexed:
        """Another meaning for an axis."""
        return replace(self, axes=(*self.axes[:axis], labels, *self.axes[axis + 1 :]))


def argument(x: Any, name: int) -> Indexed:
    """An input of the composition."""
    axes = tuple((Label(n),) for n in x.shape)
    return Indexed(x.dtype, axes, (Read(name, x.shape, tuple(map(joint, axes))),))


def _permute(x: Indexed, *, axes: Sizes) -> Indexed:
    return replace(x, axes=tuple(x.axes[k] for k in axes))


def _reshape(x: Indexed, *, shape: Sizes) -> Indexed:
    """Labels dealt out to the new axes, split where an axis ends within one. Those of size 1 go to axes of length 1."""
    axes: list[Labels] = []
    left = [label for axis in x.axes for label in axis]
    for n in shape:
        taken: list[Label] = []
        size = 1
        while size < n or (n == 1 and not taken and left and left[0].size == 1):
            label = left.pop(0)
            if n % (size * label.size):
                x, (label, rest) = x.split(label, n // size)
                left.insert(0, rest)
            size *= label.size
            taken += [label] if label.size > 1 or n == 1 else []
        axes.append(tuple(taken))
    return replace(x, axes=tuple(axes))


def _pad(x: Indexed, *, widths: Sequence[tuple[int, int]], value: float) -> Indexed:
    if value != 0 and any(map(any, widths)):
        raise Unfusable("it pads with other values than zero")
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _padded(x, axis, before, after)
    return x


def _padded(x: Indexed, axis: int, before: int, after: int) -> Indexed:
    """Zeros around an axis, where all that is there already, and beyond, is known to be zero."""
    label = x.alone(axis)
    if label is None:
        raise Unfusable("it pads an axis that it made")
    new = Label(before + label.size + after)
    if label in x.places:
        least, most = x.places[label].ends()
        if (before and least < 0) or (after and most >= label.size):
            raise Unfusable("it pads what was cut")
        places = {k: f for k, f in x.places.items() if k is not label} | {new: x.places[label].moved(before)}
        return replace(x, places=places).with_axis(axis, (new,))
    if len(x.reads) > 1:
        raise Unfusable("it pads a product")
    uses = [(form, n) for form, n in zip(x.reads[0].at, x.reads[0].shape, strict=True) if label in form.terms]
    ((form, n),) = uses
    start, others = form.offset, Form({k: m for k, m in form.terms.items() if k is not label}).bare()
    if form.terms[label] != 1 or others.terms or (before and start > 0) or (after and start + label.size < n):
        raise Unfusable("it pads what was cut")
    return x.put(label, (new,), Form({new: 1}, -before))


def _window(x: Indexed, *, size: Sizes, stride: Sizes, dilation: Sizes, axes: Sizes, shape: Sizes) -> Indexed:
    for axis, k, s, d in zip(axes, size, stride, dilation, strict=True):
        label = x.alone(axis)
        if label is None:
            x = replace(x, axes=(*x.axes, ()))  # a single window of a single element
            continue
        start, tap = Label((shape[axis] - d * (k - 1) - 1) // s + 1), Label(k)
        x = x.put(label, (start,), joint((start,)) * s + joint((tap,)) * d)
        x = replace(x, axes=(*x.axes, (tap,)))
    return x


def _fold(x: Indexed, *, size: Sizes, stride: Sizes, dilation: Sizes, axes: Sizes, shape: Sizes) -> Indexed:
    for k, (axis, s, d) in enumerate(zip(axes, stride, dilation, strict=True)):
        start, tap, goal = x.axes[axis], x.axes[len(shape) + k], Label(shape[axis])
        if not x.places.keys().isdisjoint((*start, *tap)):
            raise Unfusable("it folds what was folded")
        x = replace(x, places={**x.places, goal: joint(start) * s + joint(tap) * d}).with_axis(axis, (goal,))
    return replace(x, axes=x.axes[: len(shape)])


def _getitem(x: Indexed, *, index: tuple[Any, ...], shape: Sizes) -> Indexed:
    for axis, item in enumerate(index):
        if not isinstance(item, slice) or len(index) > x.ndim:
            raise Unfusable("it picks elements")
        span = range(shape[axis])[item]
        if span == range(shape[axis]):
            continue
        label, new = x.alone(axis), Label(len(span))
        if label is None or span.step < 1 or not span:
            raise Unfusable("it picks elements")
        if label in x.places:
            if span.step != 1:
                raise Unfusable("it picks elements of what windows were added into")
            places = {k: f for k, f in x.places.items() if k is not label} | {new: x.places[label].moved(-span.start)}
            x = replace(x, places=places).with_axis(axis, (new,))
        else:
            x = x.put(label, (new,), (joint((new,)) * span.step).moved(span.start))
    return x


def _beside(a: Indexed, b: Indexed) -> Indexed:
    """Both arrays, the axes of one after those of the other."""
    b = b.fresh()
    if b.places:
        raise Unfusable("it multiplies what windows were added into")
    return replace(a, axes=(*a.axes, *b.axes), reads=(*a.reads, *b.reads))


def _matmul(a: Indexed, b: Indexed) -> Indexed:
    if len(a.reads) > 1 or len(b.reads) > 1 or a.places:
        raise Unfusable("it is a product of products")
    shapes, rank = (a.shape, b.shape), a.ndim
    both = _beside(a, b).tied(rank - 1, rank + b.ndim - 2)
    axes: list[int] = []
    for k in range(3, max(a.ndim, b.ndim) + 1):  # the axes before the last two, from the right
        there = [len(shape) >= k and shape[-k] > 1 for shape in shapes]
        if all(there):
            both = both.tied(rank - k, rank + b.ndim - k)
        axes.insert(0, rank + b.ndim - k if there[1] or rank < k else rank - k)
    axes += [rank - 2, rank + b.ndim - 1]
    return replace(both, axes=tuple(both.axes[k] for k in axes))


def _add(a: Indexed, b: Indexed) -> Indexed:
    product, bias = (a, b) if len(a.reads) == 2 else (b, a)
    if (len(product.reads), len(bias.reads)) != (2, 1) or bias.places:
        raise Unfusable("it is not one product and one bias")
    if bias.ndim > product.ndim or any(
        m not in (1, n) for m, n in zip(bias.shape[::-1], product.shape[::-1], strict=False)
    ):
        raise Unfusable("it repeats a product")
    both, rank = _beside(product, bias), product.ndim
    for k, n in enumerate(bias.shape):
        if n > 1:
            both = both.tied(rank - bias.ndim + k, rank + k)
    return replace(both, axes=both.axes[:rank])


RULES: dict[str, Callable[..., Indexed]] = {
    "add": _add,
    "fold": _fold,
    "getitem": _getitem,
    "matmul": _matmul,
    "pad": _pad,
    "permute_dims": _permute,
    "reshape": _reshape,
    "window": _window,
}
