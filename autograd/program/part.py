"""A part of a plan: symbols computed from symbols, by one kernel for each stage."""

from __future__ import annotations

import math
import operator
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import IndexOutOfRange
from autograd.primitive import Primitive
from autograd.program.launch import empty, launch, parallel
from autograd.program.loops import OUTER, Loops, parted
from autograd.program.stages import Stage, stages
from autograd.program.symbol import Symbol, graph

BLOCK = 8192  # elements that one chunk of a kernel handles: a few microseconds of work, and its scratch stays in cache
CHUNKS = 64  # at most so many partial totals of whole columns
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
START = {"sum": 0, "max": -np.inf, "min": np.inf}
COMBINE: dict[str, Callable[..., Any]] = {"sum": np.add.reduce, "max": np.maximum.reduce, "min": np.minimum.reduce}


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


class Part:
    """Symbols computed from symbols, with the kernels that do it: the forward or the backward half of a plan."""

    def __init__(
        self,
        given: Sequence[Symbol],
        outputs: Sequence[Symbol],
        build: Callable[[Stage], Any],
        twins: Sequence[tuple[Symbol, Symbol]] = (),
    ) -> None:
        self.given = list(given)
        self.outputs = list(outputs)
        self.symbols = graph(outputs, given)
        used = set(self.symbols)
        arrays = [*(s for s in given if s in used), *outputs]
        self.stages = stages(self.symbols, given, outputs, parted(self.symbols, arrays, given, twins))
        self.kernels = [build(stage) for stage in self.stages]
        self.ready = [Ready(stage, kernel) for stage, kernel in zip(self.stages, self.kernels, strict=True)]
        self.labels = _labels(self.symbols)

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """The outputs, for values of what is given."""
        env: dict[Symbol, Any] = dict(zip(self.given, values, strict=True))
        for labels, length in self.labels.items():
            check_labels(value_of(labels, env), length)
        for ready in self.ready:
            ready(env)
        return [y if y.shape == s.shape else np.reshape(y, s.shape) for s, y in self._results(env)]

    def _results(self, env: dict[Symbol, Any]) -> list[tuple[Symbol, Any]]:
        return [(s, value_of(s, env)) for s in self.outputs]


class Ready:
    """A stage with its kernel, and all that is known before there are values.

    step: rows, or elements where there are no rows, of a chunk; by default as many as make up for a launch.
    """

    def __init__(self, stage: Stage, kernel: Any, step: int = 0) -> None:
        loops = stage.loops
        rows, columns = loops.sizes
        length, width = (rows, columns) if loops.has_rows else (columns, 1)
        levels = [loops.level[t] for t in stage.totals]
        if not step:
            step = max(1, BLOCK // width)
            if any(levels):
                step = max(step, -(-length // CHUNKS))
        if any(level & OUTER for level in levels):
            step = -(-step // loops.inner) * loops.inner
        self.stage, self.kernel = stage, kernel
        self.chunks = -(-length // step)
        self.sizes = (rows, columns, step, loops.inner)
        self.parallel = parallel(stage)
        self.made = [(s.shape, s.dtype) for s in stage.outputs]
        self.totals = [
            (t, t.op.name if t.op else "", level, self._shape(loops, level))
            for t, level in zip(stage.totals, levels, strict=True)
        ]
        constant = all(not isinstance(s, Symbol) for s in stage.scalars)
        self.scalars = array("d", [float(s) for s in stage.scalars]) if constant else None

    def _shape(self, loops: Loops, level: int) -> tuple[int, ...]:
        """The memory of a total: itself where chunks share it, else a part for each chunk."""
        size = (loops.size(level),) if level else ()
        return size if level & OUTER else (self.chunks, *size)

    def __call__(self, env: dict[Symbol, Any]) -> None:
        """Compute what the stage computes, and enter it."""
        stage = self.stage
        scalars = self.scalars or array("d", [number_of(s, env) for s in stage.scalars])
        made = [empty(shape, dtype) for shape, dtype in self.made]
        parts = [
            np.full(shape, START[name], t.dtype) if level & OUTER else np.empty(shape, t.dtype)
            for t, name, level, shape in self.totals
        ]
        arrays = [np.ascontiguousarray(env[s]) for s in stage.arrays]  # as they are, nearly always
        launch(self.kernel, self.chunks, self.sizes, scalars, [*arrays, *made, *parts], self.parallel)
        env.update(zip(stage.outputs, made, strict=True))
        for (t, name, level, _), part in zip(self.totals, parts, strict=True):
            whole = part if level & OUTER else COMBINE[name](part, 0)  # in the order of chunks, whoever ran them
            env[t] = whole.reshape(t.shape)


def _labels(symbols: Sequence[Symbol]) -> dict[Any, int]:
    """The labels that pick elements or places of axes, with the length of the shortest of these."""
    found: dict[Any, int] = {}
    for s in symbols:
        if s.op is not None and s.op.name in ("pick", "place"):
            length = s.inputs[0].shape[s.settings["axis"]] if s.op.name == "pick" else s.settings["length"]
            found[s.inputs[1]] = min(length, found.get(s.inputs[1], length))
    return found


def check_labels(labels: NDArray[Any], length: int) -> None:
    """Refuse labels that are no place of an axis that they pick from: kernels would read beyond the array."""
    if labels.size and (labels.min() < 0 or labels.max() >= length):
        raise IndexOutOfRange(
            f"labels from {labels.min()} to {labels.max()} were given for {length} classes.\n"
            f"Expected 0 to {length - 1}; in a fused function a label does not count from the end."
        )
