"""Single numbers: computed in Python's own arithmetic where that gives what NumPy's would, in a tenth of the time."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.primitive import Primitive
from autograd.program.symbol import Symbol, graph

PYTHON: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
    "pow": operator.pow,
    "sqrt": math.sqrt,
}
_WRITTEN = {  # PYTHON's operations
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "negative": "-{}",
    "pow": "{} ** {}",
    "sqrt": "sqrt({})",
}
EXACT = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv}
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_SMALL, _LARGE = 1e-37, 1e38  # between them float32 has all its bits


def value_of(s: Any, env: dict[Symbol, Any]) -> Any:
    """A value of a single element, computed by the operations themselves if no kernel has."""
    if not isinstance(s, Symbol):
        return s
    if s not in env:
        assert s.op is not None
        env[s] = _applied(s.op, [value_of(x, env) for x in s.inputs], s.settings)
    return env[s]


def _applied(op: Primitive, values: list[Any], settings: dict[str, Any]) -> Any:
    """An operation on single elements; on Python numbers Python's own, which takes a tenth of the time."""
    quick = PYTHON.get(op.name)
    if quick is not None and all(type(x) in (int, float) for x in values):
        try:
            y = quick(*values)
        except (ArithmeticError, ValueError):  # NumPy gives an infinity or NaN
            y = None
        if type(y) in (int, float):  # a root of a negative number is complex in Python
            return y
    return op.forward(*values, **settings)


def formula(wanted: Sequence[Any], given: Sequence[Symbol]) -> Callable[..., list[Any]] | None:
    """A function of numbers that computes others as `number_of` does, as one piece of Python; None if that may differ.

    Called with numbers that Python's arithmetic has no answer to, it raises ArithmeticError or ValueError, or gives a
    complex number.

    >>> n = Symbol((), np.dtype(np.float64), weak=True)
    >>> formula([1 - n * n, n], [n])(3.0)
    [-8.0, 3.0]
    """
    names = {s: f"n{k}" for k, s in enumerate(given)}
    lines = [f"def compute({', '.join(names.values())}):"]
    for s in graph([s for s in wanted if isinstance(s, Symbol)], given):
        if s in names:
            continue
        form = _WRITTEN.get(s.op.name) if s.op is not None else None
        operands = [names[x] if isinstance(x, Symbol) else _literal(x) for x in s.inputs]
        if form is None or s.settings or None in operands:
            return None
        names[s] = f"v{len(names)}"
        lines.append(f"    {names[s]} = {form.format(*operands)}")
    results = [names[s] if isinstance(s, Symbol) else _literal(s) for s in wanted]
    if None in results:
        return None
    scope: dict[str, Any] = {"sqrt": math.sqrt}
    exec("\n".join([*lines, f"    return [{', '.join(map(str, results))}]"]), scope)
    return scope["compute"]  # type: ignore[no-any-return]


def _literal(x: Any) -> str | None:
    return f"({x!r})" if type(x) in (int, float) and math.isfinite(x) else None


def numbers(wanted: Sequence[Any], known: Mapping[Symbol, Any]) -> Callable[[dict[Symbol, Any]], list[Any]]:
    """What computes Python numbers, some of values that are `known` beforehand, from the values of the rest.

    >>> n, seed = (Symbol((), np.dtype(np.float64), weak=True) for _ in range(2))
    >>> numbers([seed / 4, n * n], {seed: 1.0})({n: 3.0})
    [0.25, 9.0]
    """
    settled = [number_of(s, dict(known)) if _follows(s, known) else s for s in wanted]
    left = [s for s in settled if isinstance(s, Symbol)]
    given = [s for s in graph(left) if s.op is None]
    quick = formula(settled, given) if all(s.weak for s in given) else None

    def compute(env: dict[Symbol, Any]) -> list[Any]:
        if quick is not None:
            try:
                found = quick(*[env[s] for s in given])
            except (ArithmeticError, ValueError):  # NumPy gives an infinity or NaN
                found = []
            if found and complex not in map(type, found):
                return found
        return [number_of(s, env) for s in settled]

    return compute


def _follows(s: Any, known: Mapping[Symbol, Any]) -> bool:
    """Whether a number follows from what is known beforehand."""
    return not isinstance(s, Symbol) or all(x in known or x.op is not None for x in graph([s], known))


def exact(s: Any, known: Mapping[Symbol, Any]) -> Callable[[], float] | None:
    """What computes a single element of arrays of one, and of numbers, in Python's arithmetic; None if that may differ.

    Python's is that of float64, in which a sum, a difference, a product or a ratio of two float32 numbers, rounded to
    float32 once more, is the one of float32 (S. Figueroa, "When is double rounding innocuous?", 1995). The last
    rounding is left to who asks. Raises ArithmeticError, when called, where that does not hold for the numbers there.
    """
    x = known.get(s, s) if isinstance(s, Symbol) else s
    if isinstance(x, np.ndarray):
        return x.item if x.size == 1 and x.dtype in _FLOATS else None
    if not isinstance(x, Symbol):
        return partial(float, x) if isinstance(x, (int, float)) else None
    if x.op is None or x.shape or x.dtype not in _FLOATS:
        return None
    if x.op.name == "stop_gradient":
        return exact(x.inputs[0], known)
    quick = EXACT.get(x.op.name)
    if quick is None or any(isinstance(y, Symbol) and y.dtype != x.dtype and not y.weak for y in x.inputs):
        return None
    parts = [_rounded(exact(y, known), y, x.dtype, known) for y in x.inputs]
    if None in parts:
        return None
    a, b = parts

    def compute() -> float:
        y: float = quick(a(), b())  # type: ignore[misc]  # none is None
        if y == 0 or _SMALL < abs(y) < _LARGE:
            return y
        raise ArithmeticError("a number beyond those that float32 has all bits of")

    return compute


def _rounded(
    compute: Callable[[], float] | None, x: Any, dtype: np.dtype[Any], known: Mapping[Symbol, Any]
) -> Callable[[], float] | None:
    """The same, as an operand of this dtype."""
    x = known.get(x, x) if isinstance(x, Symbol) else x
    if compute is None or dtype == np.float64 or isinstance(x, np.ndarray):
        return compute
    if not isinstance(x, Symbol):
        return partial(float, np.float32(x))
    return lambda: float(np.float32(compute()))


def number_of(s: Any, env: dict[Symbol, Any]) -> Any:
    """The same as a Python number."""
    x = value_of(s, env)
    return x if isinstance(x, (int, float)) else x.item()
