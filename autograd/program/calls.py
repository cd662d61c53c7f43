"""What a scalar function may call: functions of Python, math, NumPy and autograd, each as it acts on symbols."""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from inspect import unwrap
from types import FunctionType, MappingProxyType
from typing import Any

import numpy as np

from autograd.errors import UnsupportedError
from autograd.ops import elementwise as ops
from autograd.ops.compare import not_equal, stop_gradient
from autograd.primitive import Primitive, from_numpy, functions, primitives
from autograd.program.branches import known
from autograd.program.source import Source
from autograd.program.steps import LIMIT, is_scalar
from autograd.tensor import Tensor

# in math and in autograd
SAME = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "erf",
    "erfc", "exp", "exp2", "expm1", "floor", "hypot", "isfinite", "isinf", "isnan", "log10", "log1p", "log2", "pow",
    "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
)  # fmt: skip
OF_NUMBERS = (divmod, *filter(callable, vars(math).values()))  # of what is known before any data, whatever they do
STATIC = (range, len, enumerate, zip, reversed, tuple, list)  # of what is known before any data
FOREIGN = ("autograd", "numpy", "scipy")  # functions of arrays, whose source is no scalar function
PLAIN = "Write arithmetic, functions of math, or a plain Python function of numbers."


def _log(x: Any, base: Any = None) -> Any:
    """The natural logarithm, or that to a base."""
    if base is None:
        return ops.log(x)
    below = math.log(base) if isinstance(base, (int, float)) else ops.log(base)
    return (math.log(x) if isinstance(x, (int, float)) else ops.log(x)) / below


def _largest(*xs: Any) -> Any:
    return reduce(ops.maximum, xs[0] if len(xs) == 1 else xs)


def _smallest(*xs: Any) -> Any:
    return reduce(ops.minimum, xs[0] if len(xs) == 1 else xs)


def _total(xs: Any, start: Any = 0) -> Any:
    return reduce(ops.add, xs, start)


TABLE: dict[Any, Callable[..., Any]] = {getattr(math, name): functions[name] for name in SAME}
TABLE |= {f: f for f in (ops.pow, ops.where, ops.clip, ops.round, stop_gradient)}
TABLE |= {
    functions["sign"]: primitives["sign"],
    math.gamma: functions["gamma"],
    math.lgamma: functions["gammaln"],
    math.log: _log,
    math.fabs: ops.abs,
    math.degrees: lambda x: x * (180 / math.pi),
    math.radians: lambda x: x * (math.pi / 180),
    builtins.abs: ops.abs,
    builtins.max: _largest,
    builtins.min: _smallest,
    builtins.sum: _total,
    builtins.pow: ops.pow,
    builtins.round: lambda x: ops.rint(x),
    builtins.int: ops.trunc,
    builtins.float: lambda x: x + 0 if x.boolean else x,
    builtins.bool: lambda x: x if x.boolean else not_equal(x, 0),
}


def counterpart(f: Callable[..., Any]) -> Callable[..., Any] | None:
    """What does on symbols what f does on numbers, if there is such a thing."""
    try:
        known = TABLE.get(f) or TABLE.get(from_numpy.get(f))
        op = from_numpy.get(f, f)
    except TypeError:  # f cannot be hashed
        return None
    return known or (op if isinstance(op, Primitive) and is_scalar(op) else None)


@dataclass
class Scope:
    """Where an expression stands: its function, the local variables, and how another function is called."""

    source: Source
    env: dict[str, Any]
    call: Callable[[FunctionType, list[Any], dict[str, Any], ast.AST, Source], Any]


def own(value: Any, node: ast.AST, source: Source) -> Any:
    """A value from outside the function as Python's own: a number of NumPy's becomes one of Python's."""
    if isinstance(value, (np.bool_, np.number)):
        value = value.item()
    if isinstance(value, (tuple, list)):
        return tuple(own(x, node, source) for x in value)
    if isinstance(value, (np.ndarray, Tensor)):
        source.refuse(node, "an array is read from outside the function", "Make it one of the positional arguments.")
    if isinstance(value, (complex, bytes)) or value is ...:
        source.refuse(node, f"a value is {type(value).__name__}", "Expected real numbers.")
    return value


def computed(
    f: Callable[..., Any], args: Any, node: ast.AST, source: Source, keywords: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """A function of what is known, now."""
    try:
        return own(f(*args, **keywords), node, source)
    except (ArithmeticError, TypeError, ValueError) as error:
        if isinstance(error, UnsupportedError):
            raise
        source.refuse(node, f"{type(error).__name__}: {error}", "All operands are constants: look at their values.")


def called(f: Any, args: list[Any], keywords: dict[str, Any], node: ast.AST, scope: Scope) -> Any:
    """A call: computed now, noted as steps, or translated in its turn."""
    source = scope.source
    if any(f is g for g in STATIC):
        return _static(f, args, node, source)
    on_symbols = counterpart(f)
    if (on_symbols is not None or any(f is g for g in OF_NUMBERS)) and all(map(known, [*args, *keywords.values()])):
        return computed(f, args, node, source, keywords)
    if on_symbols is not None:
        try:
            return on_symbols(*args, **keywords)
        except (TypeError, AttributeError) as error:
            if isinstance(error, UnsupportedError):
                raise
            source.refuse(node, str(error), PLAIN)
    plain = unwrap(f) if callable(f) and not isinstance(f, FunctionType) else f
    if isinstance(plain, FunctionType) and plain.__module__.partition(".")[0] not in FOREIGN:
        return scope.call(plain, args, keywords, node, source)
    name = getattr(f, "__qualname__", getattr(f, "__name__", type(f).__name__))
    source.refuse(node, f"{name} has no form on symbols", PLAIN)


def _static(f: Any, args: Sequence[Any], node: ast.AST, source: Source) -> Any:
    """Python's own functions of counts and tuples."""
    if f is range and not all(map(known, args)):
        source.refuse(
            node, "how often a loop runs depends on data", "Write range(n) with a constant n, and an `if` inside."
        )
    try:
        made = f(*args)
        if f is not len and len(made := tuple(made) if f is not range else made) > LIMIT:
            source.refuse(
                node, f"a loop runs {len(made)} times", f"Expected at most {LIMIT}: each turn is written out."
            )
    except TypeError as error:
        if isinstance(error, UnsupportedError):
            raise
        source.refuse(node, str(error), "Write range(n) with a constant whole number n.")
    return made if f is len else tuple(made)
