"""The adjoint of broadcasting, known here and nowhere else."""

from __future__ import annotations

from typing import Any

from autograd.ops.reduce import sum_
from autograd.ops.shape import reshape_


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the axes along which an operand of `shape` was repeated.

    >>> import numpy as np
    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    extra = g.ndim - len(shape)
    if extra >= 0:
        axes = tuple(range(extra)) + tuple(k + extra for k, n in enumerate(shape) if n == 1 and g.shape[k + extra] != 1)
        g = sum_(g, axis=axes, keepdims=False) if axes else g
    return g if g.shape == shape else reshape_(g, shape=shape)
