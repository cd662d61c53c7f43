"""A loop of many turns as one table of kernels and products, run without Python.

What a turn reads and writes lies in slots, arrays with a row for each turn, for each state between turns, or one row in
all. A turn's kernels are given the addresses of its own rows, so that results stand side by side when the loop ends.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.program import byrow
from autograd.program.joins import JOIN
from autograd.program.launch import build, empty, kernel_module
from autograd.program.loops import OUTER, Loops
from autograd.program.schedule import VIEWS, steps
from autograd.program.stages import Stage, stages
from autograd.program.symbol import Symbol, Unfusable, graph

Array = NDArray[Any]
Twins = Sequence[tuple[Symbol, Symbol]]
NEAR = 1 << 18  # bytes of a matrix that stays in the cache while others are read
ELEMENT = 16  # multiply-adds that take as long as an element of a kernel
BLOCK = 2048  # elements of a kernel from which on a second thread is worth a barrier
FIXED, HERE, BEFORE, AFTER, IN, OUT = range(6)  # the rows of a slot that a turn sees: the only one, its own, those
# of the state before and after it, and of two rows in turn that which it reads and that which it writes


@dataclass(frozen=True)
class Place:
    """Where a symbol stands: in which slot, in which row of it, and how within the row, as a view of a model of it."""

    slot: int
    rows: int
    like: Array


def rows_of(turns: NDArray[np.intp], reverse: bool) -> NDArray[np.intp]:
    """For each turn, in the order of running, and each of the six ways the row that it sees; `reverse` of the scan.

    >>> rows_of(np.array([1, 0]), reverse=False)
    array([[0, 1, 1, 2, 0, 1],
           [0, 0, 0, 1, 1, 0]])
    """
    k = np.arange(len(turns))
    before, after = (turns + 1, turns) if reverse else (turns, turns + 1)
    return np.stack([0 * k, turns, before, after, k % 2, (k + 1) % 2], axis=1)


class Loop:
    """The kernels and products of one turn, bound to slots.

    Attributes:
        models: for each slot an array like one row of it.
        places: of symbols that are given (those without an operation), or to be written to a certain place.
    """

    def __init__(self) -> None:
        self.models: list[Array] = []
        self.places: dict[Symbol, Place] = {}
        self._temporary: dict[int, int] = {}  # slots that nobody sees afterwards, and the rows that they have
        self._before: list[tuple[int, Place, int]] = []  # products of all turns at once: rows, a matrix, the result
        self._after: list[tuple[int, Place, int]] = []
        self._packed: list[tuple[Place, int]] = []  # matrices to be laid out for the tile, and where to
        self._entries: list[tuple[int, int, bool, int]] = []  # kernel, chunks, whether over threads, first word
        self._words: list[tuple[int, int, int, int]] = []  # a number, slot, rows, bytes of a row
        self._kept: list[Any] = []
        self._ready: dict[bytes, tuple[Array, ...]] = {}
        self._apart: list[Callable[[int, int], byrow.Apart | None]] = []  # of each entry, on chunks of rows
        self._cuts: set[tuple[int, int] | None] = set()  # rows of the products, and of their tiles; None: not by tiles
        self._written: set[int] = set()  # slots that entries write
        self.work = 0  # multiply-adds of a turn, or what takes as long
        self.chunks = 0  # of rows that never meet; none if some do

    def slot(self, shape: Sequence[int], dtype: np.dtype[Any]) -> int:
        """A new slot of rows of a shape."""
        self.models.append(np.empty(shape, dtype))
        return len(self.models) - 1

    def put(self, s: Symbol, rows: int, slot: int | None = None) -> int:
        """Let s stand in a slot, by default a new one."""
        k = self.slot(s.shape, s.dtype) if slot is None else slot
        self.places[s] = Place(k, rows, self.models[k])
        return k

    # ---- binding

    def bind(self, outputs: Sequence[Symbol], twins: Twins = ()) -> None:
        """Write the table that computes the outputs, each at its place.

        Raises:
            Unfusable: if a step has no kernel, or works on single numbers.
        """
        new = self._settled(outputs)
        outputs, twins = [new[s] for s in outputs], [(new.get(a, a), new.get(b, b)) for a, b in twins]
        symbols = graph(outputs)
        for s in symbols:
            if s.op is JOIN:
                whole = self._made(s)
                for part, index in zip(s.inputs, s.settings["indices"], strict=True):
                    self.places[part] = Place(whole.slot, whole.rows, whole.like[index])
        plan = steps(symbols)
        users: dict[Symbol, set[int]] = {s: {-1} for s in outputs}
        for k, step in enumerate(plan):
            for x in (x for s in step.symbols for x in s.inputs if isinstance(x, Symbol)):
                users.setdefault(x, set()).add(k)
        for k, step in enumerate(plan):
            if step.kind == "group":
                self._group(step.symbols, [s for s in step.symbols if users.get(s, set()) - {k}], twins)
            elif step.kind == "product":
                if not self._at_once(step.symbols[0], users.get(step.symbols[0], set())):
                    self._product(step.symbols[0])
            elif step.kind == "view":
                self._view(step.symbols[0])
            elif step.symbols[0].op is not JOIN:
                raise Unfusable(f"{step.symbols[0].op.name} has no kernel form")  # type: ignore[union-attr]
        self._part_rows()

    def _part_rows(self) -> None:
        """Let each thread run all turns for rows of its own, if no two rows meet."""
        cut = next(iter(self._cuts)) if len(self._cuts) == 1 else None
        if cut is None or cut[0] < 2 * cut[1]:
            return
        rows, height = cut
        apart = [maker(rows, height) for maker in self._apart]
        found = [one for one in apart if one is not None]
        if len(found) < len(self._entries):
            return
        entries = [(*one[:2], True, first) for one, (*_, first) in zip(found, self._entries, strict=True)]
        for (*_, first), (*_, numbers) in zip(entries, found, strict=True):
            for k, number in numbers.items():
                self._words[first + k] = (number, -1, 0, 0)
        self._entries, self.chunks = entries, rows // height

    def _fits(self, place: Place, rows: int, own: bool) -> bool:
        """Whether chunks of rows may read or write an array: row by row, or as a whole what no turn changes."""
        if place.slot not in self._written:
            return True
        return own and byrow.whole_rows(place.like, self.models[place.slot], rows)

    def _settled(self, outputs: Sequence[Symbol]) -> dict[Symbol, Symbol]:
        """The graph with views of what is given as given themselves: steps need not wait for them."""
        new: dict[Symbol, Symbol] = {}
        for s in graph(outputs):
            new[s] = s
            if s.op is None:
                continue
            inputs = tuple(new[x] if isinstance(x, Symbol) else x for x in s.inputs)
            if s.op.name in VIEWS and inputs[0].op is None and not any(isinstance(x, Symbol) for x in inputs[1:]):
                whole = self.places[inputs[0]]
                like = s.op.forward(whole.like, *inputs[1:], **s.settings)
                if np.may_share_memory(like, whole.like):
                    new[s] = Symbol(s.shape, s.dtype, label="part")
                    self.places[new[s]] = Place(whole.slot, whole.rows, like)
                    continue
            if not all(a is b for a, b in zip(inputs, s.inputs, strict=True)):
                new[s] = Symbol(s.shape, s.dtype, s.op, inputs, s.settings, weak=s.weak)
                if s in self.places:
                    self.places[new[s]] = self.places.pop(s)
        return new

    def _made(self, s: Symbol) -> Place:
        """The place of a symbol; a row that every turn writes again if it has none."""
        if s not in self.places:
            self._temporary[self.put(s, FIXED)] = FIXED
        return self.places[s]

    def _view(self, s: Symbol) -> None:
        assert s.op is not None
        whole = self.places[s.inputs[0]]
        like = s.op.forward(whole.like, *s.inputs[1:], **s.settings)
        if not np.may_share_memory(like, whole.like):
            raise Unfusable(f"{s.op.name} copies")
        self.places[s] = Place(whole.slot, whole.rows, like)

    def _at_once(self, s: Symbol, users: set[int]) -> bool:
        """Take a product of each turn's own rows by a matrix that stays out of the loop: before or after all turns."""
        a, b = s.inputs
        if not all(isinstance(x, Symbol) and x.ndim == 2 for x in (a, b)):
            return False
        left, right, out = self.places[a], self.places[b], self.places.get(s)
        given = a.op is None and (out is None or out.rows == HERE)
        last = out is not None and out.rows == HERE and users == {-1}
        if left.rows != HERE or right.rows != FIXED or right.slot in self._temporary or not (given or last):
            return False
        if left.like.shape != self.models[left.slot].shape or not left.like.flags.c_contiguous:
            return False
        if given and right.like.nbytes <= NEAR and self._can_be_tiled(left.like, right.like):
            return False  # the matrix stays in the cache, and so does the result
        if out is None:
            self._temporary[self.put(s, HERE)] = HERE
        (self._before if given else self._after).append((left.slot, right, self.places[s].slot))
        return True

    def _product(self, s: Symbol) -> None:
        a, b = s.inputs
        if not all(isinstance(x, Symbol) for x in (a, b)):
            raise Unfusable("it multiplies by numbers")
        places = [self.places[a], self.places[b], self._made(s)]
        if self._few_rows(places):
            return
        job = kernel_module("blas").entry(*(p.like for p in places))
        if job is None:
            raise Unfusable("BLAS cannot multiply what it multiplies")
        address, blocks, given = job
        self._kept.append(given)
        words = [(word, -1, 0, 0) for word in given]
        for k, p in zip((7, 9, 11), places, strict=True):
            words[k] = self._pointer(p)
        self._cuts.add(None)
        self._enter(address, blocks, blocks > 1, words)

    def _can_be_tiled(self, left: Array, right: Array) -> bool:
        """Whether a product of each turn is one of a few rows that can be cut into chunks."""
        out = np.empty((len(left), right.shape[1]), left.dtype)
        panels = kernel_module("panels")
        return bool(len(left) >= 2 * panels.height(left.dtype) and panels.entry(left, right, out))

    def _few_rows(self, places: Sequence[Place]) -> bool:
        """Take the product of a few rows by a matrix that stays the same on the tile, if that is faster than BLAS."""
        left, right, out = places
        if right.rows != FIXED or right.slot in self._temporary:
            return False
        panels = kernel_module("panels")
        job = panels.entry(left.like, right.like, out.like)
        if job is None:
            return False
        address, count, given = job
        columns, dtype, depth = right.like.shape[1], right.like.dtype, left.like.size
        self._written.add(out.slot)
        self._cuts.add((len(left.like), panels.height(dtype)))
        self.work += depth * columns

        def apart(rows: int, height: int) -> byrow.Apart | None:
            fits = self._fits(left, rows, True) and self._fits(out, rows, True) and right.slot not in self._written
            return (panels.apart(dtype), rows // height, {}) if fits else None

        self._apart.append(apart)
        slot = self.slot((1,), right.like.dtype)
        self._packed.append((right, slot))
        words = [(word, -1, 0, 0) for word in given]
        for k, word in ((3, self._pointer(left)), (5, (0, slot, FIXED, 0)), (6, self._pointer(out))):
            words[k] = word
        large = left.like.size * right.like.shape[1] > kernel_module("blas").SINGLE
        self._enter(address, count, large and count > 1, words)
        return True

    def _pointer(self, p: Place) -> tuple[int, int, int, int]:
        model = self.models[p.slot]
        return p.like.ctypes.data - model.ctypes.data, p.slot, p.rows, model.nbytes

    def _enter(self, address: int, count: int, threads: bool, words: Sequence[tuple[int, int, int, int]]) -> None:
        self._entries.append((address, count, threads, len(self._words)))
        self._words.extend(words)

    def _group(self, members: Sequence[Symbol], wanted: Sequence[Symbol], twins: Twins) -> None:
        inside = set(members)
        given = list({x: None for s in members for x in s.inputs if isinstance(x, Symbol) and x not in inside})
        symbols = graph(wanted, given)
        used = set(symbols)
        arrays = [*(s for s in given if s in used), *wanted]
        known = set(given)
        if any(s.op is not None and s.op.name in ("pick", "place") for s in symbols if s not in known):
            raise Unfusable("it picks by labels, which must be looked at first")
        pitched = {s for s in arrays if not self._made(s).like.flags.c_contiguous}
        loops = Loops(symbols, arrays, given, twins, pitched)
        made = stages(symbols, given, wanted, loops)
        if set(wanted) - {s for stage in made for s in (*stage.outputs, *stage.totals)}:
            raise Unfusable("it works on single numbers")
        for stage in made:
            stage.pitched = [s for s in (*stage.arrays, *stage.outputs) if s in pitched]
            self._stage(stage, loops)

    def _stage(self, stage: Stage, loops: Loops) -> None:
        kernel = build(stage)
        if any(isinstance(s, Symbol) for s in stage.scalars):
            raise Unfusable("it works on single numbers")
        if any(not loops.level[t] or loops.level[t] & OUTER for t in stage.totals):
            raise Unfusable("it sums over all rows")
        rows, columns = loops.sizes
        length, width = (rows, columns) if loops.has_rows else (columns, 1)
        step = length if stage.totals else max(1, BLOCK // width)
        scalars = array("d", [float(s) for s in stage.scalars])
        self._kept.append((scalars, kernel))
        numbers = (rows, columns, step, loops.inner, scalars.buffer_info()[0])
        places = [self._made(s) for s in (*stage.arrays, *stage.outputs, *stage.totals)]
        pitches = [self._pitch(self.places[s].like, loops, loops.level[s]) for s in stage.pitched]
        words = [(n, -1, 0, 0) for n in numbers] + [self._pointer(p) for p in places]
        chunks = -(-length // step)
        self._written.update(self.places[s].slot for s in (*stage.outputs, *stage.totals))
        self.work += rows * columns * ELEMENT

        def apart(count: int, height: int) -> byrow.Apart | None:
            def fits(s: Symbol, own: bool) -> bool:
                return self._fits(self.places[s], count, own)

            return byrow.stage_apart(stage, loops, kernel.address, count, height, fits)

        self._apart.append(apart)
        self._enter(kernel.address, chunks, chunks > 1, [*words, *((n, -1, 0, 0) for n in pitches)])

    def _pitch(self, like: Array, loops: Loops, level: int) -> int:
        """How far apart the rows of an array are that do not follow one another, in elements."""
        shape, strides = like.shape, like.strides
        even = all(strides[k] == strides[k + 1] * shape[k + 1] for k in range(like.ndim - 2))
        if level != loops.full or like.ndim < 2 or not even or strides[-1] != like.itemsize:
            raise Unfusable("it reads a part of an array that does not lie in rows")
        return strides[-2] // like.itemsize

    # ---- running

    def run(self, given: Mapping[int, Array], rows: NDArray[np.intp]) -> None:
        """Run a turn for each row of `rows`; `given` are the arrays of all slots but those that nobody sees."""
        arrays = dict(given)
        for k, kind in self._temporary.items():
            shape = self.models[k].shape
            arrays[k] = empty(shape if kind == FIXED else (len(rows), *shape), self.models[k].dtype)
        for right, k in self._packed:
            arrays[k] = kernel_module("panels").packed(self._matrix(right, arrays))
        addresses = np.zeros(len(self.models) + 1, np.intp)  # the last for plain numbers
        for k, x in arrays.items():
            addresses[k] = x.ctypes.data
        self._products(self._before, arrays)
        slots, fixed, kernels, counts, threads, starts = self._tables(rows)
        words = fixed + addresses[slots]
        args = words.ctypes.data + starts
        if self.chunks:
            alone = self.work * len(rows) <= kernel_module("blas").SINGLE
            byrow.run(self.chunks, (kernels, counts, args), 1 if alone else None)
        else:
            kernel_module("pool").Table(kernels, counts, args, threads).run()
        self._products(self._after, arrays)

    def _products(self, jobs: Sequence[tuple[int, Place, int]], arrays: Mapping[int, Array]) -> None:
        """Products of the rows of all turns by one matrix."""
        for rows, right, out in jobs:
            matrix = self._matrix(right, arrays)
            a, y = (x.reshape(-1, x.shape[-1]) for x in (arrays[rows], arrays[out]))
            kernel_module("panels").matmul(a, matrix, y)

    def _matrix(self, place: Place, arrays: Mapping[int, Array]) -> Array:
        """What stands at a place that all turns share."""
        whole, like = arrays[place.slot], place.like
        offset = like.ctypes.data - self.models[place.slot].ctypes.data
        return np.ndarray(like.shape, like.dtype, whole.reshape(-1).data, offset, like.strides)

    def _tables(self, rows: NDArray[np.intp]) -> tuple[Array, ...]:
        """What does not change from run to run: all but the addresses of arrays."""
        key = rows.tobytes()
        found = self._ready.get(key)
        if found is None:
            numbers, slots, patterns, strides = np.array(self._words, np.intp).reshape(-1, 4).T
            fixed = numbers + rows[:, patterns] * strides
            kernels, counts, threads, first = np.array(self._entries, np.intp).reshape(-1, 4).T
            starts = 8 * (np.arange(len(rows))[:, None] * len(slots) + first)
            columns = (np.tile(x, len(rows)) for x in (kernels, counts, threads))
            if len(self._ready) > 8:
                self._ready.clear()
            found = self._ready[key] = (np.array(slots), np.ascontiguousarray(fixed), *columns, starts)
        return found
