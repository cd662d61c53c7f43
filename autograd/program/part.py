"""A part of a plan: symbols computed from symbols, by one kernel for each stage."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import IndexOutOfRange
from autograd.program.launch import empty, launch, parallel
from autograd.program.loops import OUTER, Loops, parted
from autograd.program.numbers import numbers, value_of
from autograd.program.stages import Stage, stages
from autograd.program.symbol import REDUCTIONS, Symbol, Unfusable, graph

BLOCK = 8192  # elements that one chunk of a kernel handles: a few microseconds of work, and its scratch stays in cache
CHUNKS = 64  # at most so many partial totals of whole columns
_SUMMED = frozenset({*REDUCTIONS, "pick", "place"})
START = {"sum": 0, "max": -np.inf, "min": np.inf}
COMBINE: dict[str, Callable[..., Any]] = {"sum": np.add.reduce, "max": np.maximum.reduce, "min": np.minimum.reduce}


class Part:
    """Symbols computed from symbols, with the kernels that do it: the forward or the backward half of a plan.

    Attributes:
        ready: the stages with their kernels. last: those at the end that compute single elements.
        labels: symbols that elements are picked by, and of how many at least.
        known: values of symbols, the same in every call.
    """

    def __init__(
        self,
        given: Sequence[Symbol],
        outputs: Sequence[Symbol],
        build: Callable[[Stage], Any],
        twins: Sequence[tuple[Symbol, Symbol]] = (),
        single: Callable[[Symbol, bool], bool] | None = None,
        known: Mapping[Symbol, Any] | None = None,
    ) -> None:
        self.known = dict(known or {})
        self.given = list(given)
        self.ends = [*given, *self.known]
        self.outputs = list(outputs)
        self.symbols = graph(outputs, self.ends)
        used = set(self.symbols)
        arrays = [*(s for s in self.ends if s in used), *outputs]
        self.ready = [Ready(stage, build(stage), known=self.known) for stage in self._staged(arrays, twins, single)]
        self.last: list[Ready] = []
        while self.ready and self.ready[-1].stage.single:
            self.last.insert(0, self.ready.pop())
        self.labels = _labels(self.symbols)

    def of(self, given: Sequence[Symbol], outputs: Sequence[Symbol], symbols: Sequence[Symbol]) -> Part:
        """The same of other symbols, each in the place of one of its own."""
        other, places = copy(self), dict(zip(self.symbols, symbols, strict=True))
        other.given = other.ends = list(given)
        other.outputs, other.symbols = list(outputs), list(symbols)
        loops: dict[int, Loops] = {}
        other.ready = [one.of(places, loops) for one in self.ready]
        other.last = [one.of(places, loops) for one in self.last]
        other.labels = _labels(symbols)
        return other

    def _staged(self, arrays: Sequence[Symbol], twins: Sequence[tuple[Symbol, Symbol]], single: Any) -> list[Stage]:
        """One chunk of sums has a batch of one as a loop; more of it is shared out along its only long axis."""
        alone = any(s.shape[:1] == (1,) for s in arrays) and all(s.size <= BLOCK for s in self.symbols)
        summed = any(s.op is not None and s.op.name in _SUMMED for s in self.symbols) or arrays[-1].size == 1
        for units in (True, False) if alone and summed else (False,):
            try:
                loops = parted(self.symbols, arrays, self.ends, twins, units)
                return stages(self.symbols, self.ends, self.outputs, loops, single)
            except Unfusable:
                if not units:
                    raise
        raise AssertionError

    @property
    def stages(self) -> list[Stage]:
        """What each of `ready` computes."""
        return [one.stage for one in self.ready]

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """The outputs, for values of what is given."""
        env: dict[Symbol, Any] = self.known | dict(zip(self.given, values, strict=True))
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

    def __init__(self, stage: Stage, kernel: Any, step: int = 0, known: Mapping[Symbol, Any] | None = None) -> None:
        loops = stage.loops
        rows, columns = loops.sizes
        if not rows * columns:
            raise Unfusable("it computes with arrays that have no elements")
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
        self.known = known or {}
        self.numbers: Callable[[dict[Symbol, Any]], list[Any]] | None = None  # made when first asked for

    def of(self, places: Mapping[Symbol, Symbol], loops: dict[int, Loops]) -> Ready:
        """The same of other symbols; `loops` holds what has been made of those of others."""
        other = copy(self)
        other.stage, other.numbers = self.stage.of(places, loops), None
        other.totals = [(places[t], *rest) for t, *rest in self.totals]  # type: ignore[misc]
        return other

    def _shape(self, loops: Loops, level: int) -> tuple[int, ...]:
        """The memory of a total: itself where chunks share it, else a part for each chunk."""
        size = (loops.size(level),) if level else ()
        return size if level & OUTER else (self.chunks, *size)

    def __call__(self, env: dict[Symbol, Any]) -> None:
        """Compute what the stage computes, and enter it."""
        stage = self.stage
        if self.numbers is None:
            self.numbers = numbers(stage.scalars, self.known)
        scalars = array("d", self.numbers(env))
        made = [empty(shape, dtype) for shape, dtype in self.made]
        parts = [
            np.full(shape, START[name], t.dtype) if level & OUTER else np.empty(shape, t.dtype)
            for t, name, level, shape in self.totals
        ]
        arrays = [np.ascontiguousarray(env[s]) for s in stage.arrays]  # as they are, nearly always
        launch(self.kernel, self.chunks, self.sizes, scalars, [*arrays, *made, *parts], self.parallel)
        env.update(zip(stage.outputs, made, strict=True))
        for (t, name, level, _), part in zip(self.totals, parts, strict=True):
            if not level & OUTER:
                part = part[0] if self.chunks == 1 else COMBINE[name](part, 0)  # in the order of chunks
            env[t] = part.reshape(t.shape)


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
