"""Discrete Fourier transforms under the names and arguments of `numpy.fft`, with derivatives of every order.

Three primitives: `fft` over any axes, whose matrix is symmetric, so that it is its own transpose; `rfft`, half of the
transform of real numbers along one axis, and `irfft`, its inverse, which are each other's up to the conjugate and the
count of the terms that occur twice. All else is made of them, of padding and of cutting. float32 gives complex64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autograd.create import asarray
from autograd.domain import case
from autograd.errors import ArgumentError, DTypeError, ShapeError
from autograd.ops.axes import one_axis, rank, shape_of
from autograd.ops.complex import conj, is_complex
from autograd.ops.index import getitem
from autograd.ops.join import pad, roll
from autograd.ops.shape import astype
from autograd.primitive import Primitive, Traced, from_numpy, primitive

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

Norm = Literal["backward", "ortho", "forward"] | None
Lengths = Sequence[int | None] | None
_OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


# ---- the transforms, their lengths given by their inputs


def _fft_forward(x: Any, *, axes: tuple[int, ...], inverse: bool, norm: str) -> Any:
    transform: Any = np.fft.ifftn if inverse else np.fft.fftn
    return transform(x, axes=axes, norm=norm)


def _halves(length: int, once: float, twice: float, like: Any) -> NDArray[Any]:
    """A weight for each term of half a spectrum: `twice` for one that stands for its conjugate as well."""
    weights = np.full(length // 2 + 1, twice)
    weights[0] = once
    if length % 2 == 0:
        weights[-1] = once
    return weights.astype(np.finfo(like.dtype).dtype)


def _along(weights: NDArray[Any], axis: int, like: Any) -> NDArray[Any]:
    return weights.reshape((-1,) + (1,) * (like.ndim - 1 - axis))


def _rfft_rule(g: Any, *, axis: int, norm: str, input_shape: tuple[int, ...]) -> Any:
    length = input_shape[axis]
    weights = _along(_halves(length, 1, 0.5, g), axis, g)
    return _irfft(conj(g) * weights, axis=axis, n=length, norm=_OPPOSITE[norm])


def _irfft_rule(g: Any, *, axis: int, n: int, norm: str) -> Any:
    return conj(_rfft(g, axis=axis, norm=_OPPOSITE[norm])) * _along(_halves(n, 1, 2, g), axis, g)


_fft: Primitive = primitive(
    "fft",
    "x",
    _fft_forward,
    vjp=(lambda g, *, axes, inverse, norm: _fft(g, axes=axes, inverse=inverse, norm=norm),),
    cases=(
        case((4,), axes=(0,), inverse=False, norm="backward"),
        case((2, 3), axes=(0, 1), inverse=True, norm="backward"),
        case((2, 3, 2), axes=(1,), inverse=False, norm="ortho"),
    ),
    doc="The sum of x[j] e^(-2 pi i j k / n) over each of the axes; of e^(2 pi i j k / n) if inverse.",
)
_rfft: Primitive = primitive(
    "rfft",
    "x",
    lambda x, *, axis, norm: np.fft.rfft(x, axis=axis, norm=norm),
    vjp=(_rfft_rule,),
    cases=(
        case((4,), axis=0, norm="backward"),
        case((2, 5), axis=1, norm="ortho"),
        case((3, 2), axis=0, norm="forward"),
        case((1,), axis=0, norm="backward"),
    ),
    doc="The first n // 2 + 1 terms of the transform of real numbers along an axis; the others are their conjugates.",
)
_irfft: Primitive = primitive(
    "irfft",
    "x",
    lambda x, *, axis, n, norm: np.fft.irfft(x, n, axis, norm),
    vjp=(_irfft_rule,),
    cases=(
        case((3,), axis=0, n=4, norm="backward"),
        case((2, 3), axis=1, n=5, norm="ortho"),
        case((2, 2), axis=0, n=3, norm="forward"),
        case((1,), axis=0, n=1, norm="backward"),
    ),
    doc="The n real numbers whose half transform x is; imaginary parts where there can be none are not read.",
)
_irfft.analytic = False


# ---- arguments


def _scaling(norm: Any, name: str) -> str:
    if norm is None:
        return "backward"
    if norm not in _OPPOSITE:
        raise ArgumentError(f"{name} was given norm={norm!r}. Expected 'backward', 'ortho', 'forward' or None.")
    return str(norm)


def _array(x: Any) -> Any:
    return x if isinstance(x, Traced) else np.asarray(x)


def _cut(x: Any, axis: int, n: int | None, name: str) -> Any:
    """x with the length n along an axis: what is beyond is left out, what is missing is 0."""
    length = shape_of(x)[axis]
    n = length if n is None else n
    if n < 1:
        raise ShapeError(f"{name} was given {n} points along axis {axis} of shape {shape_of(x)}. Expected 1 or more.")
    if n < length:
        return getitem(x, (slice(None),) * axis + (slice(0, n),))
    return x if n == length else pad(x, [(0, n - length if k == axis else 0) for k in range(rank(x))])


def _axes(x: Any, s: Lengths, axes: Sequence[int] | None, name: str) -> tuple[list[int], list[int | None]]:
    """The axes meant, in order, and the length wanted along each."""
    ndim = rank(x)
    if axes is None:
        chosen = list(range(ndim)) if s is None else list(range(ndim - len(s), ndim))
    else:
        chosen = [one_axis(a, ndim, name) for a in axes]
    lengths: list[int | None] = (
        [None] * len(chosen) if s is None else [None if n is None or n == -1 else int(n) for n in s]
    )
    if len(lengths) != len(chosen) or min(chosen, default=0) < 0:
        raise ShapeError(f"{name} was given s={s} and axes={axes} for shape {shape_of(x)}. Expected one for each axis.")
    return chosen, lengths


def _complex(x: Any, s: Lengths, axes: Sequence[int] | None, norm: Norm, inverse: bool, name: str) -> Any:
    x = _array(x)
    chosen, lengths = _axes(x, s, axes, name)
    for axis, n in zip(chosen, lengths, strict=True):
        x = _cut(x, axis, n, name)
    if not chosen:
        return x if is_complex(x) else astype(x, np.result_type(x.dtype, np.complex64))
    return _fft(x, axes=tuple(chosen), inverse=inverse, norm=_scaling(norm, name))


def _last(x: Any, s: Lengths, axes: Sequence[int] | None, name: str) -> tuple[list[int], list[int | None]]:
    chosen, lengths = _axes(x, s, axes, name)
    if not chosen:
        raise ShapeError(f"{name} was given axes={axes} for shape {shape_of(x)}. Expected at least one axis.")
    return chosen, lengths


def _to_half(x: Any, s: Lengths, axes: Sequence[int] | None, norm: Norm, name: str) -> Any:
    """Half of the transform along the last of the axes, then the transforms along the others."""
    x = _array(x)
    (*others, axis), (*sizes, n) = _last(x, s, axes, name)
    if is_complex(x):
        raise DTypeError(f"{name} was given dtype {x.dtype}. Expected real numbers: write ag.fft.fft, or ag.real(x).")
    y = _rfft(_cut(x, axis, n, name), axis=axis, norm=_scaling(norm, name))
    return _complex(y, sizes, others, norm, False, name)


def _from_half(x: Any, s: Lengths, axes: Sequence[int] | None, norm: Norm, name: str) -> Any:
    x = _array(x)
    (*others, axis), (*sizes, n) = _last(x, s, axes, name)
    x = _complex(x, sizes, others, norm, True, name)
    n = 2 * (shape_of(x)[axis] - 1) if n is None else n
    if n < 1:
        raise ShapeError(f"{name} was asked for {n} points along axis {axis} of shape {shape_of(x)}. Write n=.")
    return _irfft(_cut(x, axis, n // 2 + 1, name), axis=axis, n=n, norm=_scaling(norm, name))


# ---- what users call


def fft(a: Operand, n: int | None = None, axis: int = -1, norm: Norm = None) -> Tensor:
    """y[k] = sum_j a[j] e^(-2 pi i j k / n) along an axis, of a cut or filled with zeros to n points.

    `norm` says where the factor 1/n stands: "backward" (None) in the inverse, "forward" here, "ortho" as 1/sqrt(n) in
    both. Real or complex a; float32 gives complex64.

    Raises:
        ShapeError: if there is no point.
        ArgumentError: for another `norm`.

    >>> import autograd as ag
    >>> ag.fft.fft(ag.tensor([1.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j])
    """
    return _complex(a, [n], [axis], norm, False, "fft")  # type: ignore[no-any-return]


def ifft(a: Operand, n: int | None = None, axis: int = -1, norm: Norm = None) -> Tensor:
    """The inverse of `fft`: y[j] = 1/n sum_k a[k] e^(2 pi i j k / n).

    >>> import autograd as ag
    >>> ag.fft.ifft(ag.fft.fft(ag.tensor([1.0, 2.0])))
    tensor([1.+0.j, 2.+0.j])
    """
    return _complex(a, [n], [axis], norm, True, "ifft")  # type: ignore[no-any-return]


def fftn(a: Operand, s: Lengths = None, axes: Sequence[int] | None = None, norm: Norm = None) -> Tensor:
    """`fft` along several axes, all for None, with s[k] points along axes[k].

    >>> import autograd as ag
    >>> ag.fft.fftn(ag.ones((2, 2)))
    tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]])
    """
    return _complex(a, s, axes, norm, False, "fftn")  # type: ignore[no-any-return]


def ifftn(a: Operand, s: Lengths = None, axes: Sequence[int] | None = None, norm: Norm = None) -> Tensor:
    """The inverse of `fftn`.

    >>> import autograd as ag
    >>> ag.fft.ifftn(ag.ones((2, 2)))
    tensor([[1.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]])
    """
    return _complex(a, s, axes, norm, True, "ifftn")  # type: ignore[no-any-return]


def fft2(a: Operand, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: Norm = None) -> Tensor:
    """`fftn` over the last two axes.

    >>> import autograd as ag
    >>> ag.fft.fft2(ag.ones((3, 2, 2))).shape
    (3, 2, 2)
    """
    return _complex(a, s, axes, norm, False, "fft2")  # type: ignore[no-any-return]


def ifft2(a: Operand, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: Norm = None) -> Tensor:
    """`ifftn` over the last two axes.

    >>> import autograd as ag
    >>> ag.fft.ifft2(ag.ones((3, 2, 2)), s=(4, 4)).shape
    (3, 4, 4)
    """
    return _complex(a, s, axes, norm, True, "ifft2")  # type: ignore[no-any-return]


def rfft(a: Operand, n: int | None = None, axis: int = -1, norm: Norm = None) -> Tensor:
    """The first n // 2 + 1 terms of the `fft` of a real a, of which the others are the conjugates.

    Raises:
        DTypeError: if a is complex.

    >>> import autograd as ag
    >>> ag.fft.rfft(ag.tensor([1.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j])
    """
    return _to_half(a, [n], [axis], norm, "rfft")  # type: ignore[no-any-return]


def irfft(a: Operand, n: int | None = None, axis: int = -1, norm: Norm = None) -> Tensor:
    """The n real numbers whose `rfft` is a; 2 (m - 1) for m terms if n is not given.

    >>> import autograd as ag
    >>> ag.fft.irfft(ag.fft.rfft(ag.tensor([1.0, 2.0, 4.0])), 3)
    tensor([1., 2., 4.])
    """
    return _from_half(a, [n], [axis], norm, "irfft")  # type: ignore[no-any-return]


def rfftn(a: Operand, s: Lengths = None, axes: Sequence[int] | None = None, norm: Norm = None) -> Tensor:
    """`rfft` along the last of several axes, then `fft` along the others.

    >>> import autograd as ag
    >>> ag.fft.rfftn(ag.ones((2, 4))).shape
    (2, 3)
    """
    return _to_half(a, s, axes, norm, "rfftn")  # type: ignore[no-any-return]


def irfftn(a: Operand, s: Lengths = None, axes: Sequence[int] | None = None, norm: Norm = None) -> Tensor:
    """The inverse of `rfftn`: `ifft` along all axes but the last, then `irfft`.

    >>> import autograd as ag
    >>> ag.fft.irfftn(ag.fft.rfftn(ag.ones((2, 4)))).shape
    (2, 4)
    """
    return _from_half(a, s, axes, norm, "irfftn")  # type: ignore[no-any-return]


def rfft2(a: Operand, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: Norm = None) -> Tensor:
    """`rfftn` over the last two axes.

    >>> import autograd as ag
    >>> ag.fft.rfft2(ag.ones((3, 2, 4))).shape
    (3, 2, 3)
    """
    return _to_half(a, s, axes, norm, "rfft2")  # type: ignore[no-any-return]


def irfft2(a: Operand, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: Norm = None) -> Tensor:
    """`irfftn` over the last two axes.

    >>> import autograd as ag
    >>> ag.fft.irfft2(ag.ones((3, 2, 3))).shape
    (3, 2, 4)
    """
    return _from_half(a, s, axes, norm, "irfft2")  # type: ignore[no-any-return]


def hfft(a: Operand, n: int | None = None, axis: int = -1, norm: Norm = None) -> Tensor:
    """The n real terms of the `fft` of what is Hermitian, of which a is the first half.

    >>> import autograd as ag
    >>> ag.fft.hfft(ag.tensor([1.0, 1.0, 1.0]))
    tensor([4., 0., 0., 0.])
    """
    opposite: Any = _OPPOSITE[_scaling(norm, "hfft")]
    return _from_half(conj(_array(a)), [n], [axis], opposite, "hfft")  # type: ignore[no-any-return]


def ihfft(a: Operand, n: int | None = None, axis: int = -1, norm: Norm = None) -> Tensor:
    """The inverse of `hfft`.

    >>> import autograd as ag
    >>> ag.fft.ihfft(ag.fft.hfft(ag.tensor([1.0, 2.0, 3.0])))
    tensor([1.-0.j, 2.-0.j, 3.-0.j])
    """
    opposite: Any = _OPPOSITE[_scaling(norm, "ihfft")]
    return conj(_to_half(a, [n], [axis], opposite, "ihfft"))


def fftfreq(n: int, d: float = 1.0, *, dtype: DTypeLike = np.float64) -> Tensor:
    """The frequencies of the terms of `fft` of n samples that lie d apart: 0, 1, ..., -2, -1 over n d.

    >>> import autograd as ag
    >>> ag.fft.fftfreq(4, 0.5)
    tensor([ 0. ,  0.5, -1. , -0.5])
    """
    return asarray(np.fft.fftfreq(n, d).astype(dtype, copy=False))


def rfftfreq(n: int, d: float = 1.0, *, dtype: DTypeLike = np.float64) -> Tensor:
    """The frequencies of the terms of `rfft` of n samples that lie d apart: 0, 1, ..., n // 2 over n d.

    >>> import autograd as ag
    >>> ag.fft.rfftfreq(4, 0.5)
    tensor([0. , 0.5, 1. ])
    """
    return asarray(np.fft.rfftfreq(n, d).astype(dtype, copy=False))


def fftshift(x: Operand, axes: int | Sequence[int] | None = None) -> Tensor:
    """The frequency 0 in the middle, along the given axes, all for None.

    >>> import autograd as ag
    >>> ag.fft.fftshift(ag.fft.fftfreq(4, 0.25))
    tensor([-2., -1.,  0.,  1.])
    """
    return _shifted(x, axes, 1)


def ifftshift(x: Operand, axes: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of `fftshift`.

    >>> import autograd as ag
    >>> ag.fft.ifftshift(ag.tensor([-2.0, -1.0, 0.0, 1.0]))
    tensor([ 0.,  1., -2., -1.])
    """
    return _shifted(x, axes, -1)


def _shifted(x: Any, axes: int | Sequence[int] | None, sign: int) -> Tensor:
    x = _array(x)
    given = range(rank(x)) if axes is None else axes if isinstance(axes, Sequence) else (axes,)
    chosen = [one_axis(a, rank(x), "fftshift") for a in given]
    halves = [shape_of(x)[a] // 2 if sign > 0 else -(shape_of(x)[a] // 2) for a in chosen]
    return roll(x, halves, chosen) if chosen else x


from_numpy.update(
    (getattr(np.fft, f.__name__), f)
    for f in (fft, ifft, fftn, ifftn, fft2, ifft2, rfft, irfft, rfftn, irfftn, rfft2, irfft2, hfft, ihfft)
)
from_numpy.update({np.fft.fftshift: fftshift, np.fft.ifftshift: ifftshift})
