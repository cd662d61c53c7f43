"""A program: the steps of a captured function bound to memory, to be run again without its Python."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.program.capture import Capture
from autograd.program.launch import PARALLEL, build, kernel_module
from autograd.program.loops import OUTER
from autograd.program.part import COMBINE, START, Part, check_labels, number_of, value_of
from autograd.program.schedule import Step, steps
from autograd.program.stages import Stage
from autograd.program.symbol import Symbol, Unfusable, graph

HELD = 2  # references to an output that nobody but the program holds: the table's and the argument's
Array = NDArray[Any]


class Program:
    """What a captured function computes: `outputs` of `inputs`, of Tensors that it read, of numbers drawn anew."""

    def __init__(
        self, capture: Capture, inputs: Sequence[Symbol], outputs: Sequence[Symbol], examples: Sequence[Any], twins: Any
    ) -> None:
        self.lock = Lock()
        self.inputs, self.outputs, self.twins = list(inputs), list(outputs), twins
        checked = [s for _, read in capture.checks for s in read]
        self.symbols = graph([*outputs, *checked])
        used = set(self.symbols)
        self.tensors = [(t, s) for t, s in capture.tensors.values() if s in used]
        self.numbers = [(s, draw) for s, draw in capture.numbers if s in used]
        self.slots: dict[Symbol, Any] = {}
        self.patches: dict[Symbol, list[tuple[array[int], int]]] = {}
        self.views: dict[Symbol, list[Symbol]] = {}
        self.again: dict[Symbol, list[Callable[[], None]]] = {}
        self.entries: list[Any] = []
        self.listing: list[tuple[str, str]] = []
        self.kept: list[Any] = []
        self.filled: set[Symbol] = set()  # arrays of one element that are written from numbers, not read as such
        for s, x in [*capture.constants, *((s, t.value) for t, s in self.tensors), *zip(inputs, examples, strict=True)]:
            if s in used:
                self.slots[s] = x if isinstance(x, (int, float)) else _whole(x)
        self.users: dict[Symbol, set[int]] = {}
        plan = steps(self.symbols)
        for k, step in enumerate(plan):
            for s in step.symbols:
                for x in s.inputs:
                    if isinstance(x, Symbol):
                        self.users.setdefault(x, set()).add(k)
        wanted = {*outputs, *checked}
        for k, step in enumerate(plan):
            self._bind(k, step, wanted)
        for f, read in capture.checks:
            look = partial(self._check, f, read)
            place = 0 if all(s.op is None for s in read) else len(self.entries)
            self.listing.insert(place, ("check", getattr(f, "__name__", "")))
            self.entries.insert(place, look)
        self.roots = [(s, self._root(s)) for s in outputs]
        self.actions = self._tables()
        self.single = [s for s in self.slots if s.size == 1 and s not in self.filled]

    # ---- binding

    def _bind(self, k: int, step: Step, wanted: set[Symbol]) -> None:
        if step.kind == "group":
            outside = [s for s in step.symbols if s in wanted or self.users.get(s, set()) - {k}]
            inside = set(step.symbols)
            given = list({x: None for s in step.symbols for x in s.inputs if isinstance(x, Symbol) and x not in inside})
            try:
                self._group(Part(given, outside, build, self.twins))
                return
            except Unfusable:
                for s in step.symbols:
                    self._call(s)
                return
        (s,) = step.symbols
        if step.kind == "view":
            self._view(s)
        elif step.kind == "product":
            self._product(s)
        else:
            self._call(s)

    def _buffer(self, s: Symbol) -> Array:
        y = self.slots[s] = np.empty(s.shape, s.dtype)
        return y

    def _array(self, s: Any) -> Any:
        return self.slots[s] if isinstance(s, Symbol) else s

    def _view(self, s: Symbol) -> None:
        op, (x, *rest) = s.op, s.inputs
        assert op is not None
        y = op.forward(self.slots[x], *rest, **s.settings)
        if np.may_share_memory(y, self.slots[x]):
            self.slots[s] = y
            self.views.setdefault(x, []).append(s)
            return
        self._buffer(s)  # only a reshape copies

        def copy(env: dict[Symbol, Any]) -> None:
            source = self.slots[x]
            np.copyto(self.slots[s].reshape(source.shape), source)

        self._act("copy", copy)

    def _call(self, s: Symbol) -> None:
        op = s.op
        assert op is not None
        if not s.shape:  # a single number stays with the numbers
            self._act(op.name, lambda env: env.update({s: self._forward(s, env)}))
            return
        self._buffer(s)

        def call(env: dict[Symbol, Any]) -> None:
            self.slots[s][...] = self._forward(s, env)

        self._act(op.name, call)

    def _check(self, f: Callable[..., None], read: list[Symbol], env: dict[Symbol, Any]) -> None:
        f(*(np.asarray(self._value(s, env)) for s in read))

    def _value(self, x: Any, env: dict[Symbol, Any]) -> Any:
        """A value as it stands in memory, or computed of such."""
        if not isinstance(x, Symbol) or x in env:
            return env.get(x, x)
        if x in self.slots and x not in self.filled:
            return self.slots[x]
        return self._forward(x, env)

    def _forward(self, s: Symbol, env: dict[Symbol, Any]) -> Any:
        assert s.op is not None
        return s.op.forward(*(self._value(x, env) for x in s.inputs), **s.settings)

    def _product(self, s: Symbol) -> None:
        a, b = s.inputs
        out = self._buffer(s)
        if not (isinstance(a, Symbol) and isinstance(b, Symbol) and a in self.slots and b in self.slots):
            return self._call(s)
        blas = kernel_module("blas")
        x, y = self.slots[a], self.slots[b]
        job = blas.entry(x, y, out) if x.ndim == y.ndim == 2 and x.dtype == y.dtype and x.dtype.kind == "f" else None
        if job is None:
            return self._act("matmul", lambda env: np.matmul(self.slots[a], self.slots[b], out=self.slots[s]))
        address, blocks, words = job
        for place, symbol in ((7, a), (9, b), (11, s)):
            self.patches.setdefault(symbol, []).append((words, place))
        return self._launch("matmul", address, blocks, words, blocks > 1, f"{x.shape} @ {y.shape}")

    def _group(self, part: Part) -> None:
        for labels in part.labels:
            self._act("labels", lambda env, labels=labels: check_labels(self._value(labels, env), part.symbols))  # type: ignore[misc]
        for ready in part.ready:
            stage = ready.stage
            arrays = [self._contiguous(s) for s in stage.arrays]
            made = list(stage.outputs)
            for s in made:
                self._buffer(s)
            parts = [
                np.full(shape, START[name], t.dtype) if level & OUTER else np.empty(shape, t.dtype)
                for t, name, level, shape in ready.totals
            ]
            scalars = array("d", [0.0] * len(stage.scalars))
            if ready.scalars is not None:
                scalars[:] = ready.scalars
            else:
                self._act("numbers", partial(self._numbers, list(stage.scalars), scalars))
            for p, (_, name, level, _) in zip(parts, ready.totals, strict=True):
                if level & OUTER:
                    self._act("start", lambda env, p=p, name=name: p.fill(START[name]))  # type: ignore[misc]
            words = array("q", (*ready.sizes, scalars.buffer_info()[0]))
            for s in [*arrays, *made]:
                self.patches.setdefault(s, []).append((words, len(words)))
                words.append(self.slots[s].ctypes.data)
            words.extend(p.ctypes.data for p in parts)
            self.kept.append((scalars, parts, ready.kernel))
            what = " ".join(s.op.name for s in stage.order if s.op is not None)
            threads = ready.chunks >= PARALLEL
            self._launch("kernel", ready.kernel.address, ready.chunks, words, threads, f"{loops_of(stage)}: {what}")
            for p, (t, name, level, _) in zip(parts, ready.totals, strict=True):
                self._total(t, name, level, p)
        for s in part.outputs:
            if s not in self.slots and s.shape and all(n == 1 for n in s.shape):  # one element, wanted as an array
                self._buffer(s)
                self.filled.add(s)
                self._act("number", lambda env, s=s: self.slots[s].fill(number_of(s, env)))  # type: ignore[misc]

    def _total(self, t: Symbol, name: str, level: int, p: Array) -> None:
        if not level:
            self._act("total", lambda env: env.update({t: COMBINE[name](p, 0).reshape(t.shape)}))
            return
        if level & OUTER:
            self.slots[t] = p.reshape(t.shape)
            return
        self._buffer(t)
        self._act("total", lambda env: COMBINE[name](p, 0, None, self.slots[t].reshape(-1)))

    def _numbers(self, symbols: list[Any], scalars: array[float], env: dict[Symbol, Any]) -> None:
        for k, s in enumerate(symbols):
            scalars[k] = number_of(s, env)

    def _contiguous(self, s: Symbol) -> Symbol:
        """s itself, or a symbol whose array is a copy of it in order."""
        if self.slots[s].flags.c_contiguous:
            return s
        copy = Symbol(s.shape, s.dtype, label="copy")
        self._buffer(copy)
        self._act("copy", lambda env: np.copyto(self.slots[copy], self.slots[s]))
        return copy

    def _act(self, kind: str, action: Callable[[dict[Symbol, Any]], Any], what: str = "") -> None:
        self.listing.append((kind, what))
        self.entries.append(action)

    def _launch(self, kind: str, address: int, count: int, words: array[int], threads: bool, what: str) -> None:
        self.listing.append((kind, what))
        self.kept.append(words)
        self.entries.append((address, count, words.buffer_info()[0], threads))

    def _tables(self) -> list[Callable[[dict[Symbol, Any]], Any]]:
        """What to do in a run: kernels and products that follow one another are one native call."""
        actions: list[Callable[[dict[Symbol, Any]], Any]] = []
        for native, some in groupby(self.entries, lambda entry: isinstance(entry, tuple)):
            if native:
                table = kernel_module("pool").Table(*zip(*some, strict=True))
                actions.append(lambda env, table=table: table.run())  # type: ignore[misc]
            else:
                actions.extend(some)
        return actions

    def _root(self, s: Symbol) -> Symbol:
        """The symbol whose memory s is a view of."""
        while s.op is not None and any(s is v for v in self.views.get(s.inputs[0], ())):
            s = s.inputs[0]
        return s

    def __str__(self) -> str:
        """The steps, one to a line: what is run, on which operations, for which result."""
        return "\n".join(f"{kind:8} {what}" for kind, what in self.listing)

    # ---- running

    def _set(self, s: Symbol, x: Array) -> None:
        """Let s be another array of the same layout."""
        before = self.slots[s]
        if x is before:
            return
        self.slots[s] = x
        for words, place in self.patches.get(s, ()):
            words[place] = x.ctypes.data
        for v in self.views.get(s, ()):
            assert v.op is not None
            self._set(v, v.op.forward(x, *v.inputs[1:], **v.settings))

    def run(self, values: Sequence[Any]) -> list[Any]:
        """The outputs, each in memory of its own."""
        env: dict[Symbol, Any] = {}
        for s, x in zip(self.inputs, values, strict=True):
            if s in self.slots:
                if isinstance(x, (int, float)):
                    env[s] = x
                else:
                    self._set(s, _whole(x))
        for t, s in self.tensors:
            if t.value is not self.slots[s]:
                self._set(s, _whole(t.value))
        for s, draw in self.numbers:
            env[s] = draw()
        for s in self.single:
            env.setdefault(s, self.slots[s])
        for s, root in self.roots:
            if root.op is not None and root in self.slots:
                own = HELD + self._own(root)
                if sys.getrefcount(self.slots[root]) > own or (s is not root and sys.getrefcount(self.slots[s]) > HELD):
                    self._set(root, np.empty(root.shape, root.dtype))
        for action in self.actions:
            action(env)
        return [self._result(s, env) for s in self.outputs]

    def _own(self, s: Symbol) -> int:
        """References to an array by the program's own views of it."""
        return sum(1 + self._own(v) for v in self.views.get(s, ()))

    def _result(self, s: Symbol, env: dict[Symbol, Any]) -> Any:
        if s in self.slots:
            y = self.slots[s]
            return y if self._root(s).op is not None else np.array(y)
        return np.asarray(value_of(s, env), s.dtype).reshape(s.shape)


def loops_of(stage: Stage) -> str:
    """How many rows and columns a kernel goes over."""
    rows, columns = stage.loops.sizes
    return f"{rows} x {columns}"


def _whole(x: Any) -> Array:
    """An array as kernels can read it, most often itself."""
    return np.ascontiguousarray(x) if np.ndim(x) else np.asarray(x)
