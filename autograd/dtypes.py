"""The dtypes of NumPy and what is asked of them, by the names of the Python array API standard."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import (
    bool,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    isdtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from numpy.typing import DTypeLike

from autograd.primitive import Traced

__all__ = [
    "bool",
    "can_cast",
    "complex64",
    "complex128",
    "finfo",
    "float16",
    "float32",
    "float64",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "result_type",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


def _meant(x: Any) -> Any:
    array: Any = x
    return array.dtype if isinstance(x, (Traced, np.ndarray, np.generic)) else x


def finfo(type: Any) -> np.finfo[Any]:
    """The limits of a floating dtype, or of that of an array: `bits`, `eps`, `max`, `min`, `smallest_normal`, `dtype`.

    >>> finfo("float32").bits
    32
    """
    return np.finfo(_meant(type))


def iinfo(type: Any) -> np.iinfo[Any]:
    """The limits of a dtype of whole numbers, or of that of an array: `bits`, `max`, `min`, `dtype`.

    >>> iinfo("int8").max
    127
    """
    return np.iinfo(_meant(type))


def can_cast(from_: Any, to: DTypeLike) -> bool:
    """Whether a dtype, or that of an array, can become another without a loss.

    >>> can_cast("int32", "float32"), can_cast("int32", "float64")
    (False, True)
    """
    return np.can_cast(_meant(from_), to)  # type: ignore[return-value]


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The dtype that an operation on arrays, dtypes and Python numbers has.

    >>> result_type("float32", 1.0, "int8")
    dtype('float32')
    """
    return np.result_type(*[_meant(x) for x in arrays_and_dtypes])
