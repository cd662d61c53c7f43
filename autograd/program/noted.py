"""A scan inside of a program that is being compiled: one operation for the loop, one for the loop backwards.

Each writes all its arrays into one, of bytes, of which every result is a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from autograd.primitive import Primitive
from autograd.program.body import Array, Body, Kind
from autograd.program.symbol import Unfusable
from autograd.tape import Node

_LINE = 64  # bytes: arrays begin at the start of one


class Parts:
    """The cotangents of the parts of a result, None for those that have none so far; the sweep adds them up."""

    __slots__ = ("dtype", "parts", "shape")

    def __init__(self, parts: list[Any], shape: tuple[int, ...], dtype: Any) -> None:
        self.parts, self.shape, self.dtype = parts, shape, dtype

    def __add__(self, other: Parts) -> Parts:
        pairs = zip(self.parts, other.parts, strict=True)
        return Parts([b if a is None else a if b is None else a + b for a, b in pairs], self.shape, self.dtype)


def pull_part(g: Any, _saved: Sequence[Any], node: Node) -> Parts:
    """The cotangent of one part as that of the whole."""
    note = node.settings or {}
    (whole,) = node.parents or ()
    assert whole is not None
    parts = [None] * note["of"]
    parts[note["position"]] = g
    return Parts(parts, whole.shape, whole.dtype)


class Flat:
    """Arrays one after another in one of bytes."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.kinds = list(kinds)
        self.starts = [0]
        for shape, dtype in kinds:
            self.starts.append(-(-(self.starts[-1] + prod(shape) * dtype.itemsize) // _LINE) * _LINE)

    @property
    def size(self) -> int:
        """The bytes of all of them."""
        return self.starts[-1]

    def new(self) -> Array:
        """An array for all of them."""
        return np.empty(self.size, np.uint8)

    def views(self, flat: Array) -> list[Array]:
        """Each array, as a view."""
        return [self.view(flat, k) for k in range(len(self.kinds))]

    def view(self, flat: Array, k: int) -> Array:
        """One of them."""
        (shape, dtype), start = self.kinds[k], self.starts[k]
        return flat[start : start + prod(shape) * dtype.itemsize].view(dtype).reshape(shape)


class Turns:
    """The loop of a body, so many turns of it, as an operation on arrays."""

    def __init__(self, body: Body, turns: int, keep: bool) -> None:
        self.body, self.turns = body, turns
        self.forward = body.forward(keep)
        arrays = self.forward.arrays(turns)
        self.slots, self.flat = list(arrays), Flat(list(arrays.values()))

    def split(self, values: Sequence[Any]) -> list[list[Array]]:
        """The carry, the xs and the constants."""
        n, m = len(self.body.carry), len(self.body.carry) + len(self.body.xs)
        whole = [x if x.flags.c_contiguous else np.ascontiguousarray(x) for x in map(np.asarray, values)]
        return [whole[:n], whole[n:m], whole[m:]]

    def run(self, out: Array, *values: Any) -> None:
        """Run the loop."""
        written = dict(zip(self.slots, self.flat.views(out), strict=True))
        self.forward.run(self.split(values), self.turns, written)

    def part(self, flat: Array, position: int) -> Array:
        """A state after the last turn, or a result."""
        written = dict(zip(self.slots, self.flat.views(flat), strict=True))
        count = len(self.body.carry)
        if position < count:
            return self.forward.last(written)[position]
        return self.forward.seen(written, self.forward.results[position - count])


class Pulled:
    """The loop backwards as an operation on what the one forwards wrote, its inputs, and the cotangents there are."""

    def __init__(self, whole: Turns, seeded: tuple[bool, ...], asked: tuple[bool, ...]) -> None:
        self.whole, self.seeded, self.asked = whole, seeded, asked
        body, count = whole.body, len(whole.body.carry)
        self.backward = body.backward(seeded[count:], asked)
        rows = range(count, count + len(body.xs))
        inputs = list(enumerate(body.inputs()))
        self.given = [k for k, _ in inputs if asked[k]]
        kinds = [((whole.turns, *s.shape) if k in rows else s.shape, s.dtype) for k, s in inputs if asked[k]]
        self.flat = Flat(kinds)

    def run(self, out: Array, flat: Array, *values: Any) -> None:
        """Run the loop."""
        whole, body = self.whole, self.whole.body
        n = len(body.inputs())
        rest = iter(values[n:])
        parts = [next(rest) if there else None for there in self.seeded]
        views = self.flat.views(out)
        into = {body.inputs()[k]: view for k, view in zip(self.given, views, strict=True)}
        left = dict(zip(whole.slots, whole.flat.views(flat), strict=True))
        found = pulled(self.backward, whole.split(values[:n]), left, parts, whole.turns, into)
        for k, view in zip(self.given, views, strict=True):
            if found[k] is None:
                view.fill(0)
            elif found[k] is not view:
                view[...] = found[k]


def pulled(
    backward: Any, values: Any, left: dict[int, Array], parts: Sequence[Any], turns: int, into: Any = None
) -> list[Any]:
    """Run a loop backwards, from the cotangents of the last states and of the results."""
    body = backward.body
    count = len(body.carry)
    states = [g for g, s in zip(parts[:count], body.after, strict=True) if s.dtype.kind == "f"]
    seeds = [None if g is None else np.ascontiguousarray(g) for g in parts[count:]]
    return backward.run(values, left, states, seeds, turns, into or {})  # type: ignore[no-any-return]


def _whole(*values: Any, plan: Any) -> Array:
    flat = plan.flat.new()
    plan.run(flat, *values)
    return flat  # type: ignore[no-any-return]


def _whole_into(out: Array, *values: Any, plan: Any) -> None:
    plan.run(out, *values)


def _together(g: Parts, saved: Sequence[Any], node: Node) -> list[Any]:
    flat, *values = saved
    asked = tuple(p is not None for p in node.parents or ())
    plan = Pulled((node.settings or {})["plan"], tuple(part is not None for part in g.parts), asked)
    found = scan_back(flat, *values, *(part for part in g.parts if part is not None), plan=plan)
    places = iter(range(len(asked)))
    return [scan_share(found, plan=plan, position=next(places)) if wanted else None for wanted in asked]


def _no_second(*_: Any) -> Any:
    raise Unfusable("it takes the derivative of the derivative of a scan")


def _primitive(name: str, inputs: str, forward: Any, **rules: Any) -> Primitive:
    return Primitive(name, inputs, forward, **({"pulls": (), "reads": ()} | rules))


scan_turns = _primitive("scan_turns", "*values", _whole)
scan_back = _primitive("scan_back", "*values", _whole)
scan_part = _primitive(
    "scan_part",
    "whole",
    lambda flat, *, plan, position, of: plan.part(flat, position),
    pulls=(pull_part,),
    reads=(frozenset[int](),),
)
scan_share = _primitive("scan_share", "whole", lambda flat, *, plan, position: plan.flat.view(flat, position))
scan_turns.into = scan_back.into = _whole_into
scan_turns.together, scan_turns.differentiable = _together, True
scan_back.together, scan_back.differentiable = _no_second, True


def noted(body: Body, arrays: Sequence[Any], turns: int, noting: Any, keep: bool) -> list[Any]:
    """The leaves of a scan's result, as symbols of the capture that notes it."""
    plan = Turns(body, turns, keep)
    whole = noting.run(scan_turns, tuple(arrays), {"plan": plan})
    count = len(body.after) + len(body.ys)
    return [noting.run(scan_part, (whole,), {"plan": plan, "position": k, "of": count}) for k in range(count)]
