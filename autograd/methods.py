"""Operators and methods that are looked up by name in the table that `autograd.ops` fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.primitive import Eager, Primitive, Traced, functions

if TYPE_CHECKING:
    from autograd.tensor import Tensor

_QUICK = (Eager, float, int, np.ndarray, np.generic)


def operator(name: str, swapped: bool = False) -> Callable[[Tensor, Any], Tensor]:
    """A binary operator; `swapped` for the reflected form."""

    short: Primitive | None = None  # found at the first call: the tables are filled after the class is made

    def apply(self: Tensor, other: Any) -> Any:
        nonlocal short
        if short is not None and isinstance(other, _QUICK):
            return self.pair(short, other, self) if swapped else self.pair(short, self, other)
        if not isinstance(other, (*_QUICK, list, Traced)):
            return NotImplemented
        op = functions[name]
        if isinstance(op, Primitive) and op.differentiable:
            short = op
        return op(other, self) if swapped else op(self, other)

    apply.__name__ = name
    return apply


def inplace(name: str) -> Callable[[Tensor, Any], Tensor]:
    """An augmented assignment: the result of the operation takes the place of the Tensor's value."""

    def apply(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (*_QUICK, list, Traced)):
            return NotImplemented
        return self._become(functions[name](self, other))

    apply.__name__ = name
    return apply


def method(name: str) -> Callable[..., Tensor]:
    """A method with the arguments of the function of that name."""

    def apply(self: Tensor, *args: Any, **settings: Any) -> Any:
        return functions[name](self, *args, **settings)

    apply.__name__ = name
    apply.__doc__ = f"See `autograd.{name}`."
    return apply
