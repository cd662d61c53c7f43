"""What `scipy.optimize` minimises: functions of flat vectors, made of a function of nested containers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.derivative import hessian, hvp
from autograd.errors import DTypeError, ShapeError
from autograd.tape import no_grad
from autograd.tensor import Tensor, as_tensor
from autograd.transforms import value_and_grad
from autograd.tree import flatten_present

Vector = NDArray[np.float64]


class ScipyObjective:
    """A single-element function of parameters as functions of one float64 vector. Made by `scipy_objective`.

    Attributes:
        x0: the parameters as a vector: where a minimiser may start.

    >>> import autograd as ag
    >>> objective = ScipyObjective(lambda p: p["a"] ** 2 * p["b"], {"a": 3.0, "b": 2.0})
    >>> value, gradient = objective(objective.x0)
    >>> value, gradient.tolist(), objective.hess(objective.x0).tolist()
    (18.0, [12.0, 9.0], [[4.0, 6.0], [6.0, 0.0]])
    """

    def __init__(self, f: Callable[..., Any], parameters: Any) -> None:
        self.f = f
        leaves, self._build = flatten_present(parameters)
        arrays = [as_tensor(x).value for x in leaves]
        for k, a in enumerate(arrays):
            if a.dtype.kind != "f":
                raise DTypeError(f"parameter {k} has dtype {a.dtype}. Expected floating numbers: write 2.0 for 2.")
        self._kinds = [(a.shape, a.dtype) for a in arrays]
        self.x0 = _flat(arrays)
        self._both, self._matrix = value_and_grad(f), hessian(f)  # kept, since they become programs

    def unpack(self, x: Vector) -> Any:
        """The parameters that a vector stands for, in their structure, shapes and dtypes."""
        x = np.asarray(x)
        if x.shape != self.x0.shape:
            raise ShapeError(
                f"unpack was given shape {x.shape}. Expected {self.x0.shape}: one vector of all parameters."
            )
        parts, at = [], 0
        for shape, dtype in self._kinds:
            size = int(np.prod(shape, dtype=int))
            parts.append(Tensor(x[at : at + size].reshape(shape).astype(dtype)))
            at += size
        return self._build(parts)

    def __call__(self, x: Vector, *args: Any) -> tuple[float, Vector]:
        """The value and the gradient: `fun` for `jac=True`."""
        value, gradient = self._both(self.unpack(x), *args)
        return float(value), _vector(gradient)

    def value(self, x: Vector, *args: Any) -> float:
        """The value alone."""
        with no_grad():
            return float(self.f(self.unpack(x), *args))

    def gradient(self, x: Vector, *args: Any) -> Vector:
        """The gradient alone: `jac`."""
        return self(x, *args)[1]

    def hessp(self, x: Vector, p: Vector, *args: Any) -> Vector:
        """The Hessian times p, which is never made: `hessp`."""
        _, (product,) = hvp(lambda parameters: self.f(parameters, *args), [self.unpack(x)], [self.unpack(p)])
        return _vector(product)

    def hess(self, x: Vector, *args: Any) -> NDArray[np.float64]:
        """The Hessian: `hess`."""
        rows = flatten_present(self._matrix(self.unpack(x), *args))[0]
        count, n = len(self._kinds), self.x0.size
        matrix = np.empty((n, n))
        ends = np.cumsum([0] + [int(np.prod(shape, dtype=int)) for shape, _ in self._kinds])
        for k, block in enumerate(rows):
            i, j = divmod(k, count)
            rows_of, columns_of = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
            matrix[rows_of, columns_of] = block.value.reshape(ends[i + 1] - ends[i], -1)
        return matrix


def _flat(arrays: list[Any]) -> Vector:
    return np.concatenate([np.ravel(a) for a in arrays] or [np.zeros(0)]).astype(np.float64)


def _vector(tree: Any) -> Vector:
    return _flat([t.value for t in flatten_present(tree)[0]])


def scipy_objective(f: Callable[..., Any], parameters: Any) -> ScipyObjective:
    """Value, gradient and Hessian products of f for `scipy.optimize`, which knows float64 vectors only.

    Parameters:
        f: a function of the parameters, and of what else `args=` gives, with a single element as its result.
        parameters: an array or a nested container of arrays, whose structure, shapes and dtypes f gets.

    Raises:
        DTypeError: if a parameter is not floating.

    >>> import autograd as ag
    >>> from scipy.optimize import minimize
    >>> f = lambda p: ag.sum((p["w"] - 3) ** 2) + (p["b"] + 1) ** 2
    >>> objective = ag.scipy_objective(f, {"w": ag.zeros(2), "b": 0.0})
    >>> found = minimize(objective, objective.x0, jac=True, hessp=objective.hessp, method="trust-ncg")
    >>> objective.unpack(found.x)
    {'w': tensor([3., 3.]), 'b': tensor(-1.)}
    """
    return ScipyObjective(f, parameters)
