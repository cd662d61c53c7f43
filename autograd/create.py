"""New Tensors of a given content. Python floats give float64, as in NumPy; say `dtype` for another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autograd.elsewhere import CREATION, hinted
from autograd.errors import DTypeError
from autograd.primitive import Traced, functions, public
from autograd.protocols import array_of
from autograd.tensor import Operand, Tensor, as_tensor

Shape = int | Sequence[int]


@hinted(CREATION)
def tensor(data: Operand, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A new Tensor that holds a copy of `data`.

    Parameters:
        data: numbers, nested lists, an ndarray or a Tensor.
        dtype: NumPy's choice for `data` if None: Python floats give float64.
        requires_grad: record what is computed from it.

    Raises:
        DTypeError: if `data` is not numeric, or a gradient is wanted of integers.

    >>> tensor([[1, 2], [3, 4]], dtype="float32").shape
    (2, 2)
    """
    if isinstance(data, Tensor) and isinstance(data.value, Traced):  # under ag.vmap
        return Tensor(functions["astype"](data.detach(), dtype or data.dtype).value).requires_grad_(requires_grad)
    source = data.numpy() if isinstance(data, Tensor) else np.asarray(data) if hasattr(data, "__array__") else data
    return Tensor(as_tensor(array_of(source, dtype, copy=True)).value).requires_grad_(requires_grad)


def asarray(x: Operand, dtype: DTypeLike | None = None, copy: bool | None = None) -> Tensor:
    """`x` as a Tensor, sharing memory where that is possible: then do not write into `x` while the tape needs it.

    >>> asarray([1.0, 2.0]).dtype
    dtype('float64')
    """
    return tensor(x, dtype) if copy else as_tensor(x, dtype)


def _new(make: Callable[..., NDArray[Any]], shape: Shape, *content: Any) -> NDArray[Any]:
    """A new array, whose lengths are whole numbers.

    Raises:
        DTypeError: if they are not.
    """
    try:
        return make(shape, *content)
    except TypeError:
        lengths = shape if isinstance(shape, (tuple, list)) else (shape,)
        if all(isinstance(n, SupportsIndex) for n in lengths):
            raise
        raise DTypeError(
            f"an array was asked for of shape {shape}. Expected whole numbers: write n // 2 for n / 2, or int(n)."
        ) from None


@hinted(CREATION)
def zeros(shape: Shape, dtype: DTypeLike = np.float64, requires_grad: bool = False) -> Tensor:
    """Zeros.

    >>> zeros(2)
    tensor([0., 0.])
    """
    return Tensor(_new(np.zeros, shape, dtype)).requires_grad_(requires_grad)


@hinted(CREATION)
def ones(shape: Shape, dtype: DTypeLike = np.float64, requires_grad: bool = False) -> Tensor:
    """Ones.

    >>> ones(2)
    tensor([1., 1.])
    """
    return Tensor(_new(np.ones, shape, dtype)).requires_grad_(requires_grad)


@hinted(CREATION)
def full(shape: Shape, fill_value: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """One value everywhere.

    >>> full(2, 7)
    tensor([7, 7])
    """
    return Tensor(_new(np.full, shape, fill_value, dtype)).requires_grad_(requires_grad)


@hinted(CREATION)
def empty(shape: Shape, dtype: DTypeLike = np.float64) -> Tensor:
    """Whatever the memory holds.

    >>> empty((2, 0)).shape
    (2, 0)
    """
    return Tensor(_new(np.empty, shape, dtype))


@public(np.zeros_like)
@hinted(CREATION)
def zeros_like(x: Operand, dtype: DTypeLike | None = None) -> Tensor:
    """Zeros in the shape and dtype of x.

    >>> zeros_like([1, 2])
    tensor([0, 0])
    """
    t = as_tensor(x)
    return zeros(t.shape, dtype or t.dtype)


@public(np.ones_like)
@hinted(CREATION)
def ones_like(x: Operand, dtype: DTypeLike | None = None) -> Tensor:
    """Ones in the shape and dtype of x.

    >>> ones_like([1.0, 2.0])
    tensor([1., 1.])
    """
    t = as_tensor(x)
    return ones(t.shape, dtype or t.dtype)


@public(np.full_like)
@hinted(CREATION)
def full_like(x: Operand, fill_value: Any, dtype: DTypeLike | None = None) -> Tensor:
    """One value everywhere, in the shape and dtype of x.

    >>> full_like([1.0, 2.0], 3)
    tensor([3., 3.])
    """
    t = as_tensor(x)
    return full(t.shape, fill_value, dtype or t.dtype)


@public(np.empty_like)
@hinted(CREATION)
def empty_like(x: Operand, dtype: DTypeLike | None = None) -> Tensor:
    """Whatever the memory holds, in the shape and dtype of x.

    >>> empty_like([1.0, 2.0]).shape
    (2,)
    """
    t = as_tensor(x)
    return empty(t.shape, dtype or t.dtype)


@hinted(CREATION)
def arange(start: float, stop: float | None = None, step: float = 1, dtype: DTypeLike | None = None) -> Tensor:
    """start, start + step, ... below stop; from 0 if only one bound is given.

    >>> arange(3)
    tensor([0, 1, 2])
    """
    first, last = (0, start) if stop is None else (start, stop)
    return Tensor(np.arange(first, last, step, dtype=np.dtype(dtype) if dtype else None))


@hinted(CREATION)
def eye(n: int, m: int | None = None, k: int = 0, dtype: DTypeLike = np.float64) -> Tensor:
    """Ones on diagonal k, zeros elsewhere.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return Tensor(np.eye(n, m, k, dtype))


def from_dlpack(x: Any) -> Tensor:
    """A Tensor on the memory of another library's array, without a copy: do not write into it while the tape needs it.

    >>> import numpy as np
    >>> from_dlpack(np.ones(2))
    tensor([1., 1.])
    """
    return as_tensor(np.from_dlpack(x))
