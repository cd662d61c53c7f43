"""Numeric derivatives without a difference: an analytic f, moved a little along the imaginary axis.

Im f(x + ih) / h errs by O(h^2) and subtracts nothing, so that h may be far below what x resolves (Squire and Trapp
1998). It knows nothing of kinks, and is wrong for what is not analytic: of that, the tape tells by the records of its
operations, and differences whatever the tape does not see.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.exceptions import ComplexWarning
from numpy.typing import NDArray

from autograd.config import config
from autograd.gradcheck.numeric import ROUNDING, Estimate, scale_around, scale_of
from autograd.gradcheck.problem import Problem
from autograd.primitive import primitives
from autograd.tape import enable_grad, entries, leaf, no_grad
from autograd.tensor import Tensor

Array = NDArray[Any]
STEPS = (2.0**-66, 2.0**-44)  # relative to what is moved; two, since only the derivative is the same for both
COMPLEX = np.dtype(np.complex128)


class Imaginary:
    """Derivatives of a problem by imaginary steps; none of a function that is not analytic, or takes no complex arrays.

    Whether it is, is found out when first asked.
    """

    def __init__(self, problem: Problem, count: int, eps: float) -> None:
        self.problem, self.count, self.eps = problem, count, eps
        self._usable: bool | None = False if problem.record else None  # a sweep inside of f conjugates

    def of_element(self, k: int, index: tuple[int, ...]) -> Estimate | None:
        """The derivatives of all outputs by one element of a variable."""
        x = self.problem.variables[k].value
        unit = np.zeros(x.shape)
        unit[index] = 1
        return self.along({k: unit}, float(scale_of(abs(float(x[index])), scale_around(x))))

    def along(self, moves: dict[int, Array], scale: float = 1.0, row: Array | None = None) -> Estimate | None:
        """The derivatives of all outputs along `moves` of variables of that scale, or of their sum with weights."""
        if self._usable is None:
            self._usable = self._analytic()
        if not self._usable:
            return None
        found = [self._slopes(moves, relative * scale) for relative in STEPS]
        if found[0] is None or found[1] is None:
            self._usable = False
            return None
        value = found[0]
        with np.errstate(all="ignore"):
            error = np.abs(value - found[1]) + ROUNDING * self.eps * np.abs(value)
            if row is not None:
                value, error = np.array([row @ value]), np.array([np.abs(row) @ error])
        error = np.where(np.isfinite(error), error, np.inf)
        smooth = np.zeros(len(value), bool)
        return Estimate(value, error, smooth, value, value, error, ~smooth)

    def _slopes(self, moves: dict[int, Array], h: float) -> Array | None:
        problem = self.problem
        with np.errstate(all="ignore"):
            moved = {k: problem.variables[k].value + 1j * h * move for k, move in moves.items()}
        try:
            with _held(problem, moved), no_grad():
                parts = [np.imag(np.ravel(y.value)) / h for y in problem.results() if y.dtype.kind in "fc"]
        except Exception:  # whatever f says of complex numbers: it has run without them
            return None
        row = np.concatenate([*parts, np.zeros(0)])
        return row if len(row) == self.count else None

    def _analytic(self) -> bool:
        """Whether f runs on complex numbers and its tape holds no operation that has no derivative by them."""
        problem = self.problem
        try:
            with no_grad():
                if any(y.dtype.kind == "c" for y in problem.results()):  # whose parts are what is checked
                    return False
            whole = {k: problem.variables[k].value.astype(COMPLEX) for k in problem.checked}
            with _held(problem, whole), enable_grad(), config.using(kernels=False):
                tape = entries([y.node for y in problem.results() if y.node is not None])
        except Exception:  # as above
            return False
        of_complex = [n for n in tape if any(p is not None and p.dtype.kind == "c" for p in n.parents or ())]
        known = (
            n.op.analytic and primitives.get(n.op.name) is n.op for n in of_complex
        )  # of a user's own, nobody knows
        return all(known) and all(n.dtype.kind == "c" for n in of_complex)


@contextmanager
def _held(problem: Problem, values: dict[int, Array]) -> Iterator[None]:
    """Some variables with complex values, on the tape as such; put back afterwards whatever happens."""
    before: list[tuple[Tensor, Any, Any]] = [(x, x.value, x.node) for x in map(problem.variables.__getitem__, values)]
    try:
        for k, value in values.items():
            x = problem.variables[k]
            x.value, x.node = value, leaf(value.shape, COMPLEX)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", ComplexWarning)  # an imaginary part that NumPy drops
            yield
    finally:
        for x, value, node in before:
            x.value, x.node = value, node
