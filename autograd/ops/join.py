"""Arrays joined, taken apart, repeated, shifted and padded."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd.domain import case
from autograd.errors import ShapeError
from autograd.ops.axes import Axes, definite_axes, one_axis, rank, shape_of
from autograd.ops.index import getitem
from autograd.ops.shape import broadcast_to, expand_dims, flatten, matrix_transpose, reshape
from autograd.primitive import Primitive, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor


def _part(g: Any, *, position: int, axis: int, bounds: Sequence[int]) -> Any:
    return getitem(g, (slice(None),) * axis + (slice(bounds[position], bounds[position + 1]),))


_concat = primitive(
    "concat",
    "*xs",
    lambda *xs, axis, bounds: np.concatenate(xs, axis),
    vjp=(_part,),
    cases=(
        case((2, 3), (1, 3), (0, 3), axis=0, bounds=(0, 2, 3, 3)),
        case((2, 1, 2), (2, 2, 2), axis=1, bounds=(0, 1, 3)),
    ),
    doc="Arrays one after another along an axis.",
)
_concat.into = lambda out, *xs, axis, bounds: np.concatenate(xs, axis, out=out)


def padded(x: Any, widths: Sequence[tuple[int, int]], value: Any) -> NDArray[Any]:
    """`np.pad` with a constant, which takes longer than small arrays are worth.

    >>> padded(np.ones((1, 2)), ((0, 1), (1, 0)), 0)
    array([[0., 1., 1.],
           [0., 0., 0.]])
    """
    x = np.asarray(x)
    out = np.empty([before + n + after for (before, after), n in zip(widths, x.shape, strict=True)], x.dtype)
    inside: tuple[slice, ...] = ()
    for (before, _), n in zip(widths, x.shape, strict=True):
        out[(*inside, slice(0, before))] = value
        out[(*inside, slice(before + n, None))] = value
        inside = (*inside, slice(before, before + n))
    out[inside] = x
    return out


_pad = primitive(
    "pad",
    "x",
    lambda x, *, widths, value: padded(x, widths, value),
    vjp=(
        lambda g, *, widths, input_shape: getitem(
            g, tuple(slice(before, before + n) for (before, _), n in zip(widths, input_shape, strict=True))
        ),
    ),
    cases=(case((2, 3), widths=((1, 0), (2, 1)), value=0.0), case((), widths=(), value=1.0)),
    doc="Surrounded by a constant.",
)
_triangle: Primitive = primitive(
    "tril",
    "x",
    lambda x, *, k: np.tril(x, k),
    vjp=(lambda g, *, k: _triangle(g, k=k),),
    cases=(case((3, 3), k=0), case((2, 3, 4), k=1), case((3, 2), k=-1)),
    doc="The elements on and below diagonal k, zero elsewhere.",
)


@public(np.concatenate)
def concat(xs: Sequence[Operand], axis: int | None = 0) -> Tensor:
    """The arrays one after another along an existing axis; flattened first for axis=None.

    >>> import autograd as ag
    >>> ag.concat([ag.ones((2, 3)), ag.zeros((1, 3))]).shape
    (3, 3)
    """
    if axis is None:
        xs, axis = [flatten(x) for x in xs], 0
    shapes = [shape_of(x) for x in xs]
    if not shapes:
        raise ShapeError("concat was given no arrays. Expected at least one.")
    axis = one_axis(axis, len(shapes[0]), "concat")
    if len({(*s[:axis], *s[axis + 1 :]) for s in shapes}) != 1:
        raise ShapeError(
            f"concat along axis {axis} was given shapes {shapes}. Expected equal lengths on the other axes."
        )
    return _concat(*xs, axis=axis, bounds=(0, *itertools.accumulate(s[axis] for s in shapes)))


@public(np.stack)
def stack(xs: Sequence[Operand], axis: int = 0) -> Tensor:
    """Arrays of one shape along a new axis.

    >>> import autograd as ag
    >>> ag.stack([ag.ones(3), ag.zeros(3)], axis=1).shape
    (3, 2)
    """
    shapes = {shape_of(x) for x in xs}
    if len(shapes) != 1:
        raise ShapeError(f"stack was given shapes {sorted(shapes)}. Expected at least one array, all of one shape.")
    return concat([expand_dims(x, axis) for x in xs], axis)


@public(np.unstack)
def unstack(x: Operand, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis, without it.

    >>> import autograd as ag
    >>> [t.shape for t in ag.unstack(ag.zeros((2, 3)))]
    [(3,), (3,)]
    """
    k = one_axis(axis, rank(x), "unstack")
    return tuple(getitem(x, (slice(None),) * k + (i,)) for i in range(shape_of(x)[k]))


@public(np.split)
def split(x: Operand, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Consecutive parts along an axis: that many equal ones, or cut before the given indices.

    >>> import autograd as ag
    >>> [t.shape for t in ag.split(ag.zeros(5), [2])]
    [(2,), (3,)]
    """
    k = one_axis(axis, rank(x), "split")
    length = shape_of(x)[k]
    if not isinstance(indices_or_sections, (int, np.integer)):
        cuts = [0, *map(int, indices_or_sections), length]
    else:
        if indices_or_sections < 1 or length % indices_or_sections:
            raise ShapeError(f"split was asked for {indices_or_sections} equal parts of length {length}.")
        step = length // indices_or_sections
        cuts = [k * step for k in range(indices_or_sections + 1)]
    return [getitem(x, (slice(None),) * k + (slice(a, b),)) for a, b in itertools.pairwise(cuts)]


@public(np.flip)
def flip(x: Operand, axis: Axes = None) -> Tensor:
    """The order of the elements reversed along the given axes, all for None.

    >>> import autograd as ag
    >>> ag.flip(ag.arange(3))
    tensor([2, 1, 0])
    """
    axes = definite_axes(axis, rank(x), "flip")
    return getitem(x, tuple(slice(None, None, -1 if k in axes else 1) for k in range(rank(x))))


@public(np.roll)
def roll(x: Operand, shift: int | Sequence[int], axis: Axes = None) -> Tensor:
    """Elements moved by `shift` places, those that leave at one end entering at the other.

    >>> import autograd as ag
    >>> ag.roll(ag.arange(4), 1)
    tensor([3, 0, 1, 2])
    """
    if axis is None:
        if isinstance(shift, Sequence):
            raise ShapeError(f"roll was given shifts {shift} and no axis. Expected one axis for each shift.")
        return reshape(roll(flatten(x), shift, 0), shape_of(x))
    y: Any = x
    axes = list(axis) if isinstance(axis, Sequence) else [axis]
    shifts = list(shift) if isinstance(shift, Sequence) else [shift] * len(axes)
    if len(shifts) != len(axes):
        raise ShapeError(f"roll was given {len(shifts)} shifts for {len(axes)} axes.")
    for a, s in zip(axes, shifts, strict=True):
        k = one_axis(a, rank(x), "roll")
        length = shape_of(x)[k]
        cut = (-s) % length if length else 0
        before = (slice(None),) * k
        y = concat([getitem(y, (*before, slice(cut, None))), getitem(y, (*before, slice(0, cut)))], k)
    return y  # type: ignore[no-any-return]


@public(np.repeat)
def repeat(x: Operand, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Each element `repeats` times in a row along an axis; flattened first for axis=None.

    >>> import autograd as ag
    >>> ag.repeat(ag.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    if axis is None:
        x, axis = flatten(x), 0
    k = one_axis(axis, rank(x), "repeat")
    index = np.repeat(np.arange(shape_of(x)[k]), repeats)
    return getitem(x, (slice(None),) * k + (index,))


@public(np.tile)
def tile(x: Operand, repetitions: int | Sequence[int]) -> Tensor:
    """The whole array repeated along each axis.

    >>> import autograd as ag
    >>> ag.tile(ag.tensor([1, 2]), (2, 2)).shape
    (2, 4)
    """
    counts = tuple(repetitions) if isinstance(repetitions, Sequence) else (repetitions,)
    ndim = max(rank(x), len(counts))
    shape = (1,) * (ndim - rank(x)) + shape_of(x)
    counts = (1,) * (ndim - len(counts)) + counts
    pairs = list(zip(counts, shape, strict=True))
    once = reshape(x, [m for _, n in pairs for m in (1, n)])
    return reshape(broadcast_to(once, [m for pair in pairs for m in pair]), [c * n for c, n in pairs])


@public(np.pad)
def pad(x: Operand, pad_width: Any, mode: str = "constant", constant_values: float = 0.0) -> Tensor:
    """x with `pad_width` elements put before and after each axis, as NumPy's `pad`.

    Parameters:
        pad_width: one number, one pair (before, after) for all axes, or a pair for each axis.
        mode: "constant", "edge" (PyTorch's replicate), "reflect", "symmetric" or "wrap" (PyTorch's circular).
        constant_values: what "constant" puts there.

    >>> import autograd as ag
    >>> ag.pad(ag.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    widths = tuple((int(a), int(b)) for a, b in np.broadcast_to(pad_width, (rank(x), 2)))
    if min(itertools.chain((0,), *widths)) < 0:
        raise ShapeError(f"pad was given widths {widths}. Expected none below 0: index to cut.")
    if mode == "constant":
        return _pad(x, widths=widths, value=constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ShapeError(f"pad was given mode {mode!r}. Expected constant, edge, reflect, symmetric or wrap.")
    y: Any = x
    for k, width in enumerate(widths):
        if any(width):
            index = np.pad(np.arange(shape_of(x)[k]), width, mode)  # type: ignore[call-overload]
            y = getitem(y, (slice(None),) * k + (index,))
    return y  # type: ignore[no-any-return]


@public(np.tril)
def tril(x: Operand, k: int = 0) -> Tensor:
    """The lower triangle of the last two axes, up to diagonal k; zero elsewhere.

    >>> import autograd as ag
    >>> ag.tril(ag.ones((2, 2)))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle(x, k=k)


@public(np.triu)
def triu(x: Operand, k: int = 0) -> Tensor:
    """The upper triangle of the last two axes, from diagonal k; zero elsewhere.

    >>> import autograd as ag
    >>> ag.triu(ag.ones((2, 2)))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return matrix_transpose(_triangle(matrix_transpose(x), k=-k))
