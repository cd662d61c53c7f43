"""What a function may come by: the names in it and in functions that it calls, what it closes over, users' objects."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from autograd.errors import is_users
from autograd.tensor import Tensor

ABSENT: Any = object()
MOST = 5_000  # objects that are looked at
LONG = 200  # elements of a container up to which each of them is looked at
_OURS = frozenset(("nn", "optim", "regularize"))
_ATOMS = (bool, int, float, complex, str, bytes, type(None), Tensor, np.generic, ModuleType)
_CONTAINERS = (dict, list, tuple, set, frozenset, deque)

Found = Callable[[Any, str, bool], None]


class Reach:
    """Goes from a function to what it may come by, the nearest first, and tells `found` of each object.

    With the object go its name and whether the function itself, or one that it calls by name, speaks of it.

    >>> told, counts = [], {"seen": 0}
    >>> Reach(lambda x, what, spoken: told.append((what, x))).look(lambda: counts)
    >>> ("`counts`", {"seen": 0}) in told
    True
    """

    def __init__(self, found: Found) -> None:
        self.found = found
        self.seen: dict[int, Any] = {}
        self.names: set[str] = set()  # in the functions that were met
        self.waiting: deque[tuple[Any, str, bool]] = deque()

    def look(self, f: Any, arguments: Iterable[Any] = ()) -> None:
        """Look at what a function, or an object, may come by, and at its arguments."""
        self._wait(arguments, "an argument", True)
        self._wait((f,), "the function", True)
        while self.waiting and len(self.seen) < MOST:
            x, what, spoken = self.waiting.popleft()
            if not isinstance(x, _ATOMS) and id(x) not in self.seen:
                self.seen[id(x)] = x
                self.found(x, what, spoken)
                self._into(x, what, spoken)

    def _wait(self, xs: Iterable[Any], what: str, spoken: bool) -> None:
        self.waiting.extend((x, what, spoken) for x in xs)

    def _into(self, x: Any, what: str, spoken: bool) -> None:
        if isinstance(x, _CONTAINERS):
            if len(x) <= LONG:
                self._wait(x.values() if isinstance(x, dict) else x, what, False)
        elif isinstance(x, partial):
            self._wait((x.func,), what, spoken)
            self._wait((*x.args, *x.keywords.values()), "an argument", spoken)
        elif isinstance(x, MethodType):
            self._wait((x.__func__, x.__self__), what, spoken)
        elif isinstance(x, FunctionType):
            self._function(x, spoken)
        elif isinstance(x, type):
            if is_users(_file_of(x.__module__)):
                self._wait((*x.__mro__[1:], *attributes_of(x).values()), f"the class {x.__name__}", False)
        else:
            for name, y in attributes_of(x).items():
                self._wait((y,), f"the attribute `{name}` of {type(x).__name__}", spoken and name in self.names)
            own = getattr(x, "__dict__", {})
            self._wait((type(x), own.get("__wrapped__")), what, False)
            self._wait((y for y in own.values() if _is_ours(type(y))), what, False)  # the hooks of a module

    def _function(self, f: FunctionType, spoken: bool) -> None:
        if not is_users(f.__code__.co_filename):
            self._wait((vars(f).get("__wrapped__"),), f"`{f.__name__}`", spoken)
            return
        for scope, names in scopes_of(f):
            self.names.update(names)
            for name in names:
                self._wait((scope.get(name),), f"`{name}`", spoken)
        for name, cell in cells_of(f):
            self._wait((content(cell),), f"`{name}`", spoken)
        self._wait((*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()), f"a default of {f.__name__}", spoken)
        self._wait(vars(f).values(), f"an attribute of {f.__name__}", False)


def scopes_of(f: FunctionType) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Where the names in a function of the user's stand: globally, and in modules of the user's."""
    if is_users(f.__code__.co_filename):
        names = list(dict.fromkeys(_names(f.__code__)))
        yield f.__globals__, names
        for x in [f.__globals__.get(name) for name in names]:
            if isinstance(x, ModuleType) and is_users(_file_of(x.__name__)):
                yield vars(x), names


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _names(part)


def cells_of(f: FunctionType) -> list[tuple[str, Any]]:
    """What a function closes over, by name."""
    return list(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))


def content(cell: Any) -> Any:
    """What is in a cell, ABSENT if nothing is."""
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return ABSENT


def attributes_of(x: Any) -> dict[str, Any]:
    """The attributes of an object or a class of the user's; of a layer, an optimizer and the like what is not private.

    What those keep private is looked up once, and no part of what they do.
    """
    kind = x if isinstance(x, type) else type(x)
    home = str(kind.__module__)
    ours = _is_ours(kind)
    if not ours and kind is not SimpleNamespace and not is_users(_file_of(home)):
        return {}
    found = {name: y for name, y in getattr(x, "__dict__", {}).items() if not _is_special(name)}
    if kind is not x:
        names = (name for base in kind.__mro__ for name in _slots_of(base))
        found |= {name: getattr(x, name) for name in names if hasattr(x, name)}
    return {name: y for name, y in found.items() if not name.startswith("_")} if ours else found


def _is_ours(kind: type) -> bool:
    return str(kind.__module__).partition(".")[0] in _OURS


def _slots_of(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    names = [slots] if isinstance(slots, str) else list(slots)
    return [
        f"_{kind.__name__.lstrip('_')}{name}" if name.startswith("__") else name
        for name in names
        if not _is_special(name)
    ]


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _file_of(home: str) -> str | None:
    """The file of a module; of those without one, what is typed in is the user's."""
    return getattr(sys.modules.get(home), "__file__", None if home in sys.builtin_module_names else "")
