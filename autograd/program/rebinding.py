"""Augmented assignments: `s += v` changes a Tensor in place, and is the same as `s = s + v` where no one else holds it.

A symbol cannot be changed in place, so a function is captured only where each of its augmented assignments is of a
name that holds what was just computed, and where nobody else could have come by that before the last change.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence

_LOOPS = (ast.For, ast.While)
_FRESH = (ast.Constant, ast.BinOp, ast.List, ast.Tuple)  # what makes a new object, or one that cannot change
_READERS = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.AugAssign)  # what computes with a value and does not keep it
_SEEN = frozenset(("dtype", "ndim", "shape", "size"))


def held_elsewhere(
    body: Sequence[ast.AST], given: Collection[str] = (), is_new: Callable[[ast.Call], bool] = lambda _: False
) -> ast.AugAssign | None:
    """An augmented assignment among the statements of a function that may change what something else holds too.

    `given` are the names of its arguments; `is_new` tells of a call whether its result is an object that nobody holds.
    Functions in it are for themselves.

    >>> def found(text):
    ...     return held_elsewhere(ast.parse(text).body) is not None
    >>> found("s = 0.0; s += x"), found("s = x; s += 1"), found("s = x * 2; t = s; s += 1"), found("s[0] += 1")
    (False, True, True, True)
    """
    parents = {part: node for top in body for node in ast.walk(top) for part in ast.iter_child_nodes(node)}
    nodes = [node for top in body for node in ast.walk(top)]
    changes = [n for n in nodes if isinstance(n, ast.AugAssign) and not any(map(_is_function, _around(n, parents)))]
    for change in changes:
        if not isinstance(change.target, ast.Name) or change.target.id in given:
            return change
        mine = [c for c in changes if isinstance(c.target, ast.Name) and c.target.id == change.target.id]
        names = [n for n in nodes if isinstance(n, ast.Name) and n.id == change.target.id]
        if any(_binds_other(n, parents, is_new) or _escapes(n, mine, parents) for n in names):
            return change
    return None


def _around(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> list[ast.AST]:
    """What a node stands in, itself included."""
    found = [node]
    while found[-1] in parents:
        found.append(parents[found[-1]])
    return found


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.Lambda))


def _binds_other(name: ast.Name, parents: dict[ast.AST, ast.AST], is_new: Callable[[ast.Call], bool]) -> bool:
    """Whether a name is bound to something that may be held elsewhere."""
    if isinstance(name.ctx, ast.Load):
        return False
    parent = parents[name]
    if isinstance(parent, ast.AugAssign):
        return False
    if not (isinstance(parent, ast.Assign) and parent.targets == [name]):
        return True
    value = parent.value
    return not (isinstance(value, _FRESH) or (isinstance(value, ast.Call) and is_new(value)))


def _escapes(name: ast.Name, changes: Sequence[ast.AugAssign], parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether something may come to hold the value of a name before the last change of it."""
    if not isinstance(name.ctx, ast.Load):
        return False
    parent = parents.get(name)
    if isinstance(parent, _READERS) or (isinstance(parent, ast.Attribute) and parent.attr in _SEEN):
        return False
    around = _around(name, parents)
    if any(map(_is_function, around)):
        return True
    if any(isinstance(node, ast.Return) for node in around):
        return False
    loops = {node for node in around if isinstance(node, _LOOPS)}  # which come round again
    return any(
        (c.lineno, c.col_offset) >= (name.lineno, name.col_offset) or loops.intersection(_around(c, parents))
        for c in changes
    )
