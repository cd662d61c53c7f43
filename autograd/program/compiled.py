"""A program: the steps of a captured function bound to memory, to be run again without its Python."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

from autograd.program.alike import Parts
from autograd.program.binding import Binding, Numbers
from autograd.program.capture import Capture
from autograd.program.chains import chains, entry, stepped
from autograd.program.convolving import copied
from autograd.program.entry import Entry, size_of
from autograd.program.fold import fold
from autograd.program.launch import build, drafted, empty, expect, kernel_module
from autograd.program.loops import OUTER
from autograd.program.meaning import WINDOWED
from autograd.program.memory import Array, Memory
from autograd.program.numbers import exact, value_of
from autograd.program.part import START, Part, Ready
from autograd.program.schedule import Step, last_read, read_by, steps, waiting
from autograd.program.single import LOADED, single
from autograd.program.symbol import Symbol, Unfusable, graph

PRODUCT = 1 << 18  # multiply-adds from which on threads are worth waking


class Program(Binding):
    """What a captured function computes: `outputs` of `inputs`, of Tensors that it read, of numbers drawn anew.

    draft: it is not to be run, so that no kernel is compiled; what memory it would take can be seen.
    """

    def __init__(
        self,
        capture: Capture,
        inputs: Sequence[Symbol],
        outputs: Sequence[Symbol],
        examples: Sequence[Any],
        twins: Sequence[tuple[Symbol, Symbol]],
        draft: bool = False,
    ) -> None:
        super().__init__()
        self.lock = Lock()
        self.parts = Parts(drafted if draft else build)
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.twins: dict[Symbol, list[Symbol]] = {}
        for a, b in twins:
            self.twins.setdefault(a, []).append(b)
        checked = [s for _, read in capture.checks for s in read]
        self.symbols = graph([*outputs, *checked])
        used = set(self.symbols)
        fold(self.symbols, capture)
        self.drawn = list(capture.drawn)  # also what nothing reads: the generator goes on as it did
        self.memory = Memory(np.empty if draft else empty)
        self.looked: dict[Symbol, int] = {}  # labels that are checked, and for how many classes
        self.asked: set[Symbol] = set()  # what Python computes numbers of
        self.entered: set[Symbol] = set()  # what is among the numbers once its step is done
        self._bring(capture, used, examples)
        self.plain = 0  # groups that have no kernel
        self.passing: set[int] = set()  # bytes of results that operations make before they are copied
        self.idle: set[int] = set()  # of what operations make for themselves, each size kept for the next time
        plan = steps(self.symbols, capture.apart, capture.late | waiting(self.symbols))
        for dtype in dict.fromkeys(step.symbols[0].dtype for step in plan if step.kind == "product" and not draft):
            expect("blas", dtype)
        users = read_by(plan, [*outputs, *checked])
        parts = [
            self._part(step, {s: whom - {k} for s in step.symbols if (whom := users.get(s, set())) - {k}})
            for k, step in enumerate(plan)
        ]
        if not draft:
            single("load")
            single("copy")
        together = {k: run for run in chains(parts) for k in run}
        ends = {s: k if k is None or k not in together else together[k][-1] for s, k in last_read(plan, users).items()}
        self.memory.share(ends)
        for k, step in enumerate(plan):
            run = together.get(k, range(k, k + 1))
            self.group = run[0]
            self.memory.plan_for(run[0])
            if len(run) == 1:
                self._bind(step, parts[k])
            elif k == run[0]:
                self._chain([part for part in parts[k : run[-1] + 1] if part is not None])
        self.group = None
        self.memory.plan_for(None)
        self.memory.arrange()
        self._checks(capture)
        self.actions = self._actions()
        roots = [(s, self.memory.root(s)) for s in self.outputs]
        self.results = [(s, r if r.op is not None and r in self.memory.own else None) for s, r in roots]
        numbers = [*self.asked, *(s for s, r in self.results if r is None and s.op is not None)]
        read = {s for s in self.symbols if s in self.memory and s not in self.filled}
        self.single = [s for s in graph(numbers, read | self.entered) if s in read]
        floats = [type(x) in (int, float) for x in examples]
        self.floats = [(k, s) for k, s in enumerate(self.inputs) if floats[k]]
        self.arrays = [(k, s) for k, s in enumerate(self.inputs) if not floats[k] and s in self.memory.own]
        self.readers = {s: self._reader(s) for s, root in self.results if root is None}

    def _bring(self, capture: Capture, used: set[Symbol], examples: Sequence[Any]) -> None:
        """What the program is given: constants, Tensors, the first inputs."""
        for s, x in capture.constants:
            if s in used:
                self.memory.own[s] = x
                if s.size == 1:
                    self.known[s] = x
        for t, s in capture.tensors.values():
            if s in used:
                self.memory.lend(s, t)
        for s, x in zip(self.inputs, examples, strict=True):
            if s in used and type(x) not in (int, float):
                self.memory.own[s] = _whole(x)
        for s, _ in self.drawn:
            if s in used and not s.weak:
                self.memory.own[s] = self.memory.empty(s.shape, s.dtype)

    # ---- binding

    def _part(self, step: Step, wanted: dict[Symbol, set[int]]) -> Part | None:
        """The kernels of a group of loops; None if there are none. wanted: symbols, and the steps that read them."""
        if step.kind != "group":
            return None
        inside = set(step.symbols)
        given = list({x: None for s in step.symbols for x in s.inputs if isinstance(x, Symbol) and x not in inside})
        twins = [(a, b) for a in (*given, *step.symbols) for b in self.twins.get(a, ())]

        def single(s: Symbol, read: bool) -> bool:
            fixed = s.weak or s.dtype not in LOADED or self._is_known(s)
            return not fixed and (read or wanted.get(s, set()) != {-1})

        try:
            return self.parts.make(given, list(wanted), twins, single)
        except Unfusable:
            self.plain += 1
            return None

    def _bind(self, step: Step, part: Part | None) -> None:
        if part is not None:
            self._labels(part)
            self._kernels([*part.ready, *part.last])
            self._numbers(part)
            return
        bind = {"view": self._view, "product": self._product}.get(step.kind, self._call)
        for s in step.symbols:
            bind(s)

    def _kernels(self, ready: Sequence[Ready]) -> None:
        for one in ready:
            address, words, after, what, made = self._stage(one)
            self._launch("kernel", address, one.chunks, words, one.chunks >= one.parallel, what, **made)
            self._combined(after)

    def _chain(self, parts: Sequence[Part]) -> None:
        """Kernels that run together, block by block of their rows."""
        bound = []
        for part, ready in zip(parts, stepped(parts), strict=True):
            self._labels(part)
            bound.append((ready, *self._stage(ready)))
        address, words = entry([(address, args) for _, address, args, *_ in bound])
        self.kept += [args for _, _, args, *_ in bound]
        made = {name: [s for *_, one in bound for s in one[name]] for name in ("made", "reads", "writes")}
        self._launch(
            "chain", address, bound[0][0].chunks, words, True, "; ".join(what for *_, what, _ in bound), **made
        )
        for _, _, _, after, *_ in bound:
            self._combined(after)
        for part in parts:
            self._kernels(part.last)
            self._numbers(part)

    def _view(self, s: Symbol) -> None:
        x = s.inputs[0]
        if x not in self.memory:  # a number, which is not there before it is asked for
            self._call(s)
            return
        y = self._forward(s, {})
        if np.may_share_memory(y, self.memory[x]):
            self.memory.view(s, y)
            return
        if y.size != x.size:  # an element is no view, nor is nothing
            self._call(s)
            return
        self.memory.make(s)  # only a reshape copies
        shape = x.shape
        self._act("copy", lambda _: np.copyto(self.memory.own[s].reshape(shape), self.memory[x]), "", s)

    def _call(self, s: Symbol) -> None:
        assert s.op is not None
        if not s.shape:  # a single number stays with the numbers
            self.entered.add(s)
            self._act(s.op.name, lambda numbers: numbers.update({s: self._forward(s, numbers)}), "", s)
            return
        self.memory.make(s)
        into = s.op.into
        if into is None:
            self.passing.add(size_of(s))
        elif s.op.name in WINDOWED:
            turned = (x for x in s.inputs if x in self.memory and not self.memory[x].flags.c_contiguous)
            self.passing.update(map(size_of, turned))  # copies that lie in order
        self.idle.add(copied(s.op.name, s.inputs, s.settings))

        def call(numbers: Numbers) -> None:
            if into is not None:
                into(self.memory.own[s], *(self._value(x, numbers) for x in s.inputs), **s.settings)
            else:
                self.memory.own[s][...] = self._forward(s, numbers)

        self._act(s.op.name, call, "", s)

    def _product(self, s: Symbol) -> None:
        a, b = s.inputs
        if not all(isinstance(x, Symbol) and x in self.memory for x in (a, b)):
            self._call(s)
            return
        out, x, y = self.memory.make(s), self.memory[a], self.memory[b]
        job = kernel_module("blas").entry(x, y, out) if x.dtype.kind == "f" else None
        what = f"{x.shape} @ {y.shape}"
        if job is None:
            self._act("matmul", lambda _: np.matmul(self.memory[a], self.memory[b], out=self.memory.own[s]), what, s)
            return
        address, blocks, words = job
        for place, symbol in ((7, a), (9, b), (11, s)):
            self.memory.points(words, place, symbol)
        threads = blocks > 1 and out.size * x.shape[-1] > PRODUCT
        self._launch("matmul", address, blocks, words, threads, what, [s])

    def _labels(self, part: Part) -> None:
        """Look at the labels that a part picks by, before it does."""
        for labels, length in part.labels.items():
            if length < self.looked.get(labels, length + 1):
                self.looked[labels] = length
                self._act("labels", partial(self._look, labels, length), reads=[labels])

    def _numbers(self, part: Part) -> None:
        """What a part gives that no kernel writes."""
        for s in part.outputs:
            if s not in self.memory and s.shape:  # one element, wanted as an array
                self.memory.make(s)
                self.filled.add(s)
                if self._is_known(s):
                    self._fill(s, dict(self.known))
                    continue
                self._number(s)
            elif s not in self.memory and self._of_arrays(s):
                self.asked.add(s)
                self._act("number", partial(value_of, s), writes=[s])  # now: what it is made of may be written over

    def _of_arrays(self, s: Symbol) -> bool:
        """Whether a number is computed of arrays: sums over what single loops have left."""
        found = {s: None}
        for x in (queue := [s]):
            if x in self.entered:
                continue
            if x not in self.memory or x in self.filled:
                fresh = [y for y in x.inputs if isinstance(y, Symbol) and y not in found]
                found |= dict.fromkeys(fresh)
                queue += fresh
            elif x.size > 1:
                return True
        return False

    def _number(self, s: Symbol) -> None:
        """Bring a single element into the array of s: a total by a copy, anything else by Python."""
        total = s
        while total not in self.known and total.op is not None and total.op.name == "reshape":
            total = total.inputs[0]
        if total in self.known and total.dtype == s.dtype:
            words = array("q", (self.known[total].ctypes.data, 0, s.dtype.itemsize))
            self.memory.points(words, 1, s)
            self._launch("number", single("copy").address, 1, words, False, "", reads=[total], writes=[s])
        else:
            self.asked.add(s)
            self._act("number", partial(self._fill, s), writes=[s])

    def _stage(self, ready: Ready) -> tuple[int, array[int], list[partial[None]], str, dict[str, Any]]:
        """One kernel: its address and words, what comes after it, and what it says of itself."""
        stage, memory = ready.stage, self.memory
        arrays = [self._contiguous(s) for s in stage.arrays]
        for s in stage.outputs:
            memory.make(s)
        scalars = self._scalars(stage.scalars)
        words = array("q", (*ready.sizes, scalars.buffer_info()[0]))
        words.extend([0] * (len(arrays) + len(stage.outputs) + len(ready.totals)))
        self.kept.append((scalars, ready.kernel))
        after = self._totals(ready, words)
        for k, s in enumerate((*arrays, *stage.outputs), 5):
            memory.points(words, k, s)
        rows, columns = stage.loops.sizes
        what = f"{rows} x {columns}: {' '.join(s.op.name for s in stage.order if s.op is not None)}"
        made = {"made": [*stage.order, *stage.totals], "reads": arrays, "writes": [*stage.outputs, *stage.totals]}
        return ready.kernel.address, words, after, what, made

    def _combined(self, after: Sequence[partial[None]]) -> None:
        """Combine the parts of totals."""
        for action in after:
            self._act("total", action, writes=[action.args[0]])

    def _scalars(self, symbols: Sequence[Symbol | float]) -> array[float]:
        """The numbers that a kernel reads: written now, by a kernel from memory, or by Python before each run."""
        scalars = array("d", [0.0] * len(symbols))
        loads: list[tuple[int, Symbol]] = []
        rest: list[tuple[int, Any]] = []
        for k, s in enumerate(symbols):
            if self._is_known(s):
                self._write([(k, s)], scalars, dict(self.known))
            elif isinstance(s, Symbol) and s.dtype in LOADED and self._lies(s):
                loads.append((k, s))
            else:
                rest.append((k, s))
        if loads:
            words = array("q", (scalars.buffer_info()[0],))
            for k, s in loads:
                words.extend((k, LOADED[s.dtype], self.known[s].ctypes.data if s in self.known else 0))
            for n, (_, s) in enumerate(loads):
                if s not in self.known:
                    self.memory.points(words, 3 * n + 3, s)
            read = [s for _, s in loads]
            what = " ".join(map(repr, read))
            self._launch("load", single("load").address, len(loads), words, False, what, reads=read)
        if rest:
            self.asked.update(s for _, s in rest)
            self._act("numbers", partial(self._write, rest, scalars), reads=[s for _, s in rest])
        return scalars

    def _lies(self, s: Symbol) -> bool:
        """Whether a single element is in memory when kernels run."""
        return s in self.known or (s in self.memory and s not in self.filled)

    def _totals(self, ready: Ready, words: array[int]) -> list[partial[None]]:
        """Memory for the totals of a kernel; what combines the parts of those that have several."""
        after: list[partial[None]] = []
        first = len(words) - len(ready.totals)
        for k, (t, name, level, shape) in enumerate(ready.totals, first):
            if level and (level & OUTER or ready.chunks == 1):
                self.memory.make(t)
                self.memory.points(words, k, t)
                if level & OUTER:
                    self._act("start", partial(self._start, t, START[name]), writes=[t])
                continue
            parts = np.empty(shape, t.dtype)
            words[k] = parts.ctypes.data
            self.kept.append(parts)
            if level:
                self.memory.make(t)
                after.append(partial(self._combine, t, name, parts))
            elif ready.chunks == 1:
                self.known[t] = parts.reshape(t.shape)  # whatever the kernel will write there
                self.entered.add(t)
            else:
                self.entered.add(t)
                after.append(partial(self._total, t, name, parts))
        return after

    def _contiguous(self, s: Symbol) -> Symbol:
        """s itself, or a symbol whose array is a copy of it in order."""
        if self.memory[s].flags.c_contiguous:
            return s
        copy = Symbol(s.shape, s.dtype, label="copy")
        self.memory.make(copy)
        self._act("copy", lambda _: np.copyto(self.memory.own[copy], self.memory[s]), reads=[s], writes=[copy])
        return copy

    def _is_known(self, s: Any) -> bool:
        """Whether a number is the same in every run."""
        if not isinstance(s, Symbol) or s in self.known:
            return not isinstance(s, Symbol) or s.op is None
        return s.op is not None and s.size == 1 and all(self._is_known(x) for x in s.inputs)

    def _checks(self, capture: Capture) -> None:
        for f, read in capture.checks:
            early = all(s.op is None for s in read)
            place = 0 if early else len(self.entries)
            self.listing.insert(place, Entry("check", getattr(f, "__name__", type(f).__name__), reads=read))
            self.entries.insert(place, partial(self._check, f, read))

    def __str__(self) -> str:
        """The steps, one to a line: what is run, on which operations, for which result."""
        return "\n".join(map(str, self.listing))

    # ---- running

    def run(self, values: Sequence[Any], shown: Sequence[tuple[Symbol, Symbol | None]] | None = None) -> list[Any]:
        """The outputs, each in memory of its own.

        shown: where nothing but the values has changed, those of `results` that are looked at, which alone are given;
        the others are written over.
        """
        memory, numbers, own = self.memory, dict(self.known), self.memory.own
        for k, s in self.arrays:
            if values[k] is not own[s]:
                memory.replace(s, _whole(values[k]))
        for k, s in self.floats:
            numbers[s] = values[k]
        if shown is None:
            memory.refresh()
        for s, draw in self.drawn:
            x = draw()
            if s.weak:
                numbers[s] = x
            elif s in own:
                memory.replace(s, _whole(x))
        given = self.results if shown is None else shown
        for s, root in given:
            if root is not None and not memory.alone(root, s):
                memory.renew(root)
        for s in self.single:
            if s not in numbers:
                numbers[s] = memory[s]
        for action in self.actions:
            action(numbers)
        return [self.readers[s](numbers) if root is None else own[s] for s, root in given]

    def _reader(self, s: Symbol) -> Callable[[Numbers], Any]:
        """What gives a result that is a single number, or something that the program was given."""
        compute = exact(s, self.known) if s.op is not None and s not in self.known else None
        if compute is None:
            return partial(self._result, s)

        def read(numbers: Numbers) -> Any:
            try:
                return np.array(compute(), s.dtype)
            except ArithmeticError:  # NumPy's infinities and warnings
                return self._result(s, numbers)

        return read

    def _result(self, s: Symbol, numbers: Numbers) -> Any:
        found = np.array(self._value(s, numbers), s.dtype)
        return found if found.shape == s.shape else found.reshape(s.shape)


def _whole(x: Any) -> Array:
    """An array as kernels can read it, most often itself."""
    return x if type(x) is np.ndarray and x.flags.c_contiguous else np.asarray(x, order="C")
