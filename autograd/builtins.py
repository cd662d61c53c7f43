"""`isinstance`, `type` and the containers of programs written for HIPS autograd.

Arguments that are differentiated keep their containers here, so `list`, `tuple` and `dict` are Python's own; a Tensor
passes for the array or the number whose place it takes.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from autograd.tensor import Tensor

dict, list, tuple = builtins.dict, builtins.list, builtins.tuple

__all__ = ["dict", "isinstance", "list", "tuple", "type"]


def isinstance(x: Any, kind: Any) -> bool:
    """Python's `isinstance`, where a Tensor is an ndarray too, and a float as well if it has no axes.

    >>> from autograd import tensor
    >>> isinstance(tensor([1.0]), np.ndarray), isinstance(tensor(1.0), float), isinstance([1.0], list)
    (True, True, True)
    """
    if builtins.isinstance(x, kind):
        return True
    return builtins.isinstance(x, Tensor) and (
        issubclass(np.ndarray, kind) or (x.ndim == 0 and issubclass(x.dtype.type, kind))
    )


def type(x: Any) -> Any:
    """Python's `type`, where that of a Tensor is ndarray.

    >>> from autograd import tensor
    >>> type(tensor([1.0])).__name__
    'ndarray'
    """
    return np.ndarray if builtins.isinstance(x, Tensor) else builtins.type(x)
