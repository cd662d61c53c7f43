"""Evenly spaced numbers between two ends, which may be on the tape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.elsewhere import CREATION, hinted
from autograd.errors import ArgumentError
from autograd.ops.arrange import stacked
from autograd.ops.axes import rank
from autograd.ops.compare import less
from autograd.ops.elementwise import add, divide, floor, multiply, pow, subtract, where
from autograd.ops.shape import astype, moveaxis
from autograd.primitive import Traced, public
from autograd.tensor import Operand, Tensor, as_tensor

NUMBERS = (bool, int, float, complex)

__all__ = ["geomspace", "linspace", "logspace"]


@public(np.linspace)
@hinted(CREATION)
def linspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced values from start to stop: (1 - t) start + t stop, with t from 0 to 1.

    Parameters:
        start, stop: numbers, or arrays that broadcast; on the tape, if derivatives by them are wanted.
        num: how many. endpoint: whether stop is the last of them; if not, it is the one that would come next.
        retstep: give the distance between two as well.
        dtype: of the values. axis: the place of the new axis where the ends are arrays.

    Raises:
        ArgumentError: if `num` is not a whole number from 0 on, or `endpoint` is neither true nor false.

    >>> import autograd as ag
    >>> ag.linspace(0, 1, 3)
    tensor([0. , 0.5, 1. ])
    >>> ag.jacobian(lambda stop: ag.linspace(0.0, stop, 3))(2.0)
    tensor([0. , 0.5, 1. ])
    """
    _check("linspace", num, endpoint)
    ends = _ends(start, stop)
    if not any(isinstance(x, Traced) for x in ends):
        rest: dict[str, Any] = {"endpoint": endpoint, "dtype": dtype, "axis": axis}
        y, step = np.linspace(*ends, num, retstep=True, **rest)
        return (Tensor(y), step) if retstep else Tensor(y)
    t, floating = _weights(ends, num, endpoint)
    y = _finished(add(multiply(ends[0], astype(1 - t, floating)), multiply(ends[1], astype(t, floating))), dtype, axis)
    steps = num - 1 if endpoint else num
    return (y, divide(subtract(ends[1], ends[0]), steps or np.nan)) if retstep else y


@public(np.logspace)
def logspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    base: Operand = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """base ** linspace(start, stop).

    Arguments are those of `linspace`; `base` is a number, or an array that broadcasts with the ends.

    >>> import autograd as ag
    >>> ag.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    _check("logspace", num, endpoint)
    ends, root = _ends(start, stop), base if isinstance(base, NUMBERS) else stacked(base)
    if not any(isinstance(x, Traced) for x in (*ends, root)):
        rest: dict[str, Any] = {"endpoint": endpoint, "base": root, "dtype": dtype, "axis": axis}
        return Tensor(np.logspace(*ends, num, **rest))
    powers = linspace(*ends, num, endpoint)
    between = (1,) * (rank(root) + 1 - powers.ndim)  # so that the new axis is the first of the result
    return _finished(pow(root, powers.reshape((num, *between, *powers.shape[1:]))), dtype, axis)


@public(np.geomspace)
def geomspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """`num` values from start to stop, each the one before times the same factor: start^(1 - t) stop^t.

    Arguments are those of `linspace`. Both ends have one sign, which the values have too; NaN of others, and of zero.

    >>> import autograd as ag
    >>> ag.geomspace(-1, -100, 3)
    tensor([  -1.,  -10., -100.])
    """
    _check("geomspace", num, endpoint)
    ends = _ends(start, stop)
    if not any(isinstance(x, Traced) for x in ends):
        rest: dict[str, Any] = {"endpoint": endpoint, "dtype": dtype, "axis": axis}
        return Tensor(np.geomspace(*ends, num, **rest))
    t, floating = _weights(ends, num, endpoint)
    sign = where(less(ends[0], 0), np.asarray(-1, floating), np.asarray(1, floating))
    a, b = (where(x == 0, np.asarray(np.nan, floating), x * sign) for x in ends)
    return _finished(sign * (pow(a, astype(1 - t, floating)) * pow(b, astype(t, floating))), dtype, axis)


def _check(name: str, num: Any, endpoint: Any) -> None:
    if not isinstance(num, (int, np.integer)) or num < 0:
        raise ArgumentError(f"{name} was given num={num!r}. Expected how many numbers, 0 or more.")
    if not isinstance(endpoint, (bool, np.bool_)):
        raise ArgumentError(f"{name} was given endpoint={endpoint!r}. Expected True or False: write dtype=... by name.")


def _ends(start: Any, stop: Any) -> tuple[Any, Any]:
    """Both ends as arrays, Python's numbers in the dtype of the other one."""
    given = [x if isinstance(x, NUMBERS) else stacked(x) for x in (start, stop)]
    dtype = np.result_type(*(x if isinstance(x, NUMBERS) else x.dtype for x in given), 1.0)
    a, b = (np.asarray(x, dtype) if isinstance(x, NUMBERS) else x for x in given)
    return a, b


def _weights(ends: tuple[Any, Any], num: int, endpoint: bool) -> tuple[Any, Any]:
    """The weight of the second end in each value, of a first axis before those of the ends, and the dtype of both."""
    several = max(x.ndim for x in ends)
    t = np.linspace(0.0, 1.0, num, endpoint=endpoint).reshape((num,) + (1,) * several)
    return t, np.result_type(*(x.dtype for x in ends), 1.0)


def _finished(y: Any, dtype: DTypeLike | None, axis: int) -> Tensor:
    if dtype is not None:
        y = astype(floor(y) if np.dtype(dtype).kind in "iu" else y, np.dtype(dtype))
    return as_tensor(moveaxis(y, 0, axis) if axis else y)
