"""Gradients verified by finite differences.

The numeric derivative is the central difference (f(x + h) - f(x - h)) / 2h in float64, element by element; the analytic
one is read from the tape. They agree where |analytic - numeric| <= atol + rtol |numeric|.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import DTypeError
from autograd.tape import enable_grad, leaf, no_grad
from autograd.tensor import Operand, Tensor, as_tensor
from autograd.transforms import grad
from autograd.tree import flatten


@dataclass(frozen=True)
class Mismatch:
    """One element of a Jacobian on which the two derivatives differ."""

    input: str
    index: tuple[int, ...]
    output: tuple[int, ...]
    analytic: float
    numeric: float

    def __str__(self) -> str:
        ratio = self.analytic / self.numeric if self.numeric else float("nan")
        return (
            f"{self.input}{list(self.index)} -> output{list(self.output)}: analytic {self.analytic:.10g}, "
            f"numeric {self.numeric:.10g}, ratio {ratio:.6g}"
        )


@dataclass(frozen=True)
class GradcheckResult:
    """The verdict: true if every derivative that was compared agrees.

    Attributes:
        compared: how many derivatives were.
        mismatches: those that differ.
        reason: why nothing could be compared, if so.

    >>> import autograd as ag
    >>> bool(ag.gradcheck(lambda x: ag.stop_gradient(x) * x, 2.0))
    False
    """

    compared: int
    mismatches: tuple[Mismatch, ...]
    reason: str = ""

    def __bool__(self) -> bool:
        return not self.mismatches and not self.reason

    def __repr__(self) -> str:
        if self:
            return f"gradcheck passed: {self.compared} derivatives agree"
        if self.reason:
            return f"gradcheck failed: {self.reason}"
        worst = sorted(self.mismatches, key=lambda m: -abs(m.analytic - m.numeric))[:5]
        lines = "\n  ".join(map(str, worst))
        return f"gradcheck failed: {len(self.mismatches)} of {self.compared} derivatives differ; the worst:\n  {lines}"


def gradcheck(
    f: Callable[..., Any],
    inputs: Operand | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-4,
    max_elements: int | None = None,
    seed: int = 0,
) -> GradcheckResult:
    """Compare the tape's Jacobian of f with central differences.

    Parameters:
        f: a function of the inputs that returns a Tensor, or a nested container of them.
        inputs: one array or several. Floating ones are raised to float64 and checked, others passed on as they are. A
            float64 leaf that requires a gradient is varied where it is, so that f may read it from elsewhere: pass
            `model.parameters()` of a model in float64 to check the model.
        eps: the step h, times max(1, |x|) for each element.
        atol, rtol: the absolute and the relative tolerance.
        max_elements: check only so many elements of each input, chosen at random from `seed`; all for None.

    Returns:
        A result that is true if all agree, and that prints the worst that do not: input, index, analytic and numeric
        value and their ratio.

    Raises:
        DTypeError: if f computes in less than float64, which finite differences cannot judge.

    >>> import autograd as ag
    >>> gradcheck(lambda x: ag.sin(x) * x, ag.tensor([0.5, 2.0]))
    gradcheck passed: 4 derivatives agree
    """
    variables = [_raised(x) for x in _listed(inputs)]
    return _compare(f, variables, eps, atol, rtol, max_elements, seed, create_graph=False)


def gradgradcheck(
    f: Callable[..., Any],
    inputs: Operand | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-4,
    max_elements: int | None = None,
    seed: int = 0,
) -> GradcheckResult:
    """Compare the second derivatives of f with central differences of its first: `gradcheck` of its pull-back.

    The parameters are those of `gradcheck`; the cotangents are random numbers from `seed`.

    >>> import autograd as ag
    >>> bool(gradgradcheck(lambda x: ag.sin(x) * x, ag.tensor([0.5, 2.0])))
    True
    """
    variables = [_raised(x) for x in _listed(inputs)]
    checked = [v for v in variables if isinstance(v, Tensor) and v.requires_grad]
    rng = np.random.default_rng(seed)
    with no_grad():
        outputs = _outputs(f(*variables))
    cotangents = [Tensor(rng.uniform(0.5, 1.5, y.shape), leaf(y.shape, np.dtype(np.float64))) for y in outputs]

    def pull_back(*args: Any) -> tuple[Tensor, ...]:
        ys = _outputs(f(*args[: len(variables)]))
        live = [(y, c) for y, c in zip(ys, args[len(variables) :], strict=True) if y.requires_grad]
        if not live:
            return tuple(Tensor(np.zeros(v.shape)) for v in checked)
        found: tuple[Tensor, ...] = grad(
            [y for y, _ in live], checked, [c for _, c in live], create_graph=True, allow_unused=True
        )
        return found

    return _compare(pull_back, [*variables, *cotangents], eps, atol, rtol, max_elements, seed, create_graph=True)


def _listed(inputs: Any) -> list[Any]:
    return [inputs] if isinstance(inputs, (Tensor, np.ndarray, float)) else list(inputs)


def _raised(x: Any) -> Any:
    """A floating input as a float64 leaf; others as they are."""
    if isinstance(x, Tensor) and x.requires_grad and x.is_leaf and x.dtype == np.float64:
        return x
    t = as_tensor(x)
    return Tensor(np.array(t.value, np.float64), leaf(t.shape, np.dtype(np.float64))) if t.dtype.kind == "f" else x


def _outputs(result: Any) -> list[Tensor]:
    outputs = [as_tensor(y) for y in flatten(result)[0]]
    for y in outputs:
        if y.dtype.kind == "f" and y.dtype != np.float64:
            raise DTypeError(
                f"gradcheck of a function that returned {y.dtype}, in which finite differences drown in rounding.\n"
                "Compute in float64: write model.to('float64'), and give float64 constants."
            )
    return [y for y in outputs if y.dtype.kind == "f"]


@contextmanager
def _moved(x: Tensor, index: tuple[int, ...], by: float) -> Iterator[None]:
    """x with one element moved, and put back afterwards whatever happens."""
    before = x.value
    after = np.array(before)
    after[index] += by
    x.value = after
    try:
        yield
    finally:
        x.value = before


def _compare(
    f: Callable[..., Any],
    variables: Sequence[Any],
    eps: float,
    atol: float,
    rtol: float,
    max_elements: int | None,
    seed: int,
    create_graph: bool,
) -> GradcheckResult:
    checked = [(k, v) for k, v in enumerate(variables) if isinstance(v, Tensor) and v.requires_grad]
    if not checked:
        return GradcheckResult(0, (), "no input is a floating array, so nothing was checked")
    with enable_grad():
        outputs = _outputs(f(*variables))
    rng = np.random.default_rng(seed)
    chosen = {k: _chosen(v, max_elements, rng) for k, v in checked}
    analytic = _jacobian(outputs, [v for _, v in checked])

    def values() -> NDArray[np.float64]:
        with enable_grad() if create_graph else no_grad():
            return np.concatenate([np.ravel(y.value) for y in _outputs(f(*variables))] or [np.zeros(0)])

    places = [(o, index) for o, y in enumerate(outputs) for index in np.ndindex(y.shape)]
    compared, mismatches = 0, []
    for (k, x), rows in zip(checked, analytic, strict=True):
        for index in chosen[k]:
            h = eps * max(1.0, abs(float(x.value[index])))
            with _moved(x, index, h):
                above = values()
            with _moved(x, index, -h):
                below = values()
            numeric = (above - below) / (2 * h)
            exact = np.array([row[index] for row in rows], np.float64)
            wrong = ~(np.abs(exact - numeric) <= atol + rtol * np.abs(numeric))
            compared += len(numeric)
            for j in np.flatnonzero(wrong):
                where = (places[j][0], *places[j][1]) if len(outputs) > 1 else places[j][1]
                mismatches.append(Mismatch(f"input {k}", index, where, float(exact[j]), float(numeric[j])))
    return GradcheckResult(compared, tuple(mismatches))


def _chosen(x: Tensor, count: int | None, rng: np.random.Generator) -> list[tuple[int, ...]]:
    every = list(np.ndindex(x.shape))
    if count is None or count >= len(every):
        return every
    return [every[i] for i in rng.choice(len(every), count, replace=False)]


def _jacobian(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[list[NDArray[Any]]]:
    """For each input, the gradient of each output element by it."""
    rows: list[list[NDArray[Any]]] = [[] for _ in inputs]
    for y in outputs:
        for index in np.ndindex(y.shape):
            if y.requires_grad:
                unit = np.zeros(y.shape)
                unit[index] = 1
                found = grad(y, inputs, unit, retain_graph=True, allow_unused=True)
            else:
                found = [Tensor(np.zeros(x.shape)) for x in inputs]
            for row, g in zip(rows, found, strict=True):
                row.append(g.numpy())
    return rows
