"""What a module is made of besides modules: parameters, which training changes, and buffers, which it does not."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

import autograd as ag
from autograd import Tensor


def _own_tensor(data: Tensor | ArrayLike) -> Tensor:
    """A copy of `data`; Python floats, which carry no dtype, become float32."""
    t = ag.tensor(data)
    return t.astype("float32") if t.dtype.kind == "f" and not hasattr(data, "dtype") else t


class Parameter(Tensor):
    """A leaf of the tape that training changes.

    Parameters:
        data: what it starts from, copied. Arrays and Tensors keep their floating dtype, Python floats give float32.
        requires_grad: False for a frozen parameter, which is still listed and saved.

    Raises:
        DTypeError: if `data` is not floating, and a gradient is wanted.

    >>> Parameter([1.0, 2.0])
    tensor([1., 2.], dtype=float32, requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | ArrayLike, requires_grad: bool = True) -> None:
        super().__init__(_own_tensor(data).value)
        self.requires_grad_(requires_grad)


class Buffer(Tensor):
    """State of a model that has no gradient: running statistics, counters, masks.

    Parameters:
        data: what it starts from, copied. Arrays and Tensors keep their dtype, Python floats give float32.
        persistent: whether it is in the `state_dict`; False for what can be computed anew.

    >>> Buffer([0.0, 0.0])
    tensor([0., 0.], dtype=float32)
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Tensor | ArrayLike, persistent: bool = True) -> None:
        super().__init__(_own_tensor(data).value)
        self.persistent = persistent

    def __reduce__(self) -> Any:
        return _restored, (self.numpy(), self.persistent)


def _restored(array: NDArray[Any], persistent: bool) -> Buffer:
    return Buffer(array, persistent)
