"""What the program of a function takes for granted of the names, functions and Tensors that its Python reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

from autograd.program.trusted import is_plain
from autograd.tensor import Tensor

ABSENT: Any = object()


class Premises:
    """What was found when a function was looked at.

    Attributes:
        names: scopes, the names read in them, the values that they had. cells: the same of what functions close over.
        functions: functions with their code and defaults. tensors: Tensors with shape, dtype, and whether constant.

    >>> scope = {"rate": 0.5}
    >>> premises = Premises()
    >>> premises.name(scope, "rate", 0.5)
    >>> premises.broken(), scope.update(rate=0.25), premises.broken()
    (None, None, 'rate')
    """

    def __init__(self) -> None:
        self.names: list[tuple[Mapping[str, Any], str, Any]] = []
        self.cells: list[tuple[Any, str, Any]] = []
        self.functions: list[tuple[FunctionType, Any, Any, Any, Any]] = []
        self.tensors: list[tuple[Tensor, str, Any, Any, bool]] = []

    def name(self, scope: Mapping[str, Any], name: str, value: Any) -> None:
        """A name stands for a value; ABSENT for none."""
        if not any(scope is other and name == n for other, n, _ in self.names):
            self.names.append((scope, name, value))

    def cell(self, cell: Any, name: str, value: Any) -> None:
        """A function closes over a value."""
        if not any(cell is other for other, *_ in self.cells):
            self.cells.append((cell, name, value))

    def function(self, f: FunctionType) -> None:
        """A function has this code and these defaults."""
        kept = (f, f.__code__, f.__defaults__, _by_identity(f.__kwdefaults__), f.__closure__)
        self.functions.append(kept)

    def tensor(self, t: Tensor, name: str) -> None:
        """A Tensor has this shape and dtype, and is constant or not."""
        if not any(t is other for other, *_ in self.tensors):
            self.tensors.append((t, name, t.shape, t.dtype, t.node is None))

    def broken(self) -> str | None:
        """The name of what is no longer as it was; None if all is."""
        for scope, name, x in self.names:
            now = scope.get(name, ABSENT)
            if now is not x and not _alike(now, x):
                return name
        for cell, name, x in self.cells:
            try:
                now = cell.cell_contents
            except ValueError:  # deleted since
                return name
            if now is not x and not _alike(now, x):
                return name
        for f, code, defaults, keywords, closure in self.functions:
            if f.__code__ is not code or f.__defaults__ is not defaults or f.__closure__ is not closure:
                return f.__name__
            if keywords != _by_identity(f.__kwdefaults__):
                return f.__name__
        for t, name, shape, dtype, constant in self.tensors:
            if t.value.shape != shape or t.value.dtype != dtype or (t.node is None) is not constant:
                return name
        return None


def _by_identity(values: Mapping[str, Any] | None) -> dict[str, int]:
    return {name: id(x) for name, x in (values or {}).items()}


def _alike(now: Any, then: Any) -> bool:
    """Whether constants are equal, to the sign of a zero."""
    return type(now) is type(then) and is_plain(then) and repr(now) == repr(then)
