"""The source of a Python function as a syntax tree that knows its lines, and the values of the names in it."""

from __future__ import annotations

import ast
import builtins
import linecache
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, NoReturn

from autograd.errors import UnsupportedError

Definition = ast.FunctionDef | ast.Lambda


class Source:
    """A function as it was written.

    Attributes:
        node: its definition.
        names: what its free names stand for: what it closes over, globals, builtins.
    """

    def __init__(self, f: FunctionType, node: Definition) -> None:
        self.f, self.node = f, node
        self.file = f.__code__.co_filename
        self._closure = {
            name: cell.cell_contents
            for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
            if not is_empty(cell)
        }

    def lookup(self, name: str) -> Any:
        """The value of a name that is not a local variable; KeyError if there is none."""
        for scope in (self._closure, self.f.__globals__, vars(builtins)):
            if name in scope:
                return scope[name]
        raise KeyError(name)

    def refuse(self, node: ast.AST, what: str, instead: str) -> NoReturn:
        """Raise the error that shows the line and says what to write instead."""
        line = getattr(node, "lineno", self.node.lineno)
        text = linecache.getline(self.file, line, self.f.__globals__).strip()
        raise UnsupportedError(f"{self.f.__name__}: {what}.\n{self.file}:{line}: {text}\n{instead}")


def is_empty(cell: Any) -> bool:
    """Whether a name that a function closes over has no value yet."""
    try:
        cell.cell_contents  # noqa: B018  # raises if there is none
    except ValueError:
        return True
    return False


def source_of(f: FunctionType) -> Source | None:
    """Where f is written, or None: it was typed into a prompt, made by exec, or its file has changed."""
    lines = linecache.getlines(f.__code__.co_filename, f.__globals__)
    found = [node for node in _definitions("".join(lines)) if _is(node, f.__code__)]
    inner = [node for node in found if not any(other is not node and _within(other, node) for other in found)]
    return Source(f, inner[0]) if len(inner) == 1 else None


@lru_cache(maxsize=16)
def _definitions(text: str) -> tuple[Definition, ...]:
    """Every function in the text of a file."""
    try:
        return tuple(node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.Lambda)))
    except SyntaxError:
        return ()


def _is(node: Definition, code: CodeType) -> bool:
    """Whether this definition is what the code was compiled from: the same place and the same arguments."""
    a = node.args
    if tuple(x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs)) != code.co_varnames[: _count(code)]:
        return False
    if isinstance(node, ast.FunctionDef):
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        return (node.name, first) == (code.co_name, code.co_firstlineno)
    start, end = _span(node.body)
    places = [(p[0], p[2], p[1], p[3]) for p in code.co_positions() if None not in p and p[2:] != (0, 0)]
    inside = all(start <= (a, b) and (c, d) <= end for a, b, c, d in places)  # vacuous if Python keeps no columns
    return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno and inside


def _span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    """Line and column of the beginning and of the end."""
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def _within(inner: ast.AST, outer: ast.AST) -> bool:
    return _span(outer)[0] <= _span(inner)[0] and _span(inner)[1] <= _span(outer)[1]


def _count(code: CodeType) -> int:
    return code.co_argcount + code.co_kwonlyargcount
