"""Which names the statements of a function bind, and which of them can only be whole numbers or constants."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

COMPREHENSIONS = (ast.ListComp, ast.DictComp, ast.GeneratorExp)


def own(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All of some statements but what stands within functions and comprehensions in them."""
    for node in body:
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.AsyncFunctionDef, ast.ClassDef, *COMPREHENSIONS)):
            yield from own(list(ast.iter_child_nodes(node)))


def bound(body: Sequence[ast.AST]) -> Iterator[str]:
    """The names that statements bind."""
    for node in own(body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield node.id


def counted(body: Sequence[ast.AST]) -> set[str]:
    """The names that are bound by loops over whole numbers or constants, and by nothing else."""
    loops = [node for node in own(body) if isinstance(node, ast.For)]
    found = [name for loop in loops for name in counters(loop.target, loop.iter)]
    every = list(bound(body))
    return {name for name in found if every.count(name) == found.count(name)}


def counters(target: ast.expr, over: ast.expr) -> list[str]:
    """The names in the target of a loop that can be nothing but whole numbers, keys, or constants."""
    if isinstance(over, (ast.Tuple, ast.List)) and all(isinstance(x, ast.Constant) for x in over.elts):
        return [target.id] if isinstance(target, ast.Name) else []
    if not isinstance(over, ast.Call):
        return []
    f = over.func
    if isinstance(f, ast.Name) and f.id == "range" and isinstance(target, ast.Name):
        return [target.id]
    first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else None
    paired = isinstance(f, ast.Name) and f.id == "enumerate"
    return [first.id] if paired and isinstance(first, ast.Name) else []
