"""The vector space that a value lives in, by the names of HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from autograd import random
from autograd.errors import UnsupportedError
from autograd.ops.complex import real, turned
from autograd.ops.reduce import sum
from autograd.tracer import getval
from autograd.tree import flatten


class VSpace:
    """Arrays of the shapes and dtypes of a value's, in its containers. Made by `vspace`.

    Attributes:
        size: how many real numbers an element has.
        iscomplex: whether some of them are pairs in a complex one.
        shape, dtype, ndim: of the array, where the value is one.
    """

    def __init__(self, value: Any) -> None:
        leaves, self._build = flatten(value)
        self._kinds = [(a.shape, a.dtype if a.dtype.kind in "fc" else np.dtype(float)) for a in map(_array, leaves)]
        self.iscomplex = any(dtype.kind == "c" for _, dtype in self._kinds)
        self.size = int(np.sum([np.prod(s, dtype=int) * (1 + (t.kind == "c")) for s, t in self._kinds], dtype=int))
        if len(self._kinds) == 1:
            (self.shape, self.dtype), self.ndim = self._kinds[0], len(self._kinds[0][0])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VSpace) and self._kinds == other._kinds

    __hash__ = None  # type: ignore[assignment]  # compared by what it holds, as there

    def __repr__(self) -> str:
        return f"VSpace({', '.join(f'{shape} {dtype}' for shape, dtype in self._kinds)})"

    def zeros(self) -> Any:
        """The element 0."""
        return self._build([np.zeros(shape, dtype) for shape, dtype in self._kinds])

    def ones(self) -> Any:
        """The element of ones."""
        return self._build([np.ones(shape, dtype) for shape, dtype in self._kinds])

    def randn(self) -> Any:
        """An element of normal numbers, from the generator of `ag.random`."""
        return self._build([self._normal(*kind) for kind in self._kinds])

    def _normal(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        parts = [np.asarray(random.normal(size=shape)) for _ in range(1 + (dtype.kind == "c"))]
        return (parts[0] + 1j * parts[1] if len(parts) > 1 else parts[0]).astype(dtype)

    def standard_basis(self) -> Iterator[Any]:
        """The elements that are 1 in one place, and for complex numbers 1j, and 0 elsewhere."""
        for k, (shape, dtype) in enumerate(self._kinds):
            for place in np.ndindex(shape):
                for unit in (1, 1j) if dtype.kind == "c" else (1,):
                    parts = [np.zeros(*kind) for kind in self._kinds]
                    parts[k][place] = unit
                    yield self._build(parts)

    def add(self, x: Any, y: Any) -> Any:
        """x + y, container by container."""
        return self._each(lambda a, b: a + b, x, y)

    def mut_add(self, x: Any, y: Any) -> Any:
        """x + y, or y for an x of None."""
        return y if x is None else self.add(x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """x times a number."""
        return self._each(lambda part: part * a, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The sum of the products of all parts, of complex ones of the real and of the imaginary parts."""
        first, *rest = (sum(real(a * turned(b))) for a, b in zip(flatten(x)[0], flatten(y)[0], strict=True))
        for part in rest:
            first = first + part
        return first

    def covector(self, x: Any) -> Any:
        """The cotangent of x: its conjugate."""
        return self._each(turned, x)

    def _each(self, f: Callable[..., Any], *xs: Any) -> Any:
        return self._build([f(*parts) for parts in zip(*(flatten(x)[0] for x in xs), strict=True)])

    @classmethod
    def register(cls, kind: type, maker: Any = None) -> NoReturn:
        """Refused: containers of arrays are known, and nothing else is a point to differentiate at."""
        raise UnsupportedError(
            f"VSpace.register was given {kind.__name__}. Write it as a dataclass, NamedTuple, dict, list or tuple of "
            "arrays: gradients are of the same structure, with nothing to register."
        )


def _array(x: Any) -> Any:
    return np.asarray(getval(x))


def vspace(value: Any) -> VSpace:
    """The space of arrays like a value's.

    >>> space = vspace((np.ones(2), 3.0))
    >>> space.size, space.zeros()
    (3, (array([0., 0.]), array(0.)))
    """
    return VSpace(value)
