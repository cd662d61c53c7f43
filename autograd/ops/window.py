"""Windows over axes, and their transpose: what convolution and pooling are composed of."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from autograd.domain import case
from autograd.errors import ShapeError
from autograd.ops.axes import definite_axes, rank, shape_of
from autograd.primitive import Primitive, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

Sizes = tuple[int, ...]


def counts_of(shape: Sequence[int], size: Sizes, stride: Sizes, dilation: Sizes, axes: Sizes) -> Sizes:
    """How many windows there are along each axis."""
    return tuple((shape[a] - d * (k - 1) - 1) // s + 1 for a, k, s, d in zip(axes, size, stride, dilation, strict=True))


def view(x: Any, *, size: Sizes, stride: Sizes, dilation: Sizes, axes: Sizes, shape: Sizes) -> NDArray[Any]:
    """All windows as a strided view."""
    x = np.asarray(x)
    lengths, strides = list(shape), list(x.strides)
    for a, n, s in zip(axes, counts_of(shape, size, stride, dilation, axes), stride, strict=True):
        lengths[a] = n
        strides[a] *= s
    inner = [x.strides[a] * d for a, d in zip(axes, dilation, strict=True)]
    return as_strided(x, (*lengths, *size), (*strides, *inner), writeable=False)


def folded(g: Any, *, size: Sizes, stride: Sizes, dilation: Sizes, axes: Sizes, shape: Sizes) -> NDArray[Any]:
    """Windows added up in zeros of a shape."""
    out = np.zeros(shape, g.dtype)
    counts = counts_of(shape, size, stride, dilation, axes)
    for offset in itertools.product(*map(range, size)):  # one shifted, strided sum for each element of the window
        place = [slice(None)] * len(shape)
        for a, k, n, s, d in zip(axes, offset, counts, stride, dilation, strict=True):
            place[a] = slice(k * d, k * d + s * (n - 1) + 1, s)
        out[tuple(place)] += g[(..., *offset)]
    return out


_CASES = (
    {"size": (2,), "stride": (1,), "dilation": (1,), "axes": (0,), "shape": (5,)},
    {"size": (2, 3), "stride": (2, 1), "dilation": (1, 2), "axes": (1, 2), "shape": (2, 5, 6)},
    {"size": (1, 2), "stride": (1, 3), "dilation": (1, 1), "axes": (0, 2), "shape": (2, 3, 5)},
)
_window: Primitive = primitive(
    "window",
    "x",
    view,
    vjp=(
        lambda g, *, size, stride, dilation, axes, shape: _unwindow(
            g, size=size, stride=stride, dilation=dilation, axes=axes, shape=shape
        ),
    ),
    cases=tuple(case(c["shape"], **c) for c in _CASES),
    doc="A strided view of all windows.",
)
_unwindow: Primitive = primitive(
    "fold",
    "x",
    folded,
    vjp=(
        lambda g, *, size, stride, dilation, axes, shape: _window(
            g, size=size, stride=stride, dilation=dilation, axes=axes, shape=shape
        ),
    ),
    cases=tuple(case(tuple(view(np.zeros(c["shape"]), **c).shape), **c) for c in _CASES),
    doc="Windows added up where they came from.",
)


def each(value: int | Sequence[int], count: int, name: str, who: str = "window") -> Sizes:
    """One positive number for each axis, given as one for all or one each."""
    try:
        sizes = (index(value),) * count if isinstance(value, int | np.integer) else tuple(map(index, value))
    except TypeError:
        sizes = ()
    if len(sizes) != count or min(sizes, default=1) < 1:
        raise ShapeError(f"{who} was given {name}={value} for {count} axes. Expected one positive integer for each.")
    return sizes


@public()
def window(
    x: Operand,
    size: int | Sequence[int],
    *,
    axes: Sequence[int],
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """All windows of `size` over `axes`, as new last axes: a view, nothing is copied.

    Along axis a of length n there are floor((n - dilation (size - 1) - 1) / stride) + 1 windows, and
    y[..., i, ..., k] = x[..., i stride + k dilation, ...].

    Raises:
        ShapeError: if a window does not fit into its axis.

    >>> import autograd as ag
    >>> ag.window(ag.arange(4), 2, axes=(0,))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    shape = shape_of(x)
    over = definite_axes(axes, rank(x), "window")
    sizes, strides, dilations = (
        each(v, len(over), n) for v, n in ((size, "size"), (stride, "stride"), (dilation, "dilation"))
    )
    if min(counts_of(shape, sizes, strides, dilations, over), default=1) < 1:
        raise ShapeError(
            f"window of size {sizes} with dilation {dilations} does not fit into axes {over} of shape {shape}. "
            "Pad the input, or make the window smaller."
        )
    return _window(x, size=sizes, stride=strides, dilation=dilations, axes=over, shape=shape)


@public()
def fold(
    windows: Operand,
    shape: Sequence[int],
    *,
    axes: Sequence[int],
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The transpose of `window`: each element of each window added at its place in zeros of `shape`.

    >>> import autograd as ag
    >>> ag.fold(ag.ones((3, 2)), (4,), axes=(0,))
    tensor([1., 2., 2., 1.])
    """
    full = tuple(shape)
    over = definite_axes(axes, len(full), "fold")
    strides, dilations = each(stride, len(over), "stride"), each(dilation, len(over), "dilation")
    have = shape_of(windows)
    sizes = have[len(full) :]
    expected = list(full)
    for a, n in zip(
        over, counts_of(full, sizes, strides, dilations, over) if len(sizes) == len(over) else (), strict=False
    ):
        expected[a] = n
    if len(sizes) != len(over) or have[: len(full)] != tuple(expected):
        raise ShapeError(
            f"fold was given windows of shape {have} for shape {full}. Expected what window() gives for it."
        )
    return _unwindow(windows, size=sizes, stride=strides, dilation=dilations, axes=over, shape=full)
