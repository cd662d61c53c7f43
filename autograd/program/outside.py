"""What a function does besides returning something, of which its program would know nothing.

A capture runs the function on symbols. One that is kept on an object, in a list or under a global name would stay there
in place of a value, a count would go up once and never again, and numbers of NumPy's or Python's own generators would
be the same in each run. All that is refused, and put back as it was: the function then runs as it stands.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from operator import is_
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from autograd.program.reach import ABSENT, Reach, attributes_of, cells_of, content, scopes_of
from autograd.program.symbol import NotYet, Place, Symbol, Unfusable
from autograd.tensor import Tensor
from autograd.tree import flatten

WRITTEN = 1 << 20  # bytes of an array up to which it is looked at whether it is written into


class Names(NamedTuple):
    """What names stood for: in a dictionary, a scope, an object or a cell."""

    what: str
    read: Callable[[], dict[Any, Any]]
    before: dict[Any, Any]
    put: Callable[[Any, Any], object]  # a name, and a value or ABSENT
    place: dict[Any, Any] | None = None  # a dictionary that they stand in


class Change(NamedTuple):
    """What is otherwise than it was: where, now and before; what puts it back."""

    what: str
    now: Any
    then: Any
    put_back: Callable[[], object]
    place: Place | None = None


class Outside:
    """Names, attributes, containers and generators that a function may come by, as they were before it ran."""

    def __init__(self) -> None:
        self.reach = Reach(self._found)
        self.names: list[Names] = []
        self.contents: list[tuple[str, Any, Any]] = []  # containers without names, and a copy of each
        self.streams: list[tuple[str, Callable[[], Any], Callable[[Any], object], Any]] = []
        self._stream("NumPy's np.random", partial(np.random.get_state, legacy=False), np.random.set_state)
        self._stream("Python's random", random.getstate, random.setstate)

    def look_at(self, f: Any, arguments: Iterable[Any] = ()) -> None:
        """A function, or an object, with what it may come by, and its arguments."""
        self.reach.look(f, arguments)

    def _found(self, x: Any, what: str, spoken: bool) -> None:
        if isinstance(x, dict):
            self._name(what, lambda: x, partial(_put, x), x)
        elif isinstance(x, (list, deque, set, bytearray)):
            self.contents.append((what, x, x.copy()))
        elif isinstance(x, np.ndarray):
            if x.nbytes <= WRITTEN and x.flags.writeable and x.dtype.kind != "O":
                self.contents.append((what, x, x.copy()))
        elif isinstance(x, np.random.Generator):
            self._stream(what, lambda: x.bit_generator.state, lambda state: setattr(x.bit_generator, "state", state))
        elif isinstance(x, np.random.RandomState):
            self._stream(what, partial(x.get_state, legacy=False), x.set_state)
        elif isinstance(x, random.Random):
            self._stream(what, x.getstate, x.setstate)
        elif isinstance(x, Iterator) and type(x).__module__ in ("builtins", "itertools"):
            if spoken:
                raise Unfusable(
                    f"it goes on with an iterator, in {what}, and its program would not: give it what comes next"
                )
        elif isinstance(x, FunctionType):
            for scope, names in scopes_of(x):
                self._name("`{}`", partial(_some, scope, names), partial(_put, scope), scope)
            for name, cell in cells_of(x):
                self._name("`{}`", partial(_cell, cell, name), partial(_put_cell, cell))
            said = vars(x)
            self._name(f"the attribute `{{}}` of {x.__name__}", lambda: said, partial(_put, said), said)
        elif attributes_of(x):
            own = getattr(x, "__dict__", None)
            place = own if type(own) is dict else None
            kind = x.__name__ if isinstance(x, type) else type(x).__name__
            self._name(f"the attribute `{{}}` of {kind}", partial(attributes_of, x), partial(_put_on, x), place)

    def _name(
        self, what: str, read: Callable[[], dict[Any, Any]], put: Callable[[Any, Any], object], place: Any = None
    ) -> None:
        self.names.append(Names(what, read, dict(read()), put, place))

    def _stream(self, what: str, get: Callable[[], Any], put: Callable[[Any], object]) -> None:
        self.streams.append((what, get, put, get()))

    def refuse(self, assigned: Collection[int]) -> None:
        """Refuse what a program would not do again; hold nothing any longer if there is nothing of that.

        What a function sets anew to what it was, as a shape that it remembers, is no change; `assigned` are the ids of
        Tensors that it has changed. Any other may be made only once, as of a mask that is made when it is first needed:
        it is `NotYet`.
        """
        for what, get, _, before in self.streams:
            if not _same(get(), before):
                raise Unfusable(f"it draws from {what}, whose numbers would be the same in each run: write ag.random")
        changes = list(self._changes(assigned))
        keeps = [change.what for change in changes if _has_symbols(change.now)]
        if changes:
            does, instead = (
                (f"keeps a value in {keeps[0]}", "return it, or copy_ it to a Tensor")
                if keeps
                else (f"changes {changes[0].what}", "do that outside of it, or keep it in a Tensor")
            )
            where = [change.place for change in changes]
            raise NotYet(f"it {does}, which its program would not: {instead}", changed=where)
        vars(self).clear()

    def _changes(self, assigned: Collection[int]) -> Iterator[Change]:
        for what, read, before, put, place in self.names:
            names = read()
            for name in dict.fromkeys((*before, *names)):
                now, then = names.get(name, ABSENT), before.get(name, ABSENT)
                if now is then:
                    continue
                if _alike(now, then, assigned):
                    put(name, then)  # so that programs for other arguments find what they found
                else:
                    empty = then is ABSENT or then is None
                    where = None if place is None or name not in place else Place(place, name, empty)
                    yield Change(what.format(name), now, then, partial(put, name, then), where)
        for what, x, before in self.contents:
            if not _holds(x, before) and not _alike(x, before, assigned):
                kept = {id(y) for y in before} if isinstance(before, (list, deque, set)) else set()
                new = [y for y in x if id(y) not in kept] if kept or isinstance(x, (list, deque, set)) else []
                yield Change(what, new, before, partial(_fill, x, before))

    def restore(self) -> None:
        """Put back what was there before, and the generators."""
        if not vars(self):
            return
        for _, get, put, before in self.streams:
            if not _same(get(), before):
                put(before)
        for change in list(self._changes(())):
            change.put_back()


def _same(a: Any, b: Any) -> bool:
    """Whether two states of a generator are equal."""
    if isinstance(a, dict):
        return all(_same(x, b[name]) for name, x in a.items())
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b)


def _holds(x: Any, before: Any) -> bool:
    """Whether a container holds the very objects that it held."""
    if isinstance(x, (list, deque)):
        return len(x) == len(before) and all(map(is_, x, before))
    return False


def _alike(now: Any, then: Any, assigned: Collection[int]) -> bool:
    """Whether a value is another object than before and the same to whoever reads it."""
    if now is then:
        return True
    if type(now) is not type(then):
        return False
    if isinstance(now, (list, tuple, deque)):
        return len(now) == len(then) and all(_alike(a, b, assigned) for a, b in zip(now, then, strict=True))
    if isinstance(now, dict):
        return now.keys() == then.keys() and all(_alike(x, then[name], assigned) for name, x in now.items())
    if isinstance(now, Tensor):
        constant = now.node is None and then.node is None and id(now) not in assigned and id(then) not in assigned
        return constant and _alike(now.value, then.value, assigned)
    if isinstance(now, np.ndarray):
        return now.dtype == then.dtype and np.array_equal(now, then, equal_nan=now.dtype.kind in "fc")
    if isinstance(now, (bool, int, float, complex, np.generic)):
        return repr(now) == repr(then)
    return isinstance(now, (str, bytes, bytearray, set, frozenset, np.dtype)) and bool(now == then)


def _some(scope: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: scope[name] for name in names if name in scope}


def _cell(cell: Any, name: str) -> dict[str, Any]:
    return {name: content(cell)}


def _put_cell(cell: Any, _name: str, x: Any) -> None:
    if x is ABSENT:
        del cell.cell_contents
    else:
        cell.cell_contents = x


def _put(place: dict[Any, Any], name: Any, x: Any) -> None:
    if x is ABSENT:
        del place[name]
    else:
        place[name] = x


def _put_on(x: Any, name: str, value: Any) -> None:
    own = getattr(x, "__dict__", None)
    if type(own) is dict and name not in dir(type(x)):
        _put(own, name, value)
    elif value is ABSENT:
        delattr(x, name)
    else:
        setattr(x, name, value)


def _fill(x: Any, before: Any) -> None:
    """Give a container what it held."""
    if isinstance(x, set):
        x.clear()
        x.update(before)
    elif isinstance(x, deque):
        x.clear()
        x.extend(before)
    else:
        x[... if isinstance(x, np.ndarray) else slice(None)] = before


def _has_symbols(x: Any) -> bool:
    parts = list(x) if isinstance(x, (deque, set)) else x
    return any(isinstance(part, Symbol) for part in flatten(parts)[0])
