"""A plan: a traced composition, its derivative, and the kernels that run them on arrays of these shapes and dtypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import IndexOutOfRange
from autograd.program.buffers import empty
from autograd.program.loops import OUTER, Loops
from autograd.program.stages import Stage, along_row, is_total, stages
from autograd.program.symbol import Symbol, Unfusable, derive, graph

BLOCK = 8192  # elements that one chunk of a kernel handles: a few microseconds of work, and its scratch stays in cache
CHUNKS = 64  # at most so many partial totals of whole columns
START = {"sum": 0, "max": -np.inf, "min": np.inf}
COMBINE: dict[str, Callable[..., Any]] = {"sum": np.add.reduce, "max": np.maximum.reduce, "min": np.minimum.reduce}


def value_of(s: Any, env: dict[Symbol, Any]) -> Any:
    """A value of a single element, computed by the operations themselves if no kernel has."""
    if not isinstance(s, Symbol):
        return s
    if s not in env:
        assert s.op is not None
        env[s] = s.op.forward(*(value_of(x, env) for x in s.inputs), **s.settings)
    return env[s]


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
        self.loops = Loops(self.symbols, arrays, given, twins)
        self.stages = stages(self.symbols, given, outputs, self.loops)
        self.kernels = [build(stage) for stage in self.stages]
        self.labels = [s.inputs[1] for s in self.symbols if s.op is not None and s.op.name in ("pick", "place")]

    def __call__(self, values: Sequence[Any], launch: Callable[..., None]) -> list[Any]:
        """The outputs, for values of what is given."""
        env: dict[Symbol, Any] = dict(zip(self.given, values, strict=True))
        for labels in self.labels:
            _check_labels(value_of(labels, env), self.symbols)
        for stage, kernel in zip(self.stages, self.kernels, strict=True):
            self._run(stage, kernel, env, launch)
        return [np.reshape(value_of(s, env), s.shape) for s in self.outputs]

    def _run(self, stage: Stage, kernel: Any, env: dict[Symbol, Any], launch: Callable[..., None]) -> None:
        loops, level = self.loops, self.loops.level
        rows, columns = loops.sizes
        length, width = (rows, columns) if loops.has_rows else (columns, 1)
        step = max(1, BLOCK // width)
        if any(level[t] for t in stage.totals):
            step = max(step, -(-length // CHUNKS))
        if any(level[t] & OUTER for t in stage.totals):
            step = -(-step // loops.inner) * loops.inner
        chunks = -(-length // step)
        scalars = np.array([number_of(s, env) for s in stage.scalars], np.float64)
        made = [empty(s.shape, s.dtype) for s in stage.outputs]
        partial = [_partial(t, level[t], chunks, loops) for t in stage.totals]
        arrays = [np.ascontiguousarray(env[s]) for s in stage.arrays]  # as they are, nearly always
        launch(kernel, chunks, [rows, columns, step, loops.inner], [scalars, *arrays, *made, *partial])
        env.update(zip(stage.outputs, made, strict=True))
        for t, parts in zip(stage.totals, partial, strict=True):
            whole = parts if level[t] & OUTER else COMBINE[t.op.name](parts, 0)  # type: ignore[union-attr]
            env[t] = whole.reshape(t.shape)  # partial totals are combined in the order of chunks, whoever ran them


def _partial(t: Symbol, level: int, chunks: int, loops: Loops) -> NDArray[Any]:
    """Memory for a total: its start where chunks share it, else one for each chunk, which will start it."""
    if level & OUTER:
        return np.full(loops.size(level), START[t.op.name], t.dtype)  # type: ignore[union-attr]
    return np.empty((chunks, loops.size(level)) if level else chunks, t.dtype)


def _check_labels(labels: NDArray[Any], symbols: Sequence[Symbol]) -> None:
    for s in symbols:
        if s.op is not None and s.op.name in ("pick", "place"):
            length = s.inputs[0].shape[s.settings["axis"]] if s.op.name == "pick" else s.settings["length"]
            if labels.size and (labels.min() < 0 or labels.max() >= length):
                raise IndexOutOfRange(
                    f"labels from {labels.min()} to {labels.max()} were given for {length} classes.\n"
                    f"Expected 0 to {length - 1}; in a fused function a label does not count from the end."
                )


class Plan:
    """The forward half of a composition and, once it is asked for, the backward half.

    Sums that the backward half needs again are kept from the forward half; all else is recomputed from the inputs.
    """

    def __init__(self, f: Callable[..., Any], examples: Sequence[Any], settings: dict[str, Any], build: Any) -> None:
        self.inputs = [_input(x, k) for k, x in enumerate(examples)]
        result = f(*self.inputs, **settings)
        self.single = not isinstance(result, tuple)
        self.outputs = [result] if self.single else list(result)
        for y in self.outputs:
            if not isinstance(y, Symbol) or y.op is None:
                raise Unfusable("it returns something that it did not compute")
        if any(0 in s.shape for s in graph(self.outputs)):
            raise Unfusable("an array is empty")
        self.build = build
        self.wanted = [s for s in self.inputs if s.dtype.kind == "f" and not s.weak]
        self.saved: list[Symbol] = []
        self.gradients: dict[Symbol, Symbol] = {}
        self.seeds: list[Symbol] = []
        self.twins: list[tuple[Symbol, Symbol]] = []
        if self.wanted and all(y.dtype.kind == "f" for y in self.outputs):
            self._derive()
        self.forward = Part(self.inputs, [*self.outputs, *self.saved], build)
        self._backward: dict[tuple[bool, ...], Part] = {}

    def _derive(self) -> None:
        self.seeds = [Symbol(y.shape, y.dtype, label=f"g{k}") for k, y in enumerate(self.outputs)]
        cotangents, self.twins = derive(self.outputs, self.seeds, self.wanted)
        derived = zip(self.wanted, cotangents, strict=True)
        self.gradients = {x: g for x, g in derived if g is not None}
        live = list(self.gradients.values())
        forward = set(graph(self.outputs))
        loops = Loops(graph([*self.outputs, *live]), [*self.inputs, *self.seeds, *self.outputs], twins=self.twins)
        backward = [s for s in graph(live) if s in forward]
        returned = set(self.outputs)
        self.saved = [s for s in backward if s not in returned and (is_total(s, loops) or along_row(s, loops))]

    def backward(self, asked: tuple[bool, ...]) -> Part:
        """The kernels for the cotangents of the inputs that are asked for, made at the first time of asking."""
        part = self._backward.get(asked)
        if part is None:
            given = [*self.inputs, *self.saved, *self.seeds]
            outputs = [self.gradients[s] for s, wanted in zip(self.inputs, asked, strict=True) if wanted]
            part = self._backward[asked] = Part(given, outputs, self.build, self.twins)
        return part

    def differentiable(self) -> tuple[bool, ...]:
        """Which inputs have a cotangent."""
        return tuple(s in self.gradients for s in self.inputs)


def _input(x: Any, k: int) -> Symbol:
    if type(x) in (int, float):
        return Symbol((), np.dtype(np.float64), weak=True, label=f"x{k}")
    return Symbol(x.shape, x.dtype, label=f"x{k}")
