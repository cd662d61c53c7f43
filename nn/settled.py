"""Whether the Python of a training step does the same each time: what it reads besides Tensors, and what it changes.

A program is a step run once and noted down. Modules, losses and penalties of this library say themselves what they
depend on; of a user's own code, the names that it reads and the places that it assigns to are looked at.
"""

from __future__ import annotations

import builtins
import dis
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import getattr_static
from operator import is_
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

import autograd as ag
from autograd import Tensor
from nn.hooks import Hooks
from nn.module import Module

_LIBRARY = {"autograd", "nn", "optim", "regularize"}
_PURE = _LIBRARY | {"math", "operator", "functools", "itertools", "typing", "collections", "numpy"}
_BUILT_IN = _PURE | {"builtins", "_operator", "_functools"}
_PLAIN = (int, float, complex, str, bytes, type(None), type(...), slice, range, np.dtype, np.generic)
_IMPURE = {"print", "open", "input", "next", "setattr", "delattr", "globals", "exec", "eval"}
_MUTATING = {"append", "extend", "insert", "add", "update", "pop", "setdefault", "remove", "clear", "write"}
_READING = {"item", "numpy", "tolist"}
_BEGIN = ("forward", "__call__")


class Settled:
    """What a step takes for granted, beginning with these objects: a model, a loss, a penalty, a function that clips.

    Attributes:
        reason: why the step may do something else next time; None if nothing says so.

    >>> import nn
    >>> model = nn.Linear(2, 1)
    >>> settled = Settled(model, nn.MSELoss())
    >>> settled.reason, settled.holds()
    (None, True)
    >>> handle = model.register_forward_hook(print)
    >>> Settled(model).reason, settled.holds()
    ('a module has hooks', False)
    """

    def __init__(self, *roots: Any) -> None:
        self.reason: str | None = None
        self._seen: dict[int, Any] = {}
        self._dicts: list[tuple[dict[str, Any], list[Any]]] = []
        self._lists: list[tuple[Any, list[Any]]] = []
        self._names: list[tuple[Mapping[str, Any], str, Any]] = []
        self._cells: list[tuple[Any, Any]] = []
        self._tensors: list[tuple[Tensor, bool]] = []
        for root in roots:
            self._look(root, type(root).__name__, trusted=False)
            if self.reason is not None:
                return

    def holds(self) -> bool:
        """Whether all that was looked at is as it was."""
        return (
            all(_same(d.values(), values) or _alike(d, values) for d, values in self._dicts)
            and all(_same(_items(some), values) for some, values in self._lists)
            and all(d.get(name) is x for d, name, x in self._names)
            and all(cell.cell_contents is x for cell, x in self._cells)
            and all(t.requires_grad is wanted for t, wanted in self._tensors)
        )

    # ---- objects

    def _look(self, x: Any, name: str, trusted: bool) -> None:
        if self.reason is not None or id(x) in self._seen or isinstance(x, (*_PLAIN, type, BuiltinFunctionType)):
            return
        self._seen[id(x)] = x
        if isinstance(x, Tensor):
            self._tensors.append((x, x.requires_grad))
        elif isinstance(x, (ag.random.Generator, ModuleType, np.ufunc)):
            return
        elif isinstance(x, (FunctionType, MethodType, partial)):
            self._callable(x)
        elif isinstance(x, (list, tuple, dict)):
            self._lists.append((x, list(_items(x))))
            for part in _items(x):
                self._look(part, name, trusted)
        elif isinstance(x, Hooks):
            if any(vars(x).values()):
                self.reason = "a module has hooks"
        elif isinstance(x, np.ndarray):
            if not trusted:
                self.reason = f"{name} holds an ndarray, which may change unseen: make it an nn.Buffer"
        else:
            self._object(x)

    def _object(self, x: Any) -> None:
        kind = type(x)
        own = _of_library(kind)
        if own and _root(kind) == "autograd":  # a function of a user's function, such as `ag.fused` makes
            self._look(getattr(x, "__wrapped__", None), kind.__name__, trusted=False)
            return
        if not own:
            for f in _methods(kind, reachable=isinstance(x, Module)):
                self._function(f)
            if not hasattr(x, "__dict__") or not any(name in dir(kind) for name in _BEGIN):
                self.reason = self.reason or f"it uses an object of the class {kind.__name__}, which may change unseen"
                return
        attributes = getattr(x, "__dict__", {})
        self._dicts.append((attributes, list(attributes.values())))
        for name, part in list(attributes.items()):
            self._look(part, f"{kind.__name__}.{name}", trusted=own)

    # ---- functions

    def _callable(self, f: Any) -> None:
        if isinstance(f, partial):
            for part in (f.func, *f.args, *f.keywords.values()):
                self._look(part, "a partial", trusted=False)
        elif isinstance(f, MethodType):
            self._look(f.__self__, type(f.__self__).__name__, trusted=False)
            self._function(f.__func__)
        else:
            self._function(f)

    def _function(self, f: Any) -> None:
        f = getattr(f, "__wrapped__", f)
        if self.reason is not None or not isinstance(f, FunctionType) or _of_library(f):
            return
        cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
        for cell in cells.values():
            self._cells.append((cell, cell.cell_contents))
            self._read(f, "a closure", cell.cell_contents)
        for code in _codes(f.__code__):
            self.reason = self.reason or _effect(code, f.__name__)
            for name in sorted({i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}):
                self._global(f, code, name)

    def _global(self, f: FunctionType, code: CodeType, name: str) -> None:
        if name not in f.__globals__:
            if name in _IMPURE and hasattr(builtins, name):
                self.reason = self.reason or f"{f.__name__} calls {name}"
            return
        x = f.__globals__[name]
        self._names.append((f.__globals__, name, x))
        root = getattr(x, "__name__", "").partition(".")[0]
        if isinstance(x, ModuleType) and (root not in _PURE or (root == "numpy" and "random" in code.co_names)):
            self.reason = self.reason or f"{f.__name__} uses the module {x.__name__}, which may answer otherwise"
        self._read(f, f"the global {name}", x)

    def _read(self, f: FunctionType, what: str, x: Any) -> None:
        if isinstance(x, (list, dict, set)):
            self.reason = self.reason or f"{f.__name__} reads {what}, a {type(x).__name__}, which may change unseen"
        elif isinstance(x, (type, BuiltinFunctionType)):
            if _root(x) not in _BUILT_IN:
                self.reason = self.reason or f"{f.__name__} uses {x.__name__}, which may answer otherwise"
        else:
            self._look(x, what, trusted=False)


def _root(x: Any) -> str:
    return str(getattr(x, "__module__", "")).partition(".")[0]


def _of_library(x: Any) -> bool:
    return _root(x) in _LIBRARY


def _items(x: Any) -> Any:
    return x.values() if isinstance(x, dict) else x


def _same(now: Any, then: list[Any]) -> bool:
    return len(now) == len(then) and all(map(is_, now, then))


def _alike(now: dict[str, Any], then: list[Any]) -> bool:
    """Whether only modes differ, which a program looks at itself, or numbers that are equal."""
    return len(now) == len(then) and all(
        a is b or name == "training" or (isinstance(a, _PLAIN) and type(a) is type(b) and a == b)
        for (name, a), b in zip(now.items(), then, strict=True)
    )


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those defined in it."""
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _codes(part)


def _effect(code: CodeType, name: str) -> str | None:
    """What the code changes that outlives the call."""
    before = ""
    for i in dis.get_instructions(code):
        if i.opname in ("STORE_ATTR", "DELETE_ATTR", "STORE_GLOBAL"):
            return f"{name} assigns to {i.argval}"
        if i.opname == "STORE_DEREF" and i.argval in code.co_freevars:
            return f"{name} assigns to {i.argval}"
        if i.opname == "IMPORT_NAME":
            return f"{name} imports {i.argval}"
        if i.opname in ("LOAD_ATTR", "LOAD_METHOD") and i.argval in _MUTATING and not before.startswith("LOAD_FAST"):
            return f"{name} calls {i.argval} of what outlives it"
        if i.opname in ("LOAD_ATTR", "LOAD_METHOD") and i.argval in _READING:
            return f"{name} calls {i.argval}: a value read in Python is taken as it is when a program is made"
        before = i.opname
    return None


def _methods(kind: type, reachable: bool) -> list[Any]:
    """What a user has written in a class and its bases; if `reachable`, that which forward can come to by name."""
    own: dict[str, Callable[..., Any]] = {}
    for c in reversed(kind.__mro__):
        if not _of_library(c) and c is not object:
            own |= {name: f for name in vars(c) if (f := _plain(getattr_static(c, name))) is not None}
    own.pop("__init__", None)
    if not reachable:
        return list(own.values())
    found, waiting = set(), [name for name in _BEGIN if name in own]
    while waiting:
        name = waiting.pop()
        if name in own and name not in found:
            found.add(name)
            waiting += [other for code in _codes(own[name].__code__) for other in code.co_names]
    return [own[name] for name in sorted(found)]


def _plain(f: Any) -> Any:
    f = f.fget if isinstance(f, property) else f.__func__ if isinstance(f, (staticmethod, classmethod)) else f
    f = getattr(f, "__wrapped__", f)
    return f if isinstance(f, FunctionType) else None
