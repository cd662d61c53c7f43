"""What a function does besides returning something, of which its program would know nothing.

A capture runs the function on symbols. One that is kept on an object, in a list or under a global name would stay there
in place of a value, and numbers of NumPy's or Python's own generators would be the same in each run. Both are refused,
and put back as they were: the function then runs as it stands.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd.errors import is_ours
from autograd.program.symbol import Symbol, Unfusable
from autograd.tree import flatten

_ABSENT: Any = object()


class Outside:
    """Names, attributes, containers and generators that a function may come by, as they were before it ran."""

    def __init__(self) -> None:
        self.places: list[tuple[dict[Any, Any], dict[Any, Any], bool, str]] = []  # and what all, or some, names held
        self.lists: list[tuple[list[Any], list[Any], str]] = []
        self.cells: list[tuple[Any, Any, str]] = []
        self.streams: list[tuple[str, Callable[[], Any], Callable[[Any], object], Any]] = []
        self.seen: set[int] = set()
        self._stream("NumPy's np.random", partial(np.random.get_state, legacy=False), np.random.set_state)
        self._stream("Python's random", random.getstate, random.setstate)

    def look_at(self, f: Any, arguments: Iterable[Any]) -> None:
        """A function, what it closes over, the names in it, the object whose method it is, and its arguments."""
        for x in arguments:
            self._value(x, "an argument")
        if isinstance(f, partial):
            self.look_at(f.func, (*f.args, *f.keywords.values()))
            return
        for holder in (f, getattr(f, "__self__", None)):
            self.look_into(holder)
        code, scope = getattr(f, "__code__", None), getattr(f, "__globals__", {})
        if code is None or is_ours(f):
            return
        self._place(scope, {name: scope.get(name, _ABSENT) for name in code.co_names}, False, "`{}`")
        cells = getattr(f, "__closure__", None) or ()
        for name, cell in zip(code.co_freevars, cells, strict=True):
            content = _content(cell)
            self.cells.append((cell, content, f"`{name}`"))
            self._value(content, f"`{name}`")

    def look_into(self, holder: Any) -> None:
        """The attributes of an object."""
        own = getattr(holder, "__dict__", None)
        if type(own) is dict and id(own) not in self.seen:
            self.seen.add(id(own))
            self._place(own, own.copy(), True, f"the attribute `{{}}` of {type(holder).__name__}")

    def _place(self, place: dict[Any, Any], before: dict[Any, Any], whole: bool, what: str) -> None:
        self.places.append((place, before, whole, what))
        for name, x in before.items():
            self._value(x, what.format(name))

    def _value(self, x: Any, what: str) -> None:
        if type(x) is list:
            self.lists.append((x, x.copy(), what))
        elif type(x) is dict:
            self.places.append((x, x.copy(), True, what))
        elif isinstance(x, np.random.Generator):
            self._stream(what, lambda: x.bit_generator.state, lambda state: setattr(x.bit_generator, "state", state))
        elif isinstance(x, np.random.RandomState):
            self._stream(what, partial(x.get_state, legacy=False), x.set_state)
        elif isinstance(x, random.Random):
            self._stream(what, x.getstate, x.setstate)

    def _stream(self, what: str, get: Callable[[], Any], put: Callable[[Any], object]) -> None:
        self.streams.append((what, get, put, get()))

    def refuse(self) -> None:
        """Refuse what a program would not do again; hold nothing any longer if there is nothing of that."""
        for what, get, _, before in self.streams:
            if not _same(get(), before):
                raise Unfusable(f"it draws from {what}, whose numbers would be the same in each run: write ag.random")
        for what, _ in self._left():
            raise Unfusable(
                f"it keeps a value in {what}, which its program would not: return it, or copy_ it to a Tensor"
            )
        vars(self).clear()

    def _left(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Where symbols were left behind, and what puts back what was there before."""
        for place, before, whole, what in self.places:
            for name in dict.fromkeys((*before, *place)) if whole else before:
                now, then = place.get(name, _ABSENT), before.get(name, _ABSENT)
                if now is not then and _has_symbols(now):
                    yield what.format(name), partial(_put, place, name, then)
        for cell, then, what in self.cells:
            now = _content(cell)
            if now is not then and _has_symbols(now):
                yield what, partial(setattr, cell, "cell_contents", then)
        for x, items, what in self.lists:
            kept = {id(y) for y in items}
            if any(id(y) not in kept and _has_symbols(y) for y in x):
                yield what, partial(x.__setitem__, slice(None), items)

    def restore(self) -> None:
        """Put back what is in the place of symbols, and the generators."""
        if not vars(self):
            return
        for _, get, put, before in self.streams:
            if not _same(get(), before):
                put(before)
        for _, put_back in list(self._left()):
            put_back()


def _same(a: Any, b: Any) -> bool:
    """Whether two states of a generator are equal."""
    if isinstance(a, dict):
        return all(_same(x, b[name]) for name, x in a.items())
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b)


def _put(place: dict[Any, Any], name: Any, x: Any) -> None:
    if x is _ABSENT:
        del place[name]
    else:
        place[name] = x


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return _ABSENT


def _has_symbols(x: Any) -> bool:
    return any(isinstance(part, Symbol) for part in flatten(x)[0])
