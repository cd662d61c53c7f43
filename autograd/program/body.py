"""The body of a scan, traced once: its loop forwards, and the loop backwards that is derived from it.

The backward loop reads what the forward one left in memory: the states between turns, the results, and the products.
All else is computed again. What reaches a constant is a sum over turns: of products, one product over the rows of all
turns, after the loop; of sums, one sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.primitive import primitives
from autograd.program.capture import Capture, Captured
from autograd.program.joins import copied, is_view, rewritten
from autograd.program.launch import empty, kernel_module
from autograd.program.loop import AFTER, BEFORE, FIXED, HERE, IN, OUT, Loop, rows_of
from autograd.program.symbol import REDUCTIONS, Symbol, Unfusable, derive, graph
from autograd.tape import enable_grad

Array = NDArray[Any]
Kind = tuple[tuple[int, ...], np.dtype[Any]]  # shape and dtype


@dataclass
class Total:
    """A part of the cotangent of a constant: a sum over turns.

    kind: "product" of the rows of two arrays, "sum" of one over `axes`, or "carry" from turn to turn.
    after: operations on the total.
    """

    kind: str
    arrays: list[Symbol]
    after: list[Symbol]
    axes: tuple[int, ...] = ()


class Body:
    """f on symbols, and the loops made of it.

    Parameters:
        f: a function of lists of symbols (carry, x, constants) to a list of carries and one of results.
        carry, xs, constants: shape and dtype of each array; of the xs those of one turn.
    """

    def __init__(
        self, f: Callable[..., Any], carry: Sequence[Kind], xs: Sequence[Kind], constants: Sequence[Kind], reverse: bool
    ) -> None:
        self.reverse = reverse
        self.noted = Capture()
        with self.noted as noted, enable_grad():
            self.carry, self.xs, self.constants = (
                [Captured(*kind, label=f"{name}{k}") for k, kind in enumerate(kinds)]
                for name, kinds in (("carry", carry), ("x", xs), ("constant", constants))
            )
            for s in (*self.carry, *self.xs, *self.constants):
                s.capture = noted
            self.after, self.ys = f(self.carry, self.xs, self.constants)
        if noted.tensors or noted.constants:
            raise Unfusable("it reads an array from outside, which must be one of the constants")
        if noted.drawn or noted.assigned or noted.checks or noted.guards or noted.held:
            raise Unfusable("it draws random numbers, changes a Tensor, looks at values, or has a mode")
        if not all(isinstance(s, Symbol) and not s.weak for s in (*self.after, *self.ys)):
            raise Unfusable("it returns what does not depend on its arguments")
        if any(0 in s.shape for s in graph([*self.after, *self.ys])):
            raise Unfusable("an array is empty")
        self.result: Any = None  # how a result is made of its leaves: the business of the caller
        self._forward: dict[bool, Forward] = {}
        self._backward: dict[Any, Backward] = {}

    def forward(self, keep: bool) -> Forward:
        """The loop forwards; with `keep` it leaves behind what the backward one reads."""
        if keep not in self._forward:
            self._forward[keep] = Forward(self, self.kept() if keep else [])
        return self._forward[keep]

    def backward(self, seeded: tuple[bool, ...], asked: tuple[bool, ...]) -> Backward:
        """The loop backwards from the results that are `seeded` to the inputs that are `asked` for."""
        key = (seeded, asked)
        if key not in self._backward:
            self._backward[key] = Backward(self, seeded, asked)
        return self._backward[key]

    def inputs(self) -> list[Symbol]:
        """All of them: the carry, the xs, the constants."""
        return [*self.carry, *self.xs, *self.constants]

    def kept(self) -> list[Symbol]:
        """What the backward loop reads of the forward one beside states and results: products and sums."""
        floating = [s for s in self.inputs() if s.dtype.kind == "f"]
        seeds, outputs, _ = self.seeds([s.dtype.kind == "f" for s in self.ys])
        found, _ = self.derived(outputs, seeds, floating)
        known = set(self.known())
        live = set(graph([g for g in found if g is not None], [*known, *self._costly()]))
        return [s for s in self._costly() if s in live and s not in known]

    def _costly(self) -> list[Symbol]:
        own = graph([*self.after, *self.ys])
        return [s for s in own if s.op is not None and s.op.name in ("matmul", *REDUCTIONS)]

    def known(self) -> list[Symbol]:
        """Results of a turn that stay in memory anyway."""
        return [s for s in (*self.after, *self.ys) if s.op is not None]

    def seeds(self, seeded: Sequence[bool]) -> tuple[list[Symbol], list[Symbol], list[Symbol]]:
        """Cotangents of the states after a turn and of results, what they are those of, and those of states alone."""
        states = [s for s in self.after if s.dtype.kind == "f"]
        ys = [s for s, wanted in zip(self.ys, seeded, strict=True) if wanted]
        made = [Captured(s.shape, s.dtype, label="g") for s in (*states, *ys)]
        for s in made:
            s.capture = self.noted
        return made, [*states, *ys], made[: len(states)]  # type: ignore[return-value]

    def derived(self, outputs: Any, seeds: Any, wanted: Any) -> tuple[list[Symbol | None], Any]:
        """`derive`, with its operations noted."""
        with self.noted, enable_grad():
            return derive(outputs, seeds, wanted, self.noted.frozen)


class Forward:
    """The loop forwards: from the carry, the xs and the constants to the states between turns and the results."""

    def __init__(self, body: Body, kept: Sequence[Symbol]) -> None:
        self.body, self.loop = body, Loop()
        loop = self.loop
        new = rewritten([*body.after, *body.ys, *kept], {})
        self.xs = [loop.put(s, HERE) for s in body.xs]
        self.constants = [loop.put(s, FIXED) for s in body.constants]
        self.states: list[int] = []
        outputs: list[Symbol] = []
        at: dict[Symbol, tuple[int, int]] = {}  # of what is returned
        for s, given in zip(body.after, body.carry, strict=True):
            slot = loop.put(given, BEFORE)
            self.states.append(slot)
            at.setdefault(given, (slot, BEFORE))
            out = new[s]
            if is_view(out) or out in loop.places:
                out = copied(out)
            loop.put(out, AFTER, slot)
            outputs.append(out)
            at.setdefault(s, (slot, AFTER))
        self.results: list[tuple[int, int]] = []
        for s in body.ys:
            if s not in at:
                out = copied(new[s]) if is_view(new[s]) or new[s] in loop.places else new[s]
                at[s] = (loop.put(out, HERE), HERE)
                outputs.append(out)
            self.results.append(at[s])
        self.kept = list(kept)
        self.rest: list[int] = []
        for s in kept:
            self.rest.append(loop.places[new[s]].slot if new[s] in loop.places else loop.put(new[s], HERE))
            outputs.append(new[s])
        loop.bind(outputs)
        self.at = at

    def arrays(self, turns: int) -> dict[int, Kind]:
        """Shape and dtype of every array that the loop writes, by its slot."""
        models = self.loop.models
        found = {k: ((turns + 1, *models[k].shape), models[k].dtype) for k in self.states}
        rest = [k for k, rows in self.results if rows == HERE]
        return found | {k: ((turns, *models[k].shape), models[k].dtype) for k in (*rest, *self.rest)}

    def run(self, values: Sequence[Sequence[Array]], turns: int, written: dict[int, Array]) -> None:
        """Run all turns on the carry, the xs and the constants; the arrays of `arrays(turns)` are written."""
        carry, xs, constants = values
        order = np.arange(turns)[:: -1 if self.body.reverse else 1]
        for k, x in zip(self.states, carry, strict=True):
            written[k][-1 if self.body.reverse else 0] = x
        given = dict(zip((*self.xs, *self.constants), (*xs, *constants), strict=True))
        self.loop.run(given | written, rows_of(order, self.body.reverse))

    def last(self, written: dict[int, Array]) -> list[Array]:
        """The states after the last turn."""
        return [written[k][0 if self.body.reverse else -1] for k in self.states]

    def seen(self, written: dict[int, Array], place: tuple[int, int]) -> Array:
        """The array of a result, or of the states before all turns: one row for each turn."""
        k, rows = place
        return shifted(written[k], rows, self.body.reverse)


def shifted(x: Array, rows: int, reverse: bool) -> Array:
    """The row that each turn sees."""
    if rows == HERE:
        return x
    return x[1:] if (rows == AFTER) != reverse else x[:-1]


class Backward:
    """The loop backwards: from cotangents of the states after the last turn and of results to those of the inputs."""

    def __init__(self, body: Body, seeded: tuple[bool, ...], asked: tuple[bool, ...]) -> None:
        self.body, self.loop = body, Loop()
        self.forward = body.forward(keep=True)
        self.sources: dict[int, tuple[str, Any]] = {}  # where the array of a slot comes from
        self.placed: dict[Symbol, tuple[int, int]] = {}  # symbols with a row for each turn
        loop, count = self.loop, len(body.carry)
        seeds, outputs, states = body.seeds(seeded)
        states_in = [s for s in body.carry if s.dtype.kind == "f"]
        inputs = [s for s, wanted in zip(body.inputs()[count:], asked[count:], strict=True) if wanted]
        found, twins = body.derived(outputs, seeds, [*states_in, *inputs])
        known = self._given(body)
        new = rewritten([g for g in found if g is not None], known)
        gradients = [None if g is None else new[g] for g in found]
        for k, wanted in enumerate(seeded):
            if wanted:
                self._source(seeds[len(states) + sum(seeded[:k])], HERE, "seed", k)
        self.targets: list[Symbol] = []
        self.alone: set[int] = set()
        self.states = self._states(states, gradients[: len(states)])
        self.carried = states_in
        self.totals: dict[Symbol, list[Total]] = {}
        self.rows: dict[Symbol, Symbol] = {}
        self.added: dict[Symbol, int] = {}
        constants = set(body.constants)
        for s, g in zip(inputs, gradients[len(states) :], strict=True):
            if g is None:
                continue
            if s in constants:
                self.totals[s] = self._summed(g, [])
            else:
                self.rows[s] = self._kept(g)
        pairs = [(new[a], new[b]) for a, b in twins if a in new and b in new]
        loop.bind(list(dict.fromkeys(self.targets)), pairs)

    # ---- what is read, what is written

    def _source(self, s: Symbol, rows: int, kind: str, what: Any) -> None:
        slot = self.loop.put(s, rows)
        self.sources[slot] = (kind, what)
        if rows in (HERE, BEFORE, AFTER):
            self.placed[s] = (slot, rows)

    def _given(self, body: Body) -> dict[Symbol, Symbol]:
        """Symbols of what the forward loop has left, in place of those that computed it."""
        forward = self.forward
        known: dict[Symbol, Symbol] = {}
        shared: dict[int, int] = {}  # slots of the forward loop, and ours
        places = [(s, forward.at[s]) for s in body.known()]
        places += [(s, (slot, HERE)) for s, slot in zip(forward.kept, forward.rest, strict=True)]
        places += [(s, (slot, BEFORE)) for s, slot in zip(body.carry, forward.states, strict=True)]
        for s, (theirs, rows) in places:
            mine = s if s.op is None else known.setdefault(s, Symbol(s.shape, s.dtype, label="kept"))
            if mine in self.loop.places:
                continue
            slot = self.loop.put(mine, rows, shared.get(theirs))
            shared[theirs] = slot
            self.sources[slot] = ("forward", theirs)
            self.placed[mine] = (slot, rows)
        for k, s in enumerate(body.xs):
            self._source(s, HERE, "x", k)
        for k, s in enumerate(body.constants):
            self._source(s, FIXED, "constant", k)
        return known

    def _states(self, seeds: Sequence[Symbol], gradients: Sequence[Symbol | None]) -> list[int]:
        """The cotangents of states, which go from turn to turn in two rows."""
        found = []
        for s, g in zip(seeds, gradients, strict=True):
            if g is None:  # nothing reaches the state before: the cotangent of the last one is that of one turn alone
                slot = self.loop.put(s, HERE)
                self.alone.add(slot)
                found.append(slot)
                continue
            slot = self.loop.put(s, IN)
            out = copied(g) if is_view(g) or g in self.loop.places else g
            self.loop.put(out, OUT, slot)
            self.targets.append(out)
            found.append(slot)
        return found

    def _kept(self, s: Symbol) -> Symbol:
        """A symbol of the same value of which there is a row for each turn."""
        if s in self.placed:
            return s
        out = copied(s) if is_view(s) or s in self.loop.places else s
        slot = self.loop.put(out, HERE)
        self.sources[slot] = ("made", None)
        self.placed[out] = (slot, HERE)
        self.targets.append(out)
        return out

    def _summed(self, g: Symbol, after: list[Symbol]) -> list[Total]:
        """The sum of g over all turns, as parts."""
        assert g.op is not None or g in self.loop.places
        name = g.op.name if g.op is not None else ""
        if name in ("permute_dims", "reshape"):
            return self._summed(g.inputs[0], [g, *after])
        if name == "add" and all(isinstance(x, Symbol) and x.shape == g.shape and x.dtype == g.dtype for x in g.inputs):
            return [t for x in g.inputs for t in self._summed(x, after)]
        if name == "matmul":
            a, b = g.inputs
            turned = a.op is not None and a.op.name == "permute_dims" and a.ndim == 2 and a.settings["axes"] == (1, 0)
            if turned and b.ndim == 2 and not any(self._constant(x) for x in (a, b)):
                return [Total("product", [self._kept(a.inputs[0]), self._kept(b)], after)]
        if name == "sum" and not g.settings["keepdims"] and not self._constant(g):
            return [Total("sum", [self._kept(g.inputs[0])], after, (0, *(k + 1 for k in g.settings["axis"])))]
        total = Symbol(g.shape, g.dtype, label="total")
        slot = self.loop.put(total, IN)
        out = Symbol(g.shape, g.dtype, primitives["add"], (total, g))
        self.loop.put(out, OUT, slot)
        self.targets.append(out)
        self.sources[slot] = ("total", None)
        self.added[total] = slot
        return [Total("carry", [total], after)]

    def _constant(self, s: Symbol) -> bool:
        """Whether s is the same in every turn."""
        live = graph([s], list(self.loop.places))
        return all(self.loop.places[x].rows == FIXED for x in live if x in self.loop.places)

    # ---- running

    def run(
        self, values: Sequence[Sequence[Array]], left: dict[int, Array], states: Any, seeds: Any, turns: int, into: Any
    ) -> list[Any]:
        """The cotangents of the inputs, None for those not asked for.

        values: the carry, the xs and the constants. left: what the forward loop wrote. states, seeds: cotangents of
        the last states (None for zeros) and of results. into: for some inputs the array to be written.
        """
        body, loop, end = self.body, self.loop, turns % 2
        order = np.arange(turns)[:: 1 if body.reverse else -1]
        own = {self.placed[g][0]: into[s] for s, g in self.rows.items() if s in into}
        lists = {"x": values[1], "constant": values[2], "seed": seeds, "forward": left}
        arrays: dict[int, Array] = {}
        for slot, (kind, what) in self.sources.items():
            model = loop.models[slot]
            if kind == "total":
                arrays[slot] = np.zeros((2, *model.shape), model.dtype)
            else:
                made = lists[kind][what] if kind in lists else own.get(slot)
                arrays[slot] = empty((turns, *model.shape), model.dtype) if made is None else made
        for slot, g in zip(self.states, states, strict=True):
            model = loop.models[slot]
            arrays[slot] = np.zeros((turns if slot in self.alone else 2, *model.shape), model.dtype)
            if g is not None:
                arrays[slot][order[0] if slot in self.alone else 0] = g
        loop.run(arrays, rows_of(order, body.reverse))
        carried = [(s, slot) for s, slot in zip(self.carried, self.states, strict=True) if slot not in self.alone]
        found: dict[Symbol, Array] = {s: arrays[slot][end] for s, slot in carried}
        found |= {s: self._rows(arrays, g) for s, g in self.rows.items()}
        for s, parts in self.totals.items():
            first, *rest = (self._total(arrays, part, end) for part in parts)
            found[s] = sum(rest, first)
        return [found.get(s) for s in body.inputs()]

    def _rows(self, arrays: dict[int, Array], s: Symbol) -> Array:
        slot, rows = self.placed[s]
        return shifted(arrays[slot], rows, self.body.reverse)

    def _total(self, arrays: dict[int, Array], part: Total, end: int) -> Array:
        after = part.after
        if part.kind == "carry":
            total = arrays[self.added[part.arrays[0]]][end]
        elif part.kind == "sum":
            total = np.sum(self._rows(arrays, part.arrays[0]), part.axes)
        else:
            a, b = (x.reshape(-1, x.shape[-1]) for x in (self._rows(arrays, s) for s in part.arrays))
            turned = bool(after) and after[0].settings.get("axes") == (1, 0)
            if turned:
                a, b, after = b, a, after[1:]
            total = kernel_module("blas").matmul(a.T, b)
        for s in after:
            assert s.op is not None
            total = s.op.forward(total, **s.settings)
        return np.asarray(total)
