"""The order of axes in memory: what lies pixel by pixel is computed with pixel by pixel.

A captured graph is written anew. Each of its values is known as a value in the order of memory and the axes that it is
seen by; loops run in the order of memory, and a permutation is made only where an operation has no other way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.primitive import Primitive, primitives
from autograd.program.convolving import PIXELS, Sum
from autograd.program.meaning import WINDOWED
from autograd.program.symbol import REDUCTIONS, Symbol, made_for

Axes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A value as `inner` with its axes permuted; axes None: as it is."""

    inner: Any
    axes: Axes | None = None


class Layout:
    """A graph, written anew: `layout[s]` is the new symbol for an old one."""

    def __init__(self, symbols: Sequence[Symbol]) -> None:
        self.seen: dict[Symbol, Seen] = {}
        self.permuted: dict[tuple[Symbol, Axes], Symbol] = {}
        self.moved: dict[tuple[Symbol, Axes], Symbol] = {}
        self.shaped: dict[tuple[Symbol, Axes], Symbol] = {}
        self.turned: dict[Any, Primitive] = {}
        for s in symbols:
            with made_for(s.origin):
                self.seen[s] = Seen(s) if s.op is None else self._anew(s)

    def __getitem__(self, s: Symbol) -> Symbol:
        """The new symbol that has the value of an old one."""
        found = self.seen.get(s)
        return s if found is None else self._shown(found)

    def inner(self, s: Symbol) -> Any:
        """The value of an old symbol as it lies in memory."""
        return self.seen.get(s, Seen(s)).inner

    def twins(self, pairs: Sequence[tuple[Symbol, Symbol]]) -> list[tuple[Symbol, Symbol]]:
        """Values and their cotangents, those that lie in the same order."""
        found = [(self.seen.get(a, Seen(a)), self.seen.get(b, Seen(b))) for a, b in pairs]
        return [(a.inner, b.inner) for a, b in found if a.axes == b.axes]

    def _shown(self, x: Seen) -> Any:
        return x.inner if x.axes is None else self._permute(x.inner, x.axes)

    def _permute(self, x: Symbol, axes: Axes) -> Symbol:
        if axes == tuple(range(len(axes))):
            return x
        key = (x, axes)
        if key not in self.permuted:
            shape = tuple(x.shape[k] for k in axes)
            self.permuted[key] = Symbol(shape, x.dtype, primitives["permute_dims"], (x,), {"axes": axes})
        return self.permuted[key]

    def _shaped(self, x: Symbol, shape: tuple[int, ...]) -> Symbol:
        key = (x, shape)
        if key not in self.shaped:
            self.shaped[key] = Symbol(shape, x.dtype, primitives["reshape"], (x,), {"shape": shape})
        return self.shaped[key]

    def _anew(self, s: Symbol) -> Seen:
        op = s.op
        assert op is not None
        inputs = [self.seen.get(x, Seen(x)) if isinstance(x, Symbol) else Seen(x) for x in s.inputs]
        if op.name == "permute_dims":
            return self._permutation(s, inputs[0])
        if op.name == "reshape" and isinstance(s.inputs[0], Symbol) and s.shape == s.inputs[0].shape:
            return inputs[0]
        if isinstance(op, Sum) and op.pixels:
            return Seen(self._made(s, self._inside(op, PIXELS, (None, None)), inputs, _moved(s.shape, PIXELS)), PIXELS)
        axes = next((x.axes for x in inputs if x.axes is not None), None)
        if axes is None:
            return self._same(s, inputs)
        if op.code is not None or op.name == "astype":
            chosen = self._chosen(s, inputs)
            return self._same(s, inputs) if chosen is None else self._loops(s, inputs, chosen)
        if op.name in REDUCTIONS:
            return self._reduced(s, inputs[0])
        if op.name in WINDOWED and len(s.shape) == 4 and axes == PIXELS:
            return self._windows(s, inputs)
        return self._same(s, inputs)

    def _same(self, s: Symbol, inputs: Sequence[Seen]) -> Seen:
        """The operation as it stands."""
        new = [self._shown(x) for x in inputs]
        if all(a is b for a, b in zip(new, s.inputs, strict=True)):
            return Seen(s)
        assert s.op is not None
        return Seen(Symbol(s.shape, s.dtype, s.op, tuple(new), s.settings, weak=s.weak))

    def _made(self, s: Symbol, op: Primitive, inputs: Sequence[Seen], shape: tuple[int, ...]) -> Symbol:
        return Symbol(shape, s.dtype, op, tuple(self._shown(x) for x in inputs), s.settings)

    def _permutation(self, s: Symbol, x: Seen) -> Seen:
        axes = s.settings["axes"]
        whole = axes if x.axes is None else tuple(x.axes[k] for k in axes)
        return Seen(x.inner, None if whole == tuple(range(len(whole))) else whole)

    def _chosen(self, s: Symbol, inputs: Sequence[Seen]) -> Axes | None:
        """The order in which most of the numbers lie."""
        votes: dict[Axes | None, int] = {}
        for x in inputs:
            if isinstance(x.inner, Symbol) and x.inner.size == s.size and len(x.inner.shape) == s.ndim:
                spread = x.inner.op is not None and x.inner.op.name == "broadcast_to"
                votes[x.axes] = votes.get(x.axes, 0) + (0 if spread else 1)
        best = max(votes, key=lambda axes: (votes[axes], axes is not None), default=None)
        return best

    def _loops(self, s: Symbol, inputs: Sequence[Seen], axes: Axes) -> Seen:
        assert s.op is not None
        new = tuple(self._into(x, axes) for x in inputs)
        return Seen(Symbol(_moved(s.shape, axes), s.dtype, s.op, new, s.settings, weak=s.weak), axes)

    def _spread(self, value: Symbol, axes: Axes) -> Symbol:
        """A value that loops make of smaller ones, made in another order."""
        key = (value, axes)
        if key not in self.moved:
            new = tuple(self._into(self.seen.get(x, Seen(x)), axes) for x in value.inputs)
            with made_for(value.origin):
                self.moved[key] = Symbol(_moved(value.shape, axes), value.dtype, value.op, new, value.settings)
        return self.moved[key]

    def _into(self, x: Seen, axes: Axes) -> Any:
        """A value with its axes in the order of memory that `axes` are seen by."""
        if x.axes == axes:
            return x.inner
        value = self._shown(x)
        if not isinstance(value, Symbol) or not value.shape:
            return value
        if value.ndim < len(axes):
            value = self._shaped(value, (1,) * (len(axes) - value.ndim) + value.shape)
        if value.op is not None and value.op.name == "broadcast_to":
            inner = self._into(self.seen.get(value.inputs[0], Seen(value.inputs[0])), axes)
            shape = _moved(value.shape, axes)
            return Symbol(shape, value.dtype, value.op, (inner,), {"shape": shape})
        if _is_spread(value):
            return self._spread(value, axes)
        long = [k for k in _inverse(axes) if value.shape[k] != 1]
        if long == sorted(long):  # only axes of length 1 move
            return self._shaped(value, _moved(value.shape, axes))
        return self._permute(value, _inverse(axes))

    def _reduced(self, s: Symbol, x: Seen) -> Seen:
        assert x.axes is not None
        assert s.op is not None
        over = s.settings["axis"]
        inner = tuple(sorted(x.axes[k] for k in over))
        kept = s.settings["keepdims"]
        left = [k for k in range(len(x.axes)) if k not in inner]
        shape = tuple(1 if k in inner else n for k, n in enumerate(x.inner.shape) if kept or k not in inner)
        settings = {**s.settings, "axis": inner}
        new = Symbol(shape, s.dtype, s.op, (x.inner,), settings)
        axes = x.axes if kept else tuple(left.index(k) for k in x.axes if k in left)
        return Seen(new, None if axes == tuple(range(len(axes))) else axes)

    def _windows(self, s: Symbol, inputs: Sequence[Seen]) -> Seen:
        assert s.op is not None
        op = self._inside(s.op, PIXELS, tuple(PIXELS if isinstance(x.inner, Symbol) else None for x in inputs))
        new = tuple(self._into(x, PIXELS) for x in inputs)
        return Seen(Symbol(_moved(s.shape, PIXELS), s.dtype, op, new, s.settings), PIXELS)

    def _inside(self, op: Primitive, axes: Axes, given: Sequence[Axes | None]) -> Primitive:
        """The operation on values, and to a value, whose axes are in the order of memory."""
        key = (op, axes, tuple(given))
        if key not in self.turned:
            made = Primitive(op.name, " ".join(op.inputs), _around(op, axes, given), pulls=(), reads=())
            made.into = op.write if isinstance(op, Sum) else op.into and _into(op.into, axes, given)
            self.turned[key] = made
        return self.turned[key]


def _around(op: Primitive, axes: Axes, given: Sequence[Axes | None]) -> Callable[..., Any]:
    back = _inverse(axes)

    def run(*xs: Any, **settings: Any) -> Any:
        seen = [x if turn is None else np.transpose(x, turn) for x, turn in zip(xs, given, strict=True)]
        return np.transpose(op.forward(*seen, **settings), back)

    return run


def _into(write: Callable[..., None], axes: Axes, given: Sequence[Axes | None]) -> Callable[..., None]:
    def run(out: Any, *xs: Any, **settings: Any) -> None:
        seen = [x if turn is None else np.transpose(x, turn) for x, turn in zip(xs, given, strict=True)]
        write(np.transpose(out, axes), *seen, **settings)

    return run


def _inverse(axes: Axes) -> Axes:
    return tuple(int(k) for k in np.argsort(axes))


def _moved(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape in the order of memory of what is seen by `axes`."""
    return tuple(shape[k] for k in _inverse(axes))


def _is_spread(s: Symbol) -> bool:
    """Whether loops make s of values each of which is smaller."""
    numbers = s.op is not None and s.op.code is not None and not s.weak
    return numbers and all(x.size < s.size for x in s.inputs if isinstance(x, Symbol))
