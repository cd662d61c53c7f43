"""Windows reduced to one number each, without being made: the largest element, where it is, the sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd.domain import REALS, Distinct, Integers, case
from autograd.errors import ShapeError
from autograd.ops.axes import rank, shape_of
from autograd.ops.join import padded
from autograd.ops.window import Sizes, counts_of, each, folded, view
from autograd.primitive import Primitive, nondifferentiable, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

Padding = tuple[tuple[int, int], ...]


def _windows(x: Any, fill: Any, size: Sizes, stride: Sizes, dilation: Sizes, padding: Padding) -> NDArray[Any]:
    """The windows over the last axes, those of each place as one last axis; `fill` stands where the padding is."""
    lead = np.ndim(x) - len(size)
    x = padded(x, ((0, 0),) * lead + padding, fill)
    axes = tuple(range(lead, x.ndim))
    found = view(x, size=size, stride=stride, dilation=dilation, axes=axes, shape=x.shape)
    return found.reshape(*found.shape[: x.ndim], int(np.prod(size)))  # -1 has no answer for a batch of nothing


def _lowest(dtype: np.dtype[Any]) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min if dtype.kind in "iu" else False


def _max(x: Any, *, size: Sizes, stride: Sizes, dilation: Sizes, padding: Padding) -> Any:
    x = np.asarray(x)
    return _windows(x, _lowest(x.dtype), size, stride, dilation, padding).max(-1)


def _argmax(x: Any, *, size: Sizes, stride: Sizes, dilation: Sizes, padding: Padding) -> Any:
    x = np.asarray(x)
    lengths = x.shape[x.ndim - len(size) :]
    found = _windows(x, _lowest(x.dtype), size, stride, dilation, padding)
    numbers = np.arange(int(np.prod(lengths)), dtype=np.int32).reshape(lengths)
    numbers = _windows(numbers, -1, size, stride, dilation, padding)
    chosen = (numbers >= 0) & ((found == found.max(-1, keepdims=True)) | (found != found))
    first = np.take_along_axis(np.broadcast_to(numbers, found.shape), chosen.argmax(-1)[..., None], -1)[..., 0]
    return np.where(chosen.any(-1), first, np.int32(-1))


def _sum(x: Any, *, size: Sizes, stride: Sizes, dilation: Sizes, padding: Padding) -> Any:
    return _windows(np.asarray(x), 0, size, stride, dilation, padding).sum(-1)


def _spread(g: Any, *, size: Sizes, stride: Sizes, dilation: Sizes, padding: Padding, lengths: Sizes) -> NDArray[Any]:
    g = np.asarray(g)
    lead = g.ndim - len(size)
    shape = (*g.shape[:lead], *(n + a + b for n, (a, b) in zip(lengths, padding, strict=True)))
    same = np.broadcast_to(np.expand_dims(g, tuple(range(g.ndim, g.ndim + len(size)))), (*g.shape, *size))
    axes = tuple(range(lead, g.ndim))
    out: NDArray[Any] = folded(same, size=size, stride=stride, dilation=dilation, axes=axes, shape=shape)
    inside: tuple[Any, ...] = (..., *(slice(a, a + n) for n, (a, _) in zip(lengths, padding, strict=True)))
    found: NDArray[Any] = out[inside]
    return found


def _flat(x: Any, dims: int) -> NDArray[Any]:
    a: NDArray[Any] = np.asarray(x)
    return a.reshape(*a.shape[: a.ndim - dims], int(np.prod(a.shape[a.ndim - dims :])))


def _place(g: Any, places: Any, *, lengths: Sizes) -> NDArray[Any]:
    dims = len(lengths)
    flat, at = _flat(g, dims), _flat(places, dims)
    out = np.zeros((*flat.shape[:-1], int(np.prod(lengths))), flat.dtype)
    lines = np.indices(at.shape, sparse=True)[:-1]
    np.add.at(out, (*lines, at), np.where(at < 0, 0, flat))
    return out.reshape(*flat.shape[:-1], *lengths)


def _pick(x: Any, places: Any, *, dims: int) -> NDArray[Any]:
    at = _flat(places, dims)
    found = np.take_along_axis(_flat(x, dims), np.maximum(at, 0), -1)
    return np.where(at < 0, 0, found).astype(found.dtype, copy=False).reshape(np.shape(places))


_CASES = (
    case((2, 5), size=(2,), stride=(2,), dilation=(1,), padding=((0, 0),)),
    case((2, 3, 5), size=(3, 2), stride=(1, 2), dilation=(1, 2), padding=((1, 1), (0, 1))),
    case((1, 2, 3, 2, 3), size=(2, 1, 3), stride=(1, 1, 2), dilation=(2, 1, 1), padding=((1, 0), (0, 0), (1, 1))),
)
argmax_of = nondifferentiable("window_argmax", "x", _argmax, doc="Where the largest element of each window is.")
max_of: Primitive = primitive(
    "window_max",
    "x",
    _max,
    vjp=(
        lambda g, x, *, size, stride, dilation, padding: place_at(
            g,
            argmax_of(x, size=size, stride=stride, dilation=dilation, padding=padding),
            lengths=shape_of(x)[rank(x) - len(size) :],
        ),
    ),
    cases=tuple(case(*c.shapes, on=Distinct(), **c.settings) for c in _CASES),
    doc="The largest element of each window.",
)
max_of.analytic = False
sum_of: Primitive = primitive(
    "window_sum",
    "x",
    _sum,
    vjp=(
        lambda g, *, size, stride, dilation, padding, input_shape: spread_over(
            g,
            size=size,
            stride=stride,
            dilation=dilation,
            padding=padding,
            lengths=input_shape[len(input_shape) - len(size) :],
        ),
    ),
    cases=_CASES,
    doc="The sum of each window.",
)
spread_over: Primitive = primitive(
    "window_spread",
    "x",
    _spread,
    vjp=(
        lambda g, *, size, stride, dilation, padding: sum_of(
            g, size=size, stride=stride, dilation=dilation, padding=padding
        ),
    ),
    cases=tuple(
        case(
            _sum(np.zeros(c.shapes[0]), **c.settings).shape,
            **c.settings,
            lengths=c.shapes[0][-len(c.settings["size"]) :],
        )
        for c in _CASES
    ),
    doc="Each number added to all places of its window: the transpose of window_sum.",
)
pick_at: Primitive = primitive(
    "window_pick",
    "x places",
    _pick,
    vjp=(
        lambda g, places, *, dims, input_shape: place_at(g, places, lengths=input_shape[len(input_shape) - dims :]),
        None,
    ),
    cases=(case((2, 3, 4), (2, 2, 3), on=(REALS, Integers(-1, 12)), dims=2),),
    doc="The elements of the last axes, counted through, at some places: the transpose of window_place.",
)
place_at: Primitive = primitive(
    "window_place",
    "x places",
    _place,
    vjp=(lambda g, places, *, lengths: pick_at(g, places, dims=len(lengths)), None),
    cases=(case((2, 2, 3), (2, 2, 3), on=(REALS, Integers(-1, 12)), lengths=(3, 4)),),
    doc="Zeros, to which each number is added at its place in the last axes, counted through.",
)


def _settings(
    x: Any,
    size: int | Sequence[int],
    stride: int | Sequence[int] | None,
    dilation: int | Sequence[int],
    padding: int | Sequence[int | tuple[int, int]],
    name: str,
) -> dict[str, Any]:
    """The sizes as the primitives take them, known to fit."""
    dims = 1 if isinstance(size, int | np.integer) else len(size)
    shape = shape_of(x)
    if not 1 <= dims <= len(shape):
        raise ShapeError(f"{name} was given shape {shape} for windows of {dims} axes. Expected at least as many.")
    sizes = each(size, dims, "size", name)
    strides = sizes if stride is None else each(stride, dims, "stride", name)
    dilations = each(dilation, dims, "dilation", name)
    given = (padding,) * dims if isinstance(padding, int | np.integer) else tuple(padding)
    around = tuple((int(p), int(p)) if isinstance(p, int | np.integer) else tuple(p) for p in given)
    if len(around) != dims or any(len(p) != 2 or min(p) < 0 for p in around):
        raise ShapeError(f"{name} was given padding={padding} for {dims} axes. Expected 0 or more for each.")
    whole = [n + a + b for n, (a, b) in zip(shape[len(shape) - dims :], around, strict=True)]
    if min(counts_of(whole, sizes, strides, dilations, tuple(range(dims)))) < 1:
        raise ShapeError(
            f"{name} was given windows of size {sizes} with dilation {dilations} for shape {shape} with padding "
            f"{padding}: they do not fit. Pad more, or make the window smaller."
        )
    return {"size": sizes, "stride": strides, "dilation": dilations, "padding": around}


@public()
def window_max(
    x: Operand,
    size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int | tuple[int, int]] = 0,
) -> Tensor:
    """The largest element of each window over the last axes; the first of equal ones gets the gradient.

    Parameters:
        size: of the windows along each of the last axes, or of the last one.
        stride: from one window to the next; None for windows side by side.
        dilation: from one element of a window to the next.
        padding: what is added before and after each axis, which is never the largest.

    Raises:
        ShapeError: if the windows do not fit.

    >>> import autograd as ag
    >>> ag.window_max(ag.tensor([1.0, 5.0, 2.0, 3.0]), 2)
    tensor([5., 3.])
    """
    return max_of(x, **_settings(x, size, stride, dilation, padding, "window_max"))


@public()
def window_argmax(
    x: Operand,
    size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int | tuple[int, int]] = 0,
) -> Tensor:
    """Where `window_max` finds the largest element, in the last axes counted through; -1 if a window sees only padding.

    >>> import autograd as ag
    >>> ag.window_argmax(ag.tensor([[1.0, 5.0], [2.0, 7.0]]), (2, 1)).tolist()
    [[2, 3]]
    """
    return argmax_of(x, **_settings(x, size, stride, dilation, padding, "window_argmax"))


@public()
def window_sum(
    x: Operand,
    size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int | tuple[int, int]] = 0,
) -> Tensor:
    """The sum of each window over the last axes; what is padded adds nothing. Arguments as for `window_max`.

    >>> import autograd as ag
    >>> ag.window_sum(ag.tensor([1.0, 5.0, 2.0, 3.0]), 3, stride=1)
    tensor([ 8., 10.])
    """
    return sum_of(x, **_settings(x, size, stride, dilation, padding, "window_sum"))
